"""``simplicert sample``: a model and images in, votes on disk."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.certificates import ALPHA, find_procedure
from simplicert.certificates.reach import reach
from simplicert.cli.printing import note, say
from simplicert.cli.progress import draw_progress
from simplicert.cli.types import NoiseName, Whole
from simplicert.data import load_dataset
from simplicert.data.selection import select_images
from simplicert.machine.refusal import was_launched_here
from simplicert.machine.workers import (
    launch_workers,
    share_of_this_process,
    threads_each,
)
from simplicert.sampling import Sampler
from simplicert.sampling.forecast import forecast
from simplicert.sampling.sampler import FLUSH_SECONDS
from simplicert.sampling.workers import sole_writer, wait_for_run
from simplicert.votes import RunDirectory


def sample_command(
    model: str,
    data: str,
    /,
    *,
    sigma: float,
    draws: Whole,
    out: Annotated[Path, Parameter(alias="-o")],
    noise: NoiseName = "gaussian",
    split: str = "test",
    size: Whole | None = None,
    images: str | None = None,
    per_class: Whole | None = None,
    alpha: float = ALPHA,
    seed: Whole | None = None,
    block: Whole | None = None,
    batch: Whole | None = None,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    compiled: Annotated[bool, Parameter(negative=())] = False,
    device: str | None = None,
    threads: Whole | None = None,
    processes: Whole = 1,
    corrupt: Literal["refuse", "skip"] = "refuse",
    nonfinite: Literal["stop", "count"] = "stop",
    flush: float = FLUSH_SECONDS,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Draw noisy forward passes of a model and store the votes.

    Stop it at any instant; the same command goes on where it was.

        simplicert sample digits-0.50.safetensors digits \\
            --sigma 0.5 --draws 10000 -o runs/s0.50

    Args:
        model: A checkpoint (.safetensors), an ONNX file (FILE.onnx, or
            FILE.onnx:probabilities), package.module:callable or file.py:callable that
            returns a classifier, timm:NAME, torchvision:NAME or hf:NAME.
        data: A dataset's name, its path, or FILE.py:NAME.
        sigma: Standard deviation of the noise, in pixels of [0, 1].
        draws: Noisy forward passes an image.
        out: Run directory to write, or to continue.
        noise: What is added to the inputs; sigma is its standard deviation.
        split: Part of the dataset.
        size: Cut photographs to a square of this side.
        images: Which: a slice 0:100:2, a list 3,14,15, or a file of positions.
        per_class: Only the first so many of each class.
        alpha: What the votes will be certified at; for the forecast only.
        seed: Decides the noise. Default: a new one, recorded.
        block: Draws of one seed, the unit of storage and resumption.
        batch: Most draws a forward pass. Default: found by a short trial.
        precision: Of the forward pass; part of what is certified.
        compiled: Compile a torch model first; takes a minute.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads a process.
        processes: On this machine; under torchrun, on any.
        corrupt: Refuse images that cannot be decoded, or skip them and say which.
        nonfinite: At NaN or infinite logits stop, or count the draw for no class.
        flush: Seconds between two writes; what a crash can lose.
        dry_run: Say what would happen, and stop there.
    """
    share = share_of_this_process()
    rank, world = share or (0, processes)
    leads = rank == 0 and not was_launched_here()  # else another does this
    if dry_run and rank > 0:
        return
    dataset = select_images(
        load_dataset(data, split=split, size=size, corrupt=corrupt),
        images=images,
        per_class=per_class,
    )
    for name in dataset.skipped if leads else ():
        note(f"skipped {name}")
    sampler = Sampler(
        model,
        dataset,
        noise=noise,
        precision=precision,
        compiled=compiled,
        device=device,
        threads=threads_each(processes, threads),
        nonfinite=nonfinite,
        flush=flush,
    )
    if rank > 0:
        wait_for_run(out)  # whose manifest says what was not given here
    plan = sampler.plan(
        sigma=sigma, draws=draws, out=out, seed=seed, block=block, batch=batch
    )
    if leads:
        missing = RunDirectory.missing_draws(out, plan)
        reached = reach(
            find_procedure(),
            looks=plan.looks,
            noise=sampler.noise,
            sigma=plan.sigma,
            alpha=alpha,
        )
        costs = forecast(
            plan,
            speed=sampler.trial(plan),
            missing=missing,
            processes=world,
            normalisations=sampler.classifier.normalisations,
        )
        for line in (*costs.lines, reached.line):
            note(line)
        for warning in filter(None, (reached.warning, *costs.warnings)):
            note(f"warning: {warning}")
    if dry_run:
        return
    if share is not None:
        holding = (
            sole_writer(out, plan)
            if leads
            else nullcontext(RunDirectory.open_or_create(out, plan))
        )
        with (
            draw_progress(f"{out.name}, share 1 of {world}") as progress,
            holding as run,
        ):
            sampler.draw(run, share=share, progress=None if rank else progress)
        return
    with sole_writer(out, plan) as run:
        if processes > 1:
            launch_workers(sys.argv[1:], workers=processes, threads=plan.threads)
        else:
            with draw_progress(out.name) as progress:
                sampler.draw(run, progress=progress)
        run.compact()
        votes = run.read(scores=plan.scores)
    say(f"{out}: {len(votes)} images × {draws:,} draws, votes {votes.digest[:16]}…")
    say(f"next: simplicert certify {out}")
