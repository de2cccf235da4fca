"""Run directories from machines that share no disk → one."""

import errno
import glob
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from simplicert.errors import InputError
from simplicert.files import PARTS, check_result, errors_name, short_name, sync_folder
from simplicert.votes.copies import Copies
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import LEFTOVER_SECONDS, RunDirectory
from simplicert.votes.sources import PROBED, Probe

__all__ = ["merge_runs"]

_UNFINISHED = ".merging"


def merge_runs(runs: Sequence[Path | str], out: Path | str) -> RunDirectory:
    """Join runs of one model, data set, sigma and seed into a new run.

    They may hold other images, or other blocks of the same images; a block that several
    hold is counted once, with the votes of the first. Images that stop at looks must
    have been stopped by one rule: then an image has one end, whoever drew it.
    Unfinished runs are welcome, and so is an unfinished result. Labels are kept where
    every image has one. ``out`` is there when all is written, or not at all: killed,
    the same call starts again.

    Raises:
        InputError: Fewer than two runs; two that do not belong together (names the
            field that differs); copies of a block with other votes; ``out`` exists; a
            part is damaged.
        OSError: ``out`` cannot be written.
    """
    if len(runs) < 2:
        raise InputError("name at least two runs to merge")
    check_result(Path(out))
    if os.path.lexists(out):
        raise _taken(out)
    sources = [RunDirectory(run) for run in runs]
    first = sources[0]
    labels: dict[int, int | None] = {}
    for source in sources:
        difference = first.manifest.difference(source.manifest)
        if difference is None and source.manifest.rule != first.manifest.rule:
            difference = "their images were stopped by two rules"
        if difference is None and _conflict(labels, source.manifest):
            difference = "labels of the same images differ"
        if difference is not None:
            raise InputError(
                f"{first.path} and {source.path} do not belong together: {difference}"
            )
    images = sorted(labels)
    known = [label for image in images if (label := labels[image]) is not None]
    manifest = first.manifest.model_copy(
        update={
            "images": images,
            "labels": known if len(known) == len(images) else None,
            "probe": _probe([source.manifest for source in sources], images),
            "created": max(source.manifest.created for source in sources),
        }
    )
    out = Path(out)
    _clear_leftovers(out)
    beside = out.with_name(
        f".{short_name(out.name)}.{uuid.uuid4().hex[:16]}{_UNFINISHED}"
    )
    try:
        with errors_name(out, beside):
            RunDirectory.create(beside, manifest).fill(_once(sources, manifest))
            beside.rename(out)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
            raise _taken(out) from error
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)  # half of it helps nobody
    sync_folder(out.parent)
    return RunDirectory(out)


def _once(sources: Sequence[RunDirectory], manifest: Manifest) -> Iterator[VoteRows]:
    """Every block once: of several copies the first run's, if they agree."""
    copies = Copies(
        manifest,
        read=lambda number: sources[number].rows(),
        name=lambda number: sources[number].path,
    )
    for number, source in enumerate(sources):
        for rows in source.rows():
            yield copies.first(rows, number)
    copies.check()


def _taken(out: Path | str) -> InputError:
    return InputError(f"{out} exists: choose a new directory for the merged run")


def _clear_leftovers(out: Path) -> None:
    """What merges into ``out`` left where they were killed, some time ago."""
    for left in out.parent.glob(f".{glob.escape(short_name(out.name))}.*{_UNFINISHED}"):
        with suppress(OSError):
            changed = max(path.stat().st_mtime for path in (left, left / PARTS))
            if time.time() - changed > LEFTOVER_SECONDS:
                shutil.rmtree(left)


def _probe(manifests: Sequence[Manifest], images: list[int]) -> Probe | None:
    """What is known of the classifier: all must agree on what a copy may hold.

    Its answers are to questions about the first images, in passes of the first batch.
    """
    probes = [manifest.probe for manifest in manifests]
    if None in probes or len({probe.repeatable for probe in probes if probe}) > 1:
        return None
    first = images[:PROBED], manifests[0].batch
    for manifest in manifests:
        if (manifest.images[:PROBED], manifest.batch) == first:
            return manifest.probe
    return Probe(repeatable=not manifests[0].answers_at_random, answers=[])


def _conflict(labels: dict[int, int | None], manifest: Manifest) -> bool:
    """Take over a run's labels; true if an image had another one."""
    theirs: list[int | None] = [None] * len(manifest.images)
    if manifest.labels is not None:
        theirs = [*manifest.labels]
    pairs = list(zip(manifest.images, theirs, strict=True))
    conflict = any(labels.get(image, label) != label for image, label in pairs)
    labels.update(pairs)
    return conflict
