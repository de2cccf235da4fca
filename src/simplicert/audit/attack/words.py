"""What an attack found and tried, in words that claim no more than that."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binom

from simplicert.audit.attack.ball import Balls
from simplicert.audit.attack.confirm import Change, Confirmations
from simplicert.audit.attack.overlaps import Overlaps
from simplicert.audit.attack.search import FACTORS, Tally
from simplicert.audit.finding import Finding
from simplicert.certificates import Certificates
from simplicert.rounding import round_down

__all__ = [
    "CHECKS",
    "Told",
    "beyond_finding",
    "inside_finding",
    "overlap_finding",
]

CHECKS = {
    "overlap": "balls of different classes that overlap",
    "inside": "another class inside a certified ball",
    "beyond": "another class outside the certified balls",
}
"""The findings of an attack."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What the findings have in common.

    Attributes:
        certificates: What was attacked.
        balls: Those of a certified radius.
        tests: Of the candidates.
        has_slope: Whether the classifier has a gradient.
        stopped: Whether Ctrl-C ended the search.
        drawn: What kind of draws every statement is about.
    """

    certificates: Certificates
    balls: Balls
    tests: Confirmations
    has_slope: bool
    stopped: bool
    drawn: str

    def images(self, rows: ArrayLike) -> tuple[int, ...]:
        """The indices of these rows, in the data set."""
        return tuple(self.certificates.indices[np.asarray(rows, int)].tolist())

    @property
    def certified(self) -> int:
        """Images with a ball, of which those in memory are attacked."""
        return int((self.certificates.radius > 0).sum())


def overlap_finding(told: Told, found: Overlaps) -> Finding:
    """Pairs of certificates that cannot both be true."""
    check = CHECKS["overlap"]
    if found.pairs:
        a, b, far = map(list, zip(*found.pairs, strict=True))
        one, other = told.balls[a], told.balls[b]
        table = pd.DataFrame(
            {
                "image": told.images(one.rows),
                "class": one.held,
                "radius": one.reach,
                "other": told.images(other.rows),
                "other_class": other.held,
                "other_radius": other.reach,
                "distance": far,
            }
        )
        first = table.iloc[0]
        return Finding(
            check=check,
            outcome="falsified",
            says=f"{_many(len(table), 'pair')} of certificates contradict each other, "
            f"such as images {first['image']} and {first['other']}, of classes "
            f"{first['class']} and {first['other_class']}: they are "
            f"{_up(first['distance'])} apart, less than their radii together, "
            f"{_down(first['radius'] + first['other_radius'])}. One of each pair is "
            "false, with certainty: no draws are needed to see it.",
            images=told.images(np.union1d(one.rows, other.rows)),
            details=table,
        )
    if not found.all:
        says = f"All certified balls are of one class ({_balls(told)})."
        return Finding(check=check, outcome="not checked", says=says)
    if not found.compared:
        says = "Not done: the time was over before two balls were compared."
        return Finding(check=check, outcome="not checked", says=says)
    part = "" if found.compared == found.all else f" of {found.all:,}, for want of time"
    return Finding(
        check=check,
        outcome="held",
        says=f"No two certified balls of different classes overlap "
        f"({_many(found.compared, 'pair')}{part}, of {_balls(told)}).",
    )


def inside_finding(told: Told, tally: Tally, changes: Sequence[Change]) -> Finding:
    """Certificates that are false, or what was tried in vain."""
    check, tried = CHECKS["inside"], _tried(told, tally)
    if not tally.rows and not changes:
        return Finding(check=check, outcome="not checked", says=tried)
    if not changes:
        return Finding(
            check=check,
            outcome="held",
            says=f"{tried} No other class was confirmed. That is no proof: another "
            "search may find what this one did not.",
        )
    rows = sorted({change.row for change in changes})
    count, alpha = told.certified, told.certificates.alpha
    chance = float(binom.sf(len(rows) - 1, count, alpha))
    return Finding(
        check=check,
        outcome="falsified",
        says=f"{_confirmed(told, rows)} inside the certified ball, the nearest at "
        f"{_up(min(c.over for c in changes))} of the radius. These certificates are "
        f"false of the smoothed classifier as it is drawn here ({told.drawn}). Of "
        f"{count:,} certificates of which each may be false with probability "
        f"{alpha:g}, independently, {len(rows):,} or more are with probability at most "
        f"{chance:.2g}. {tried}",
        images=told.images(rows),
        details=_table(told, changes),
    )


def beyond_finding(told: Told, tally: Tally, changes: Sequence[Change]) -> Finding:
    """Whether the search finds what there is to find."""
    check, tried = CHECKS["beyond"], _tried(told, tally)
    if not tally.rows:
        return Finding(check=check, outcome="not checked", says=tried)
    if not changes:
        return Finding(
            check=check,
            outcome="not checked",
            says=f"{tried} No other class was confirmed, up to {max(FACTORS):g} times "
            "the radius where there was time: whether this search can find a change is "
            "not known, so that it found none inside says little.",
        )
    rows = sorted({change.row for change in changes})
    nearest = min(changes, key=lambda change: change.over)
    return Finding(
        check=check,
        outcome="held",
        says=f"{_confirmed(told, rows)} outside the certified ball, the nearest at "
        f"{_up(nearest.over)} times the radius (image {told.images([nearest.row])[0]}, "
        f"by {nearest.attack}): the search is not idle. {tried}",
        details=_table(told, changes),
    )


def _confirmed(told: Told, rows: Sequence[int]) -> str:
    return (
        f"In {_many(len(rows), 'image')} another class was confirmed by a sign test on "
        f"fresh draws (level {told.tests.level:g} for all {told.tests.most:,} tests "
        f"that there could be, {told.tests.each:.2g} each)"
    )


def _tried(told: Told, tally: Tally) -> str:
    stopped = " until it was interrupted" if told.stopped else ""
    if not tally.rows:
        why = "it was interrupted" if told.stopped else "the time was over"
        return f"None of {_many(told.certified, 'certified image')} was tried: {why}."
    kinds = ", ".join(
        f"{name} ({len(rows):,} images, {tally.points[name]:,} points)"
        for name, rows in tally.tried.items()
    )
    slope = "" if told.has_slope else " The classifier has no gradient to follow."
    rounds = max(max(rows.values()) for rows in tally.tried.values())
    return (
        f"{len(tally.rows):,} of {_many(told.certified, 'certified image')} were "
        f"tried{stopped}, in {_many(rounds, 'round')}: {kinds}.{slope} "
        f"{_many(tally.promising, 'candidate')} went to a test on fresh draws."
    )


def _balls(told: Told) -> str:
    """How many balls were looked at, of how many."""
    if len(told.balls) == told.certified:
        return _many(told.certified, "ball")
    return f"{len(told.balls):,} of {told.certified:,} balls, for want of memory"


def _table(told: Told, changes: Sequence[Change]) -> pd.DataFrame:
    ordered = sorted(changes, key=lambda change: change.over)
    return pd.DataFrame(
        {
            "image": told.images([c.row for c in ordered]),
            "class": [c.held for c in ordered],
            "other_class": [c.rival for c in ordered],
            "radius": told.certificates.radius[[c.row for c in ordered]],
            "distance": [c.far for c in ordered],
            "distance_over_radius": [c.over for c in ordered],
            "votes": [c.votes[0] for c in ordered],
            "other_votes": [c.votes[1] for c in ordered],
            "draws": [c.draws for c in ordered],
            "seed": [str(c.seed) for c in ordered],  # of 63 bits, which JSON may round
            "p_value": [c.p_value for c in ordered],
            "attack": [c.attack for c in ordered],
        }
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _up(number: float) -> str:
    return f"{-float(round_down(-number, 4)):.4f}"


def _down(number: float) -> str:
    return f"{float(round_down(number, 4)):.4f}"
