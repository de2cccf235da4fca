"""Runs as they are stored: parts against their names and the manifest."""

import hashlib
from collections.abc import Iterator

import numpy as np

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

__all__ = ["stored"]


def stored(claims: Claims) -> Iterator[Finding]:
    """Whether what is counted is what was written, of this run, once, and whole."""
    run = claims.run
    if run is None:
        return
    try:
        done = run.done()
        for _ in run.rows():  # the scores, too
            pass
    except (DamagedPartError, ForeignPartError, OtherVotesError) as error:
        yield Finding(check="stored parts", outcome="falsified", says=f"{error}")
        return
    yield _looks(run)
    yield from _parts(run)
    yield _whole(run, done)


def _looks(run: RunDirectory) -> Finding:
    looks = run.manifest.looks
    total = sum(look.share for look in looks)
    return Finding(
        check="looks",
        outcome="held",
        says=f"at {', '.join(f'{look.draws:,}' for look in looks)} draws, with shares "
        f"of alpha that sum to {total:g}; every part repeats them",
    )


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
        says = f"all {done.size:,} blocks of {len(done):,} images are there"
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
