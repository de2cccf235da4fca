"""Runs as they are stored: parts against their names and the manifest."""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.files import read_bytes
from simplicert.votes import RunDirectory
from simplicert.votes.copies import OtherVotesError
from simplicert.votes.parts import (
    DamagedPartError,
    ForeignPartError,
    is_named_by_digest,
)
from simplicert.votes.rows import Found, OtherRivalsError

__all__ = ["stored"]

_FALSIFYING = DamagedPartError, ForeignPartError, OtherVotesError, OtherRivalsError


def stored(claims: Claims) -> Iterator[Finding]:
    """Whether what is counted is what was written, of this run, once, and whole."""
    run = claims.run
    if run is None:
        return
    try:
        found = Found(run.manifest)
        for rows in run.rows():  # the scores, too
            found.add(rows)
    except _FALSIFYING as error:
        yield Finding(check="stored parts", outcome="falsified", says=f"{error}")
        return
    done, there = found.done, found.blocks
    yield _looks(run, there)
    yield from _parts(run)
    yield _ends(run, done, there) if run.manifest.stops_early else _whole(run, done)


def _looks(run: RunDirectory, there: np.ndarray) -> Finding:
    looks = run.manifest.looks
    total = math.fsum(look.share for look in looks)
    says = f"at {', '.join(f'{look.draws:,}' for look in looks)} draws, with shares "
    says += f"of alpha that sum to {total:g}; every part repeats them"
    if not run.manifest.stops_early:
        return Finding(check="looks", outcome="held", says=says)
    ends = np.where(there.any(axis=1), there.cumsum(axis=1).argmax(axis=1), -1)
    images = np.bincount(ends[ends >= 0], minlength=len(looks))
    columns: dict[str, object] = {
        "draws": [look.draws for look in looks],
        "share of alpha": [look.share for look in looks],
    }
    alpha = (run.manifest.rule or {}).get("alpha")
    if isinstance(alpha, float):  # else nobody said for which certificates they are
        columns[f"at alpha {alpha:g}"] = [look.share * alpha for look in looks]
    columns["images that have no more draws"] = images
    details = pd.DataFrame(columns)
    return Finding(check="looks", outcome="held", says=says, details=details)


def _parts(run: RunDirectory) -> Iterator[Finding]:
    parts = run.parts
    unnamed = [part for part in parts if not is_named_by_digest(part)]
    digests = [hashlib.sha256(read_bytes(part)).hexdigest() for part in parts]
    twice = len(digests) - len(set(digests))
    if unnamed:
        yield Finding(
            check="digests",
            outcome="not checked",
            says=f"parts whose names, of an older version, do not tell their bytes: "
            f"{len(unnamed):,} of {len(parts):,}. Nothing shows whether these were "
            "edited; --replay would",
        )
    else:
        says = f"parts: {len(parts):,}, each the bytes that its name tells"
        yield Finding(check="digests", outcome="held", says=says)
    if twice:
        yield Finding(
            check="parts twice",
            outcome="doubtful",
            says=f"parts that are copies of others, byte for byte, which no worker "
            f"writes: {twice:,} of {len(parts):,}. Simplicert counts every block once; "
            "who adds up the parts counts them twice",
        )
    yield Finding(
        check="stored parts",
        outcome="held",
        says=f"parts: {len(parts):,}, each of this manifest's run and of votes that "
        "draws can give; blocks that are in several agree, and count once",
    )


def _whole(run: RunDirectory, done: np.ndarray) -> Finding:
    complete = done.all(axis=1)
    if complete.all():
        called = run.manifest.data.inputs
        says = f"all {done.size:,} blocks of {len(done):,} {called} are there"
        return Finding(check="whole", outcome="held", says=says)
    images = tuple(np.array(run.manifest.images)[~complete].tolist())
    return Finding(
        check="whole",
        outcome="doubtful",
        says=f"{int((~done).sum()):,} of {done.size:,} blocks are missing "
        f"({some(images)}): such images are not certified, and what is left is no "
        "choice that was made before the draws",
        images=images,
    )


def _ends(run: RunDirectory, done: np.ndarray, there: np.ndarray) -> Finding:
    """As ``_whole``, where what an image lacks may not be wanted."""
    complete = done.all(axis=1)
    manifest = run.manifest
    drawn, most = manifest.draws_where(there), len(done) * manifest.draws
    if complete.all():
        budget = manifest.total is not None
        left = ", or left when the budget was spent" if budget else ""
        says = f"{len(done):,} images, each to the last look or marked as ended{left}: "
        says += f"{drawn:,} draws, of {most:,} at most"
        return Finding(check="whole", outcome="held", says=says)
    images = tuple(np.array(manifest.images)[~complete].tolist())
    return Finding(
        check="whole",
        outcome="doubtful",
        says=f"{len(images):,} of {len(done):,} images ({some(images)}) lack draws, "
        "and nothing says that no more was to be drawn of them: the run is not "
        "finished, or rows were removed",
        images=images,
    )
