"""``simplicert sample``: a model and images in, votes on disk."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cyclopts import Group, Parameter

from simplicert.arguments import checked_alpha
from simplicert.certificates import ALPHA, find_procedure
from simplicert.certificates.reach import reach
from simplicert.cli.consent import agreed, bill_of
from simplicert.cli.inputs import classifier_and_data
from simplicert.cli.printing import escaped, note, say
from simplicert.cli.progress import draw_progress
from simplicert.cli.rules import NO_RULE, Stopping
from simplicert.cli.types import (
    Names,
    Numbers,
    Whole,
    a_mechanism,
    a_noise,
    a_procedure,
)
from simplicert.data.cuts import Interpolation
from simplicert.data.selection import select_images
from simplicert.errors import InputError
from simplicert.machine.workers import launch_workers, threads_each
from simplicert.noises import NOISES
from simplicert.sampling import Sampler
from simplicert.sampling.bill import Bill
from simplicert.sampling.forecast import forecast
from simplicert.sampling.rounds import check_alone
from simplicert.sampling.sampler import FLUSH_SECONDS
from simplicert.sampling.soft import SoftScores
from simplicert.sampling.workers import Place, wait_for_run, writer
from simplicert.votes import Manifest, RunDirectory, Votes
from simplicert.votes.chosen import draws_in_words

STOPPING, SCORES, IMAGES, PHOTOGRAPHS, CLASSIFIER, MACHINE = (
    Parameter(group=Group.create_ordered(name))
    for name in (
        "Stopping",
        "Soft scores",
        "Inputs",
        "Photographs",
        "Classifier",
        "Machine",
    )
)


def sample_command(
    model: str,
    data: str,
    /,
    *,
    sigma: float,
    draws: Whole,
    out: Annotated[Path, Parameter(alias="-o")],
    noise: Annotated[str, a_noise("Noise that is added")] = "gaussian",
    seed: Whole | None = None,
    alpha: float = ALPHA,
    dry_run: bool = False,
    stopping: Annotated[Stopping, STOPPING, Parameter(name="*")] = NO_RULE,
    procedure: Annotated[str | None, STOPPING, a_procedure("clopper_pearson")] = None,
    asymptotic: Annotated[bool, STOPPING] = False,
    mechanism: Annotated[
        str | None,
        STOPPING,
        a_mechanism("The mechanism that names the class", "the tight one"),
    ] = None,
    margins: Annotated[bool, SCORES] = False,
    rivals: Annotated[Whole | None, SCORES] = None,
    temperature: Annotated[float, SCORES] = 1.0,
    split: Annotated[str, IMAGES] = "test",
    images: Annotated[str | None, IMAGES] = None,
    per_class: Annotated[Whole | None, IMAGES] = None,
    corrupt: Annotated[Literal["refuse", "skip"], IMAGES] = "refuse",
    image_column: Annotated[str | None, IMAGES] = None,
    label_column: Annotated[str | None, IMAGES] = None,
    feature_columns: Annotated[Names | None, IMAGES] = None,
    unit: Annotated[str | None, IMAGES] = None,
    size: Annotated[Whole | None, PHOTOGRAPHS] = None,
    crop: Annotated[float | None, PHOTOGRAPHS] = None,
    interpolation: Annotated[Interpolation | None, PHOTOGRAPHS] = None,
    stretch: Annotated[bool | None, PHOTOGRAPHS, Parameter(negative=None)] = None,
    output: Annotated[str | None, CLASSIFIER] = None,
    mean: Annotated[Numbers | None, CLASSIFIER] = None,
    std: Annotated[Numbers | None, CLASSIFIER] = None,
    denoiser: Annotated[str | None, CLASSIFIER] = None,
    precision: Annotated[Literal["fp32", "bf16", "fp16"], CLASSIFIER] = "fp32",
    runtime: Annotated[
        Literal["eager", "folded", "compiled", "onnxruntime", "openvino", "auto"],
        CLASSIFIER,
    ] = "eager",
    nonfinite: Annotated[Literal["stop", "count"], CLASSIFIER] = "stop",
    cost: Annotated[float | None, CLASSIFIER] = None,
    yes: Annotated[bool, CLASSIFIER] = False,
    device: Annotated[str | None, MACHINE] = None,
    threads: Annotated[Whole | None, MACHINE] = None,
    processes: Annotated[Whole, MACHINE] = 1,
    share: Annotated[str | None, MACHINE] = None,
    batch: Annotated[Whole | None, MACHINE] = None,
    block: Annotated[Whole | None, MACHINE] = None,
    flush: Annotated[float, MACHINE] = FLUSH_SECONDS,
) -> None:
    """Draw noisy forward passes of a model and store the votes.

    Stop it at any instant; the same command goes on where it was.

        simplicert sample digits-0.50.safetensors digits \\
            --sigma 0.5 --draws 10000 -o runs/s0.50

    Or draw no more than decides what you want to know, at most 100,000 an image; the
    certificates are as sound:

        simplicert sample digits-0.50.safetensors digits \\
            --sigma 0.5 --draws 100000 --until 0.25,0.5 -o runs/s0.50

    Args:
        model: A checkpoint (.safetensors), TorchScript (.pt), an ONNX file (FILE.onnx,
            or FILE.onnx:probabilities), file.py:callable or package.module:callable
            that returns a classifier, timm:NAME, torchvision:NAME or hf:NAME, or a
            service, http://HOST:PORT/PATH.
        data: A dataset's name, its path (a table, a folder, ...), or FILE.py:NAME.
        sigma: Standard deviation of the noise, in the inputs' unit: of images pixels in
            [0, 1].
        draws: Noisy forward passes an image; the most that one can get, where images
            stop.
        out: Run directory to write, or to continue.
        noise: What is added to the inputs.
        seed: Decides the noise. Default: a new one, recorded.
        alpha: What the votes will be certified at: for the forecast, and for what stops
            images. They can be certified at any other.
        dry_run: Say what would happen, and stop there.
        stopping: What stops an image. Default: nothing does.
        procedure: How --until and --within bound the expectations.
        asymptotic: Let that procedure be one that is asymptotic, for comparison.
        mechanism: What names the class for them.
        margins: Record how far the class was ahead in each draw: about twice the radii
            from soft scores (certify --procedure margins). The first block of an image
            chooses which class, and over whom.
        rivals: Over how many, beside all others together. Default: 4.
        temperature: What logits are divided by before the softmax; part of what is
            certified.
        split: Part of the dataset.
        images: Which: a slice 0:100:2, a list 3,14,15, or a file of positions.
        per_class: Only the first so many of each class.
        corrupt: Refuse images that cannot be decoded, or skip them and say which.
        image_column: Column or array of the images, if it has another name.
        label_column: Column or array of the labels, if it has another name.
        feature_columns: Columns of a table that are features: a,b,c, in this order; or
            one that holds vectors. Default: those that the model names; else all but
            the labels'.
        unit: What sigma and radii are in: levels (0 to 255), deviations (each feature's
            own, over this data), plain (no range), a table FILE.csv of scales, or with
            its name "standard deviations=FILE.csv", or FILE.py:NAME. The model takes
            the values as they are. Default: pixels in [0, 1] of images, plain of
            others.
        size: Cut photographs to a square of this side. Default: as published with the
            model, where that is known, if they are not squares of that size already.
        crop: Part of the scaled shorter side that the square keeps, as 0.875.
        interpolation: How photographs are scaled.
        stretch: Whether to stretch photographs to squares instead of cutting.
        output: What the model returns, if it does not say so itself: logits,
            probabilities, labels:10 (of ten classes), or of two classes one logit or
            probability; and which: name=KEY in a dictionary, item=1 in a tuple, label=3
            of labels that do not exclude each other.
        mean: What to subtract from pixels in [0, 1] first, as 0.485,0.456,0.406, for a
            model that does not do so itself.
        std: What to divide them by then.
        denoiser: What is given the noisy pixels first, as part of the model: a
            denoiser's checkpoint (.safetensors), TorchScript (.pt), file.py:callable or
            package.module:callable that returns a torch module, or diffusers:FOLDER.
        precision: Of the forward pass; part of what is certified.
        runtime: What runs a torch model: torch itself (eager), or what is faster and
            rounds differently. Auto: the fastest here, by a short trial.
        nonfinite: At NaN or infinite logits stop, or count the draw for no class.
        cost: What a pass costs, as 0.0001 in any currency. Default: as a service says.
        yes: Spend what it will cost without asking.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads a process.
        processes: On this machine; under torchrun, on any.
        share: K/N, only the K-th of N shares of the run, as a job array's tasks draw
            them: at any time, each by itself. Then join them: simplicert compact.
        batch: Most draws a forward pass. Default: found by a short trial.
        block: Draws of one seed, the unit of storage and resumption.
        flush: Seconds between two writes; what a crash can lose.
    """
    place = Place.find(share=share, processes=processes)
    if dry_run and place.rank > 0:
        return
    added = NOISES.find(noise)  # before what takes longer to find
    stops = stopping.find(
        mechanism=mechanism, procedure=procedure, asymptotic=asymptotic
    )
    if stops is None and (procedure or mechanism or asymptotic):
        raise InputError(
            "--procedure, --mechanism and --asymptotic are of --until, --within and "
            "--budget: votes can be certified by any"
        )
    if stops is not None:
        checked_alpha(alpha)
        check_alone(stops, drawers=place.drawers)
    classifier, dataset = classifier_and_data(
        model,
        data,
        split=split,
        size=size,
        crop=crop,
        interpolation=interpolation,
        stretch=stretch,
        corrupt=corrupt,
        image_column=image_column,
        label_column=label_column,
        output=output,
        feature_columns=feature_columns,
        mean=mean,
        std=std,
        denoiser=denoiser,
        sigma=sigma if unit is None else None,
        cost=cost,
    )
    dataset = select_images(dataset, images=images, per_class=per_class)
    bill = bill_of(classifier, dataset, out, draws=draws)
    if not agreed(bill, yes=yes, asks=place.leads, dry_run=dry_run):
        return
    sampler = Sampler(
        classifier,
        dataset,
        unit=unit,
        noise=added,
        precision=precision,
        runtime=runtime,
        device=device,
        threads=threads_each(processes, threads),
        nonfinite=nonfinite,
        flush=flush,
    )
    if place.rank > 0:
        wait_for_run(out)  # whose manifest says what was not given here
    planned = partial(
        sampler.plan,
        sigma=sigma,
        draws=draws,
        out=out,
        seed=seed,
        block=block,
        batch=batch,
        rule=stops,
        alpha=alpha,
        scores=SoftScores(margins=margins, rivals=rivals, temperature=temperature),
    )
    plan = planned()
    if share is not None and not dry_run:
        RunDirectory.create(out, plan)  # whoever comes first; the others do as it says
        plan = planned()
    if place.leads:
        _say_what_will_happen(
            sampler, plan, out, alpha=alpha, flush=flush, place=place, bill=bill
        )
    if dry_run:
        return
    with writer(out, plan, place=place) as run:
        if place.launches:
            launch_workers(sys.argv[1:], workers=processes, threads=plan.threads)
        else:
            number, shares = place.share
            of = f", share {number + 1} of {shares}" if place.has_company else ""
            with draw_progress(escaped(out.name) + of) as progress:
                sampler.draw(
                    run,
                    rule=stops,
                    share=place.share,
                    progress=None if place.rank else progress,
                )
        votes = None if place.has_company else _joined(run)
    if votes is not None:
        say(f"{out}: {_drawn(votes)}, votes {votes.digest[:16]}…")
        say(f"next: simplicert certify {out}")
    elif place.leads and share is not None:
        say(f"{out}: share {share} is drawn")
        say(f"next, when all are: simplicert compact {out}")


def _say_what_will_happen(
    sampler: Sampler,
    plan: Manifest,
    out: Path,
    *,
    alpha: float,
    flush: float,
    place: Place,
    bill: Bill | None,
) -> None:
    """Before the first draw: what was left out of the data, the cost, and warnings."""
    dataset, classifier = sampler.dataset, sampler.classifier
    missing = RunDirectory.missing_draws(out, plan)
    reached = reach(
        find_procedure(),
        looks=plan.looks,
        noise=sampler.noise,
        sigma=plan.sigma,
        alpha=alpha,
        unit=plan.data.unit,
    )
    costs = forecast(
        plan,
        speed=sampler.trial(plan),
        missing=missing,
        processes=place.drawers,
        flush=flush,
        bill=bill,
        normalisations=classifier.normalisations,
        remarks=classifier.warnings(precision=plan.precision),
        glance=sampler.glance(plan),
        fp32_speed=sampler.fp32_speed(plan),
        runtimes=sampler.runtimes,
    )
    warnings = filter(None, (reached.warning, *costs.warnings))
    for line in (
        *(f"skipped {name}" for name in dataset.skipped),
        *(f"data: {remark}" for remark in dataset.notes),
        *costs.lines,
        reached.line,
        *(f"warning: {warning}" for warning in warnings),
    ):
        note(line)


def _drawn(votes: Votes) -> str:
    called = "images" if votes.manifest is None else votes.manifest.data.inputs
    each = f"{len(votes)} {called} × {draws_in_words(votes.draws)}"
    return f"{each}, {votes.draws.sum():,} in all" if np.ptp(votes.draws) else each


def _joined(run: RunDirectory) -> Votes:
    run.compact()
    return run.read(scores=run.manifest.scores)
