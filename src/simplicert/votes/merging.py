"""Run directories from machines that share no disk → one."""

from collections.abc import Sequence
from pathlib import Path

from simplicert.errors import InputError
from simplicert.votes.manifest import Manifest
from simplicert.votes.store import RunDirectory

__all__ = ["merge_runs"]


def merge_runs(runs: Sequence[Path | str], out: Path | str) -> RunDirectory:
    """Join runs of one model, data set, sigma and seed into a new run.

    They may hold other images, or other blocks of the same images; a block that several
    hold is counted once. Unfinished runs are welcome, and so is an unfinished result.

    Raises:
        InputError: Fewer than two runs; two that do not belong together (names the
            field that differs); ``out`` exists; a part is damaged.
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
        if difference is None and source.manifest.draws != first.manifest.draws:
            difference = (
                f"draws is {first.manifest.draws} there and "
                f"{source.manifest.draws} here"
            )
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
    for source in sources:
        for rows in source.rows():
            merged.append(rows)
    merged.compact()
    return merged


def _conflict(labels: dict[int, int | None], manifest: Manifest) -> bool:
    """Take over a run's labels; true if an image had another one."""
    theirs: list[int | None] = [None] * len(manifest.images)
    if manifest.labels is not None:
        theirs = [*manifest.labels]
    pairs = list(zip(manifest.images, theirs, strict=True))
    conflict = any(labels.get(image, label) != label for image, label in pairs)
    labels.update(pairs)
    return conflict
