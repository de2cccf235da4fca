"""Exact bounds on half the gap between two normal quantiles, from two counts.

The gap is what a Neyman-Pearson radius is made of. By Buehler's method (1957): outcomes
are ordered, and the bound is the smallest gap at which an outcome as good as that which
was seen is not improbable. The proofs are in ``docs/joint.md``.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from simplicert.arguments import Reals, checked_alpha, checked_counts, together
from simplicert.bounds.clopper_pearson import clopper_pearson_lower
from simplicert.bounds.cover import Cover
from simplicert.bounds.staircase import Staircase, order_of
from simplicert.errors import InputError

__all__ = ["half_gap_lower"]

MOST_TRIALS, LEAST_ALPHA = 2**21, 1e-100
"""Within these: a run has no more draws of an image, and nobody wants less of alpha."""

STEPS, TRIES = 12, 6
"""At most so many guesses of the bound, and so many that are tried to be proved."""

ROUNDING = 2.0**-46
"""Relative; more than quantiles and their half sum can lose."""


def half_gap_lower(
    first: ArrayLike, second: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Reals:
    """Lower bound that is at most the true half gap with probability >= 1 - alpha.

    Of two classes with expectations p and q, p > q, the half gap is
    ``(ndtri(p) - ndtri(q)) / 2``: the Neyman-Pearson radius at sigma = 1. The guarantee
    is exact for all p, q, whatever the other classes have, and all ``trials`` that are
    taken, for two classes that are fixed, and for each entry on its own. It
    is not below the half gap of two Clopper-Pearson bounds that together fail with
    probability alpha, ``1 - sqrt(1 - alpha)`` each.

    Args:
        first: Votes for the first class: whole numbers, 0 to ``trials``.
        second: Votes for the second; the two sum to at most ``trials``.
        trials: Number of independent draws, 1 to 2**21; broadcasts.
        alpha: Probability with which the bound may fail, in [1e-100, 1).

    Returns:
        Bounds of the broadcast shape, rounded down: finite, and 0 where no gap is
        proved; never negative or NaN.

    Raises:
        InputError: Counts that are fractional, negative or together above ``trials``;
            trials or ``alpha`` out of range; shapes that do not broadcast.

    References:
        Buehler 1957, J. Amer. Statist. Assoc. 52(280).

    Example:
        Two bounds at 0.0005 each would give 1.2658.

        >>> half_gap_lower([900, 500], [50, 500], trials=1000, alpha=0.001).round(3)
        array([1.277, 0.   ])
    """
    x, n = checked_counts(first, trials)
    y, n = checked_counts(second, n)
    x, y, n = together(first=x, second=y, trials=n)
    if (x + y > n).any():
        over = np.argmax((x + y > n).ravel())
        raise InputError(
            f"first and second must sum to at most trials, got {x.flat[over]:.0f} + "
            f"{y.flat[over]:.0f} of {n.flat[over]:.0f}"
        )
    if n.size and n.max() > MOST_TRIALS:
        raise InputError(
            f"an exact radius cannot be computed of {n.max():.6g} trials: at most "
            f"{MOST_TRIALS:,}"
        )
    alpha = checked_alpha(alpha)
    if alpha < LEAST_ALPHA:
        raise InputError(
            f"an exact radius cannot be computed at alpha {alpha:g}, the share of one "
            f"look: it must be at least {LEAST_ALPHA:g}"
        )
    counts = np.stack([each.ravel() for each in (x, y, n)]).astype(np.int64)
    distinct, where = np.unique(counts, axis=1, return_inverse=True)
    bounds = [_bound(*each, alpha) for each in distinct.T.tolist()]
    return np.array(bounds, dtype=np.float64)[where.ravel()].reshape(x.shape)


@lru_cache(maxsize=2**17)
def _bound(first: int, second: int, n: int, alpha: float) -> float:
    """Of one outcome; images of a run, and runs certified again, repeat it."""
    if first <= second:
        return 0.0
    order = order_of(n, float(-np.expm1(0.5 * np.log1p(-alpha))))
    up, down = order.quantiles[first], order.quantiles[n - second]
    two_bounds = (up + down - ROUNDING * (abs(up) + abs(down))) / 2
    stairs = Staircase(order, first, second)
    exact = _proved(stairs, alpha, float(two_bounds))
    return max(exact, float(two_bounds), 0.0)


def _proved(stairs: Staircase, alpha: float, least: float) -> float:
    """The largest gap found at which the outcomes are proved to be improbable."""
    n = stairs.order.n
    start = float(ndtri(clopper_pearson_lower(stairs.full, trials=n, alpha=alpha)))
    if start <= 0.0:
        return 0.0
    p = ndtr(start)
    spread = float(np.sqrt(n * p * (1.0 - p)))
    loss = float(np.clip(spread / 3000.0, 0.001, 0.03))
    cover = Cover(stairs, level=alpha, loss=loss)
    # Where the edge, two classes alone, is the worst, this is the answer already.
    z = -float(ndtri(alpha))
    wanted = -float(ndtri(alpha * np.exp(-loss)))
    slope = -spread / n * float(np.sqrt(2.0 * np.pi) * np.exp(0.5 * start * start))
    gap, before = start + slope * (wanted - z), None
    for _ in range(STEPS):
        gap = min(max(gap, least, 1e-9), start)
        rough = cover.rough(gap)
        largest = float(rough[1].max())
        low, high = np.log(alpha) - 1.5 * loss, np.log(alpha) - 0.9 * loss
        if low <= largest <= high or (largest > high and gap <= max(least, 1e-9)):
            break
        here = -float(ndtri(min(np.exp(largest), 1.0 - 1e-9)))
        if before is not None and gap != before[0] and here != before[1]:
            slope = -abs((gap - before[0]) / (here - before[1]))
        before = gap, here
        gap += slope * (wanted - here)
    for _ in range(TRIES):
        if gap <= max(least, 0.0):
            break
        holds, found = cover.holds(gap, rough)
        if holds:
            return gap
        gap -= abs(slope) * max(found - np.log(alpha) + loss, 0.5 * loss) / max(z, 1.0)
        rough = cover.rough(max(gap, 1e-9))
    return 0.0
