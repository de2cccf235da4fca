"""Attack certificates for a while, and say what came of it."""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int
from scipy.special import ndtri

from simplicert.arguments import checked_alpha
from simplicert.audit.attack.ball import Balls
from simplicert.audit.attack.confirm import Change, Confirmations
from simplicert.audit.attack.overlaps import Overlaps, find_overlaps
from simplicert.audit.attack.search import Search
from simplicert.audit.attack.target import Target
from simplicert.audit.attack.words import (
    CHECKS,
    Told,
    beyond_finding,
    inside_finding,
    overlap_finding,
)
from simplicert.audit.finding import Finding
from simplicert.certificates import Certificates
from simplicert.data import Dataset
from simplicert.data.given import check_range
from simplicert.errors import InputError
from simplicert.files import write_whole
from simplicert.sampling import Sampler
from simplicert.votes import Manifest
from simplicert.votes.rows import Positions

__all__ = ["LEVEL", "TESTS", "attack"]

LEVEL = 1e-6
"""Probability that any of an attack's confirmations is wrong."""

TESTS = 1000
"""Confirmations of an attack, at most: fixed beforehand, and each has its share."""

_INSIDE = 0.6
"""Share of the time that is spent inside the balls."""

_BALLS_VALUES, _OTHERS_VALUES = 1 << 28, 1 << 24
"""Of the images that are kept in memory, to attack and to move towards."""


def attack(
    sampler: Sampler,
    certificates: Certificates,
    *,
    plan: Manifest,
    seconds: float,
    level: float = LEVEL,
    seed: int | None = None,
    out: Path | None = None,
    progress: Callable[[float, str], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Finding]:
    """Search certified balls for another class of the smoothed classifier.

    Whatever looks like a change is tested with fresh draws: of ``TESTS`` sign tests,
    fixed beforehand, all are right with probability at least ``1 - level``. The same
    search runs outside the balls, to show that it can find what is there.

    Ctrl-C ends the search, not the call: the findings so far are returned, and say so.

    Args:
        sampler: The classifier and the data set; with the run's noise and precision.
        certificates: Their indices are of that data set.
        plan: The run's manifest.
        seconds: A budget: what is under way when it is over is finished.
        level: See above.
        seed: Decides the search and its noise; one is drawn, and reported, if none is
            given.
        out: Where to write the points of confirmed changes (.npz).
        progress: Told which share is done, and what was found.
        clock: What tells the time, in seconds.

    Returns:
        Three findings: pairs of balls that contradict each other, which needs no draws;
        changes inside balls; changes outside.

    Raises:
        InputError: ``level`` or ``seconds`` out of range; a certified image that the
            data set lacks; what a classifier raises.
    """
    checked_alpha(level)
    _check_match(sampler, certificates, plan)
    if not 0 < seconds < math.inf:
        raise InputError(f"an attack takes a number of seconds, got {seconds!r}")
    balls, why_not = _balls(sampler.dataset, certificates)
    seed = secrets.randbits(63) if seed is None else seed
    what = f"radii of {certificates.mechanism} by {certificates.by} at alpha "
    what += f"{certificates.alpha:g}, seed {seed}. "
    if balls is None:
        says = f"{what}Not done: {why_not}."
        return [
            Finding(check=check, outcome="not checked", says=says)
            for check in CHECKS.values()
        ]
    budget = _Budget(seconds, clock, progress)
    target = Target(sampler, plan, seed=seed, clock=clock)
    tests = Confirmations(level, TESTS)
    others, classes = _others(sampler.dataset, certificates)
    search = Search(
        target,
        balls,
        others=others,
        classes=classes,
        tests=tests,
        patience=seconds / 10,
        rng=np.random.default_rng(np.random.SeedSequence((seed, 1))),
        over=budget.over,
    )
    overlaps, stopped = Overlaps(), False
    try:
        overlaps = find_overlaps(balls, over=partial(budget.over, 0.2))
        budget.tell = search.said
        search.inside(_INSIDE)
        search.beyond(1.0)
    except KeyboardInterrupt:
        stopped = True
    if out is not None and search.changes:
        _write(out, search.changes, certificates.indices)
    told = Told(
        certificates=certificates,
        balls=balls,
        tests=tests,
        has_slope=target.has_slope,
        stopped=stopped,
        drawn=f"{plan.noise.name} noise, {plan.precision}, {sampler.device.type}",
    )
    within = [change for change in search.changes if change.over < 1]
    outside = [change for change in search.changes if change.over >= 1]
    inside = inside_finding(told, search.within, within)
    return [
        overlap_finding(told, overlaps),
        replace(inside, says=what + inside.says),
        beyond_finding(told, search.outside, outside),
    ]


@dataclass
class _Budget:
    """Time, as shares of what there is."""

    seconds: float
    clock: Callable[[], float]
    progress: Callable[[float, str], object] | None
    tell: Callable[[], str] = str

    def __post_init__(self) -> None:
        self._began = self.clock()

    def over(self, share: float) -> bool:
        """Whether so much of the time is over."""
        done = (self.clock() - self._began) / self.seconds
        if self.progress is not None:
            self.progress(min(done, 1.0), self.tell())
        return done >= share


def _check_match(sampler: Sampler, certificates: Certificates, plan: Manifest) -> None:
    """Refuse to hold one classifier's answers against another's certificates."""
    classifier, dataset = sampler.classifier, sampler.dataset
    for what, claimed, given in (
        ("sigma", certificates.sigma, plan.sigma),
        ("noise", certificates.noise.name, plan.noise.name),
        ("number of classes", certificates.classes, sampler.classes),
        ("classifier", plan.model.digest, classifier.digest),
        ("data", plan.data.digest, dataset.digest),
        ("precision", plan.precision, sampler.precision),
    ):
        if claimed not in (given, "unknown"):
            raise InputError(
                f"the certificates are of another {what} than what is given to attack "
                f"them with ({claimed!s:.20} there, {given!s:.20} here): a change "
                "there would say nothing about them. Give what they were drawn with"
            )


def _balls(dataset: Dataset, certificates: Certificates) -> tuple[Balls | None, str]:
    """The certified balls, the likeliest to break first; or why there are none."""
    if certificates.norm == "none":
        return None, "the radii are no distances between inputs, so there are no balls"
    rows = np.flatnonzero(certificates.radius > 0)
    if not len(rows):
        return None, "no image is certified, so there are no balls"
    # Where the estimates themselves hardly allow the radius, it is nearest to false.
    e0, e1 = certificates.e0[rows], certificates.e1[rows]
    estimated = ndtri(e0) - ndtri(np.minimum(e1, 1.0 - e0))
    slack = np.nan_to_num(estimated / certificates.radius[rows], nan=0.0)
    # Where all votes agree the slack is infinite, and the largest radius says most.
    rows = rows[np.lexsort((-certificates.radius[rows], slack))]
    rows = rows[: max(1, _BALLS_VALUES // math.prod(dataset.shape))]
    return (
        Balls(
            unit=dataset.unit,
            rows=rows,
            centres=_images(dataset, certificates.indices[rows]),
            reach=certificates.radius[rows].astype(np.float64),
            norm=certificates.norm,
            held=certificates.predicted[rows].astype(np.int64),
        ),
        "",
    )


def _others(
    dataset: Dataset, certificates: Certificates
) -> tuple[Float32[np.ndarray, "others ..."], Int[np.ndarray, " others"]]:
    most = max(1, _OTHERS_VALUES // math.prod(dataset.shape))
    return (
        _images(dataset, certificates.indices[:most]).astype(np.float32),
        certificates.top[:most].astype(np.int64),
    )


def _images(
    dataset: Dataset, indices: Int[np.ndarray, " images"]
) -> Float[np.ndarray, "images ..."]:
    positions = Positions(dataset.indices.tolist())(indices)
    if (positions < 0).any():
        image = indices[np.argmin(positions)]
        raise InputError(
            f"image {image} is certified, but {dataset.name} has no such image: give "
            "the data that was sampled"
        )
    return check_range(dataset.read(positions), dataset, positions)


def _write(
    path: Path, changes: list[Change], indices: Int[np.ndarray, " images"]
) -> None:
    columns: dict[str, list[Any]] = {
        "images": [indices[c.row] for c in changes],
        "points": [c.point for c in changes],
        **{
            name: [getattr(c, name) for c in changes]
            for name in ("held", "rival", "far", "over", "votes", "draws", "seed")
        },
    }
    content = BytesIO()
    arrays: Any = {name: np.array(each) for name, each in columns.items()}
    np.savez_compressed(content, **arrays)
    write_whole(path, content.getvalue())
