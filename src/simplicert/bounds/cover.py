"""The largest probability over all laws whose quantiles are as far apart: from above.

The laws of a first class and a second whose normal quantiles are ``2 r`` apart are a
curve: ``Phi(u + r)`` and ``Phi(u - r)``, ``u <= 0``. A few of its points cover it. The
proof is in ``docs/joint.md``.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import log_ndtr, ndtr, ndtri

from simplicert.bounds.clopper_pearson import clopper_pearson_lower
from simplicert.bounds.staircase import SMALL, Law, Staircase

__all__ = ["Cover"]

Points = Float[np.ndarray, " points"]
Guesses = Float[np.ndarray, " guesses"]

SPENT = 0.7
"""Share of what a point lacks to the level that its distance to the next may cost."""

WIDEST = 0.2
"""Largest distance of two points, in u and as a share of the one nearer to 0."""

FINE = 512
"""Points at which the distances are planned; nothing rests on them."""

ROUNDS = 4
"""How often points that are too far apart are given others between them."""

ROUGH = 12
"""Points between which the probability is guessed to find the gap to be tried."""


class Cover:
    """Whether outcomes from one on have at most a probability at all laws of one gap.

    Args:
        stairs: The outcomes.
        level: The probability.
        loss: Share of the level that may be lost for speed.
    """

    def __init__(self, stairs: Staircase, *, level: float, loss: float) -> None:
        self.stairs, self.level, self.loss = stairs, level, loss
        self.draws = stairs.order.n
        # To the left of this u even the first class alone has too few votes.
        self.end = float(
            ndtri(clopper_pearson_lower(stairs.least, trials=self.draws, alpha=level))
        )

    def probability(self, gap: float, u: float) -> float:
        """At one law of the curve; guessed from, and so nothing rests on it."""
        if u == 0.0:
            return self._edge(gap, -1e-9)
        first, second, rest = (float(p[0]) for p in _curve(np.array([u]), gap))
        return self._found(Law(first=first, second=second, rest=rest))

    def rough(self, gap: float) -> tuple[Guesses, Guesses]:
        """Some u, from 0 down, and the logarithms of their probabilities."""
        span = max(gap - self.end, 1e-3)
        near = np.geomspace(span * 1e-4, span / ROUGH, ROUGH)
        u = -np.concatenate([[0.0], near, np.linspace(0.0, span, ROUGH + 1)[2:]])
        values = [self.probability(gap, each) for each in u.tolist()]
        return u, np.log(np.maximum(values, 1e-300))

    def holds(self, gap: float, rough: tuple[Guesses, Guesses]) -> tuple[bool, float]:
        """Whether it is proved to be at most the level; and the logarithm found.

        Args:
            gap: Half the distance of the quantiles, above 0.
            rough: What ``rough`` gives; of how many points are needed.
        """
        u = self._points(gap, *rough)
        edge = self._edge(gap, float(u[0]))
        if edge > self.level:
            return False, float(np.log(edge))
        covered = np.zeros(len(u), dtype=bool)
        for _ in range(ROUNDS):
            laws = _widened(u, gap)
            found = np.zeros(len(u))
            for i in np.flatnonzero(~covered).tolist():
                found[i] = self._found(laws[i])
            covered = found <= self.level
            if covered.all():
                return True, 0.0
            worst = float(u[found.argmax()])
            here = self.probability(gap, worst)
            if here > self.level * (1.0 - self.loss / 8):
                return False, float(np.log(here))
            u, covered = _halved(u, covered)
        return False, float(np.log(self.level))

    def _edge(self, gap: float, u: float) -> float:
        """From a point to u = 0: more first votes, and fewer second ones."""
        first, second = float(ndtr(gap)), float(ndtr(u - gap))
        law = Law(first=first, second=second, rest=float(ndtr(-gap)) - second)
        return self._found(law)

    def _found(self, law: Law) -> float:
        return self.stairs.probability(law, SMALL * self.level)

    def _points(self, gap: float, at: Guesses, logs: Guesses) -> Points:
        """From near 0 down to the end, closer where the probability nears the level."""
        p = float(ndtr(gap))
        z = max(-float(ndtri(min(self.level, 0.4))), 1.0)
        spread = np.sqrt(self.draws * p * (1.0 - p))
        nearest = self.loss * spread / z
        nearest /= 2.0 * self.draws * np.exp(-0.5 * gap * gap) * 0.4
        end = min(self.end - gap, -2.0 * nearest)
        fine = -np.geomspace(nearest, -end, FINE)
        lacks = np.log(self.level) - np.interp(-fine, -at, logs)
        lacks = np.maximum(lacks, self.loss)
        steps = np.sqrt(8.0 * SPENT * lacks / (self.draws * _information(fine, gap)))
        steps = np.minimum(steps, WIDEST * np.minimum(1.0, -fine))
        dense = 1.0 / steps
        pieces = -np.diff(fine) * (dense[1:] + dense[:-1]) / 2
        passed = np.concatenate([[0.0], np.cumsum(pieces)])
        count = int(np.ceil(passed[-1])) + 1
        where = np.linspace(0.0, passed[-1], count)
        points = np.interp(where, passed, fine)
        points[-1] = end
        return np.asarray(points)


def _widened(u: Points, gap: float) -> list[Law]:
    """Laws of which the pieces between neighbours cannot exceed the larger."""
    spare = _curvatures(u, gap) * np.diff(u) ** 2 / 8.0
    spare = np.maximum(  # of the pieces on both sides
        np.pad(spare, ((0, 0), (0, 1))), np.pad(spare, ((0, 0), (1, 0)))
    )
    weights = np.stack(_curve(u, gap))
    log_total = np.log1p((weights * np.expm1(spare)).sum(axis=0))
    weights *= np.exp(spare - log_total)
    return [
        Law(first=p, second=q, rest=r, log_total=more)
        for p, q, r, more in zip(*weights.tolist(), log_total.tolist(), strict=True)
    ]


def _halved(
    u: Points, covered: Bool[np.ndarray, " points"]
) -> tuple[Float[np.ndarray, " more"], Bool[np.ndarray, " more"]]:
    """With a new point on both sides of each that is not covered."""
    pieces = np.flatnonzero(~covered[:-1] | ~covered[1:])
    middle = (u[pieces] + u[pieces + 1]) / 2
    u = np.insert(u, pieces + 1, middle)
    return u, np.insert(covered, pieces + 1, False)


def _curve(u: Points, gap: float) -> tuple[Points, Points, Points]:
    """Weights of the first class, the second and the rest."""
    first, second = ndtr(u + gap), ndtr(u - gap)
    return first, second, ndtr(-u - gap) - second


def _hazard(x: Points) -> Points:
    """``phi / Phi``, the derivative of the logarithm of Phi."""
    return np.asarray(np.exp(-0.5 * x * x - log_ndtr(x)) / np.sqrt(2.0 * np.pi))


def _growth(u: Points, gap: float) -> Points:
    """Minus the derivative of the logarithm of the rest's weight."""
    up, down = np.exp(-0.5 * (u + gap) ** 2), np.exp(-0.5 * (u - gap) ** 2)
    return np.asarray((up + down) / np.sqrt(2.0 * np.pi) / _curve(u, gap)[2])


def _curvatures(u: Points, gap: float) -> Float[np.ndarray, "3 pieces"]:
    """Bounds of minus the second derivatives of the three weights' logarithms.

    Of each piece between two neighbouring points, the right one first.
    """
    right, left = u[:-1], u[1:]
    first = _hazard(left + gap) * (_hazard(right + gap) + right + gap)
    rest = _growth(right, gap)
    margin = 1.0 + 1e-9
    return np.stack(
        [
            np.minimum(first * margin, 1.0),
            np.ones_like(first),
            rest * (rest + gap - left) * margin,
        ]
    )


def _information(u: Points, gap: float) -> Points:
    """Fisher's, of u in one draw, or somewhat more."""
    first, second, rest = _curve(u, gap)
    hazard, growth = _hazard(u + gap), _growth(u, gap)
    curvature = np.minimum(hazard * np.maximum(hazard + u + gap, 0.0), 1.0)
    return np.asarray(first * curvature + second + rest * growth * (growth + gap - u))
