"""Run directories from machines that share no disk → one."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simplicert.errors import InputError
from simplicert.votes.copies import check_copies
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import Positions
from simplicert.votes.run import RunDirectory

__all__ = ["merge_runs"]


def merge_runs(runs: Sequence[Path | str], out: Path | str) -> RunDirectory:
    """Join runs of one model, data set, sigma and seed into a new run.

    They may hold other images, or other blocks of the same images; a block that several
    hold is counted once, with the votes of the first. Unfinished runs are welcome, and
    so is an unfinished result. Labels are kept where every image has one.

    Raises:
        InputError: Fewer than two runs; two that do not belong together (names the
            field that differs); copies of a block with other votes; ``out`` exists; a
            part is damaged.
        OSError: ``out`` cannot be written.
    """
    if len(runs) < 2:
        raise InputError("name at least two runs to merge")
    if Path(out).exists():
        raise InputError(f"{out} exists: choose a new directory for the merged run")
    sources = [RunDirectory(run) for run in runs]
    first = sources[0]
    labels: dict[int, int | None] = {}
    for source in sources:
        difference = first.manifest.difference(source.manifest)
        if difference is None and _conflict(labels, source.manifest):
            difference = "labels of the same images differ"
        if difference is not None:
            raise InputError(
                f"{first.path} and {source.path} do not belong together: {difference}"
            )
    images = sorted(labels)
    known = [label for image in images if (label := labels[image]) is not None]
    merged = RunDirectory.create(
        out,
        first.manifest.model_copy(
            update={
                "images": images,
                "labels": known if len(known) == len(images) else None,
                "created": max(source.manifest.created for source in sources),
            }
        ),
    )
    try:
        _copy(sources, merged)
    except BaseException:
        shutil.rmtree(merged.path)  # ours since a moment ago; half of it helps nobody
        raise
    merged.compact()
    return merged


def _copy(sources: Sequence[RunDirectory], merged: RunDirectory) -> None:
    """Every block once: of several copies the first run's, if they agree."""
    manifest = merged.manifest
    position = Positions(manifest.images)
    held = np.zeros((len(manifest.images), manifest.blocks), dtype=bool)
    for source in sources:
        for rows in source.rows():
            where = position(rows.images)
            new = ~held[where, rows.blocks]
            held[where, rows.blocks] = True
            if new.any():
                merged.append(rows.take(new))
            if not new.all():
                check_copies(
                    rows.take(~new),
                    merged.rows(),
                    draws=manifest.block,
                    where=source.path,
                    first="an earlier run",
                )


def _conflict(labels: dict[int, int | None], manifest: Manifest) -> bool:
    """Take over a run's labels; true if an image had another one."""
    theirs: list[int | None] = [None] * len(manifest.images)
    if manifest.labels is not None:
        theirs = [*manifest.labels]
    pairs = list(zip(manifest.images, theirs, strict=True))
    conflict = any(labels.get(image, label) != label for image, label in pairs)
    labels.update(pairs)
    return conflict
