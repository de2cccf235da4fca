"""``simplicert sample``: a model and images in, votes on disk."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.cli.progress import draw_progress
from simplicert.data import load_dataset
from simplicert.data.selection import select_images
from simplicert.sampling import sample


def sample_command(
    model: str,
    data: str,
    /,
    *,
    sigma: float,
    draws: int,
    out: Path,
    split: str = "test",
    images: str | None = None,
    per_class: int | None = None,
    seed: int | None = None,
    block: int | None = None,
    batch: int | None = None,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    device: str | None = None,
    threads: int | None = None,
    nonfinite: Literal["stop", "count"] = "stop",
    quiet: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Draw noisy forward passes of a model and store the votes.

    Stop it at any instant; the same command goes on where it was.

        simplicert sample digits-0.50.safetensors digits --sigma 0.5 --draws 10000 --out runs/s0.50

    Args:
        model: A Simplicert checkpoint (.safetensors).
        data: A dataset's name.
        sigma: Standard deviation of the noise, in pixels of [0, 1].
        draws: Noisy forward passes an image.
        out: Run directory to write, or to continue.
        split: Part of the dataset.
        images: Which: a slice 0:100:2, a list 3,14,15, or a file of positions.
        per_class: Only the first so many of each class.
        seed: Decides the noise. Default: a new one, recorded.
        block: Draws of one seed, the unit of storage and resumption.
        batch: Most draws a forward pass.
        precision: Of the forward pass; part of what is certified.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads.
        nonfinite: At NaN or infinite logits stop, or count the draw for no class.
        quiet: No progress.
    """
    dataset = select_images(
        load_dataset(data, split=split), images=images, per_class=per_class
    )
    with draw_progress(f"sampling {out.name}") as progress:
        votes = sample(
            model,
            dataset,
            sigma=sigma,
            draws=draws,
            out=out,
            seed=seed,
            block=block,
            batch=batch,
            precision=precision,
            device=device,
            threads=threads,
            nonfinite=nonfinite,
            progress=None if quiet else progress,
        )
    print(f"{out}: {len(votes)} images × {draws:,} draws, votes {votes.digest[:16]}…")
    print(f"next: simplicert certify {out}")
