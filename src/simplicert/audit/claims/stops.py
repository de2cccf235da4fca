"""Images that stop at looks: whether they stopped where, and as, the run says.

No certificate rests on it: the bounds of all looks hold at once, so that an image may
stop at any of them, for any reason.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simplicert import __version__
from simplicert.arguments import checked_alpha
from simplicert.audit.claims.growth import Stage, growth
from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.errors import InputError
from simplicert.stopping import Rule, asked, outside_code, rule_from
from simplicert.votes import Manifest
from simplicert.votes.rows import Found, VoteRows

__all__ = ["stops"]

TURN, AFTER, TOTAL, RULE = (
    "looks in turn",
    "nothing after the last",
    "budget",
    "stopped by the rule",
)

_NO_MATTER = (
    "No certificate depends on it, as the looks' shares of alpha pay for any stop"
)


def stops(claims: Claims) -> Iterator[Finding]:
    """Whether the looks of each image are there in turn, and end where they should."""
    run = claims.run
    if run is None or not run.manifest.stops_early:
        return
    try:
        rows = list(run.rows())
    except InputError as error:
        yield Finding(check=RULE, outcome="not checked", says=f"{error}")
        return
    if rows:
        yield from _of_rows(VoteRows.join(rows), run.manifest)


def _of_rows(rows: VoteRows, manifest: Manifest) -> Iterator[Finding]:
    found = Found(manifest)
    position = found.add(rows)
    there = found.blocks
    last = np.zeros_like(there)
    last[position, rows.blocks] = np.asarray(rows.last)
    yield _in_turn(there, manifest)
    yield _after(there, last, manifest)
    if (total := manifest.total) is not None:
        yield _budget(int(manifest.draws_in(rows.blocks).sum()), total)
    yield _by_rule(rows, last, manifest)


def _named(images: np.ndarray, manifest: Manifest) -> tuple[int, ...]:
    """Indices in the data set of a mask of a run's images."""
    return tuple(np.array(manifest.images)[images].tolist())


def _in_turn(there: np.ndarray, manifest: Manifest) -> Finding:
    """An image's rows are its first: each is drawn when those before it are stored."""
    first = np.logical_and.accumulate(there, axis=1)
    beyond = there & ~first
    gap = np.asarray(beyond.any(axis=1))
    if not gap.any():
        says = f"{int(there.sum()):,} rows: each image has its first looks, and no gap"
        return Finding(check=TURN, outcome="held", says=says)
    images, one = _named(gap, manifest), int(np.argmax(gap))
    missing, later = int(first[one].sum()), int(np.argmax(beyond[one]))
    return Finding(
        check=TURN,
        outcome="doubtful",
        says=f"{len(images):,} of {len(gap):,} images ({some(images)}) lack a row "
        f"before others that are there: block {missing} of image {images[0]} is not, "
        f"block {later} is. A row is drawn when those before it are stored: one was "
        "lost, or removed. Such images are not certified",
        images=images,
    )


def _after(there: np.ndarray, last: np.ndarray, manifest: Manifest) -> Finding:
    """A mark that no more is to be drawn is true."""
    ended = np.logical_or.accumulate(last, axis=1)
    more = there[:, 1:] & ended[:, :-1]
    bad = np.asarray(more.any(axis=1))
    marked = int(ended.any(axis=1).sum())
    if not bad.any():
        says = f"{marked:,} images are marked as ended: none has a row after that"
        return Finding(check=AFTER, outcome="held", says=says)
    images, one = _named(bad, manifest), int(np.argmax(bad))
    mark, rest = int(np.argmax(last[one])), int(more[one].sum())
    return Finding(
        check=AFTER,
        outcome="falsified",
        says=f"{len(images):,} of {marked:,} images that are marked as ended have rows "
        f"after that ({some(images)}): block {mark} of image {images[0]} says that no "
        f"more was to be drawn, and there are blocks after it: {rest}. Either the mark "
        "or what follows it is not of this run",
        images=images,
    )


def _budget(drawn: int, total: int) -> Finding:
    says = f"{drawn:,} draws are stored, of {total:,} that the rule allows all images "
    says += "together"
    outcome = "falsified" if drawn > total else "held"
    return Finding(check=TOTAL, outcome=outcome, says=says)  # type: ignore[arg-type]  # both are


def _by_rule(rows: VoteRows, last: np.ndarray, manifest: Manifest) -> Finding:
    """Every mark is what the rule says of the image's votes until then."""
    early = np.asarray(last[:, :-1].any(axis=1))
    if manifest.rule is None:
        if not early.any():
            says = "there is no rule, and no image is marked before the last look"
            return Finding(check=RULE, outcome="held", says=says)
        images = _named(early, manifest)
        return Finding(
            check=RULE,
            outcome="falsified",
            says=f"the manifest says that no rule stopped images, and {len(images):,} "
            f"are marked as ended before the last look ({some(images)}). {_NO_MATTER}",
            images=images,
        )
    try:
        rule, alpha = _recorded(manifest.rule)
        stages = itertools.islice(growth(rows, manifest), manifest.blocks - 1)
        wrong = [_otherwise(rows, stage, rule, alpha, manifest) for stage in stages]
    except InputError as error:
        says = f"{error}. {_NO_MATTER}"
        return Finding(check=RULE, outcome="not checked", says=says)
    if not wrong:
        says = "no row is before the last look"
        return Finding(check=RULE, outcome="held", says=says)
    return _compared(wrong, manifest, alpha)


def _otherwise(
    rows: VoteRows, stage: Stage, rule: Rule, alpha: float, manifest: Manifest
) -> np.ndarray:
    """Of each image of a run at one look: how many rows, and how it is mismarked.

    -1: it has no such row; 0: it is marked as the rule says; 1: it is marked as ended,
    and the rule goes on; 2: the reverse.
    """
    assert rows.last is not None
    marked = rows.last[stage.at]
    decided = asked(rule, stage.votes(manifest), alpha)
    found = np.full(len(manifest.images), -1, dtype=np.int8)
    found[stage.positions] = np.where(marked & ~decided, 1, 2 * (decided & ~marked))
    return found


def _compared(wrong: list[np.ndarray], manifest: Manifest, alpha: float) -> Finding:
    """What comes of it: one line an image, which is about its first such row."""
    marks = np.stack(wrong, axis=1)
    rule = manifest.rule or {}
    what = f"{int((marks >= 0).sum()):,} rows before the last look, held against the "
    what += f"rule {rule.get('name')!s:.40} at alpha {alpha:g}"
    bad = np.asarray((marks > 0).any(axis=1))
    if not bad.any():
        says = f"{what}: each is marked as ended where, and only where, the rule says "
        says += "so of the image's votes until then"
        return Finding(check=RULE, outcome="held", says=says)
    first = np.argmax(marks > 0, axis=1)
    kind = marks[np.arange(len(marks)), first]
    images, one = _named(bad, manifest), int(np.argmax(bad))
    draws = int(manifest.draws_until(np.array([first[one] + 1]))[0])
    worst = "ended" if kind[one] == 1 else "not ended"
    counts = [f"{int((kind == 1).sum()):,} ended where it would have drawn on"]
    counts.append(f"{int((kind == 2).sum()):,} did not end where it would have")
    drawn_by = manifest.versions.get("simplicert", __version__)
    other = f" (Simplicert {drawn_by:.20} drew, and {__version__} asked it)"
    return Finding(
        check=RULE,
        outcome="doubtful",
        says=f"{what}: {len(images):,} images ({some(images)}) are not what the "
        f"recorded rule would have drawn: {', '.join(counts)}. Image {images[0]} is "
        f"marked as {worst} at {draws:,} draws, and the rule says otherwise of its "
        "votes there. Votes or marks were edited, or the rule was another then"
        f"{other if drawn_by != __version__ else ''}. {_NO_MATTER}",
        images=images,
    )


def _recorded(spec: Mapping[str, Any]) -> tuple[Rule, float]:
    """The rule that a manifest records, of our own code, and its alpha.

    Raises:
        InputError: It cannot be found again; or it is code of others, which an audit
            does not run because its subject says so.
    """
    if (place := outside_code(spec)) is not None:
        raise InputError(
            f"the rule needs {place!s:.80}, which is none of Simplicert's, and an "
            "audit runs no code that its subject names"
        )
    rule = rule_from(spec)
    try:
        return rule, checked_alpha(spec.get("alpha"))
    except InputError as error:
        raise InputError(f"the manifest's rule: {error}") from error
