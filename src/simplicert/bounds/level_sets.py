"""The mean of a margin after any shift, bounded by one mean of today's draws.

Each level set of a margin is bounded by Neyman and Pearson's lemma, the bound by one of
its tangents, and the sum of the tangents is the mean of one function of the margin. The
proofs are in ``docs/margins.md``.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from simplicert.arguments import Reals
from simplicert.errors import InputError

__all__ = ["TestFunctions", "quantiles_of", "shifted_mean", "test_functions"]

SLACK = 2.0**-40
"""More than all rounding here, of sums of positive terms, of 4,096 levels at most."""

MOST_LEVELS = 4096
LARGEST = 8.0
"""Of a quantile: beyond it a tangent is flat, or a slope immense."""


@dataclass(frozen=True, eq=False)
class TestFunctions:
    """One function of the margin for each radius, and what its mean must exceed.

    Attributes:
        values: At each level; 0 at the first, and not falling.
        needed: The mean of the margin, after any shift of l2 norm up to the radius, in
            units of sigma, is at least the mean of ``values`` less this.
    """

    values: Float[np.ndarray, "radii levels"]
    needed: Float[np.ndarray, " radii"]


def test_functions(
    levels: ArrayLike, quantiles: ArrayLike, *, radii: ArrayLike
) -> TestFunctions:
    """Functions of which one mean certifies one radius, whatever ``quantiles`` are.

    With weights ``w = diff(levels)``, slopes ``a = exp(r z - r**2 / 2)`` and intercepts
    ``b = ndtr(z - r) - a ndtr(z)``, the mean after a shift of norm r is at least
    ``levels[0] + sum(w b) + E[psi]``, ``psi`` being the sum of ``w a`` up to a level.

    Args:
        levels: What the margin is rounded down to, increasing, in [-1, 1].
        quantiles: For each level but the first, where its tangent touches:
            ``ndtri(u)``, u being near the probability to reach the level. Any numbers
            are sound; those of other draws make it sharp.
        radii: Shifts in units of sigma; of 0, ``values - needed`` is the margin itself.

    Raises:
        InputError: Levels that do not increase or are not in [-1, 1], another number of
            quantiles, or NaN; a radius that is negative, or not small.

    References:
        Cohen et al. 2019, arXiv:1902.02918, Lemma 4, for one level set.

    Example:
        Two classes and hard votes: all levels have one quantile.

        >>> found = test_functions([-1, 1], [1.0], radii=[1.0])
        >>> found.values.round(4), found.needed.round(4)
        (array([[0.    , 3.2974]]), array([2.7743]))
    """
    s, z, r = (np.asarray(each, np.float64) for each in (levels, quantiles, radii))
    increasing = (
        s.ndim == 1 and 2 <= len(s) <= MOST_LEVELS and bool((np.diff(s) > 0).all())
    )
    if not increasing or s[0] < -1.0 or s[-1] > 1.0:
        raise InputError(
            f"levels must increase within [-1, 1], 2 to {MOST_LEVELS} of them"
        )
    if z.shape != (len(s) - 1,) or np.isnan(z).any():
        raise InputError(
            f"quantiles must be {len(s) - 1} numbers, one for each level but the first"
        )
    if r.ndim != 1 or not ((r >= 0) & (r < LARGEST)).all():
        raise InputError(f"radii must be numbers from 0 to below {LARGEST:g}")
    # Levels that no draw tells apart touch at one place: most do.
    z, where = np.unique(np.clip(z, -LARGEST, LARGEST), return_inverse=True)
    weights, r = np.diff(s), r[:, None]
    slopes = np.exp(r * z - r * r / 2.0)
    intercepts = ndtr(z - r) - slopes * ndtr(z)
    rises = np.cumsum(weights * slopes[:, where], axis=1)
    values = np.concatenate([np.zeros((len(r), 1)), rises], axis=1)
    needed = -s[0] - (weights * intercepts[:, where]).sum(axis=1)
    size = abs(s[0]) + weights.sum() + values[:, -1]
    return TestFunctions(values=values, needed=needed + SLACK * size)


def quantiles_of(
    histogram: Int[np.ndarray, " levels"], *, lowest: float
) -> Float[np.ndarray, " tangents"]:
    """Where tangents should touch, as far as some draws tell.

    Args:
        histogram: How many of them were rounded down to each level.
        lowest: Shares are kept this far from 0 and 1, so that no slope is immense.
    """
    reached = np.cumsum(histogram[::-1])[::-1][1:] / max(int(histogram.sum()), 1)
    return np.asarray(ndtri(np.clip(reached, lowest, 1.0 - lowest)))


def shifted_mean(levels: ArrayLike, reached: ArrayLike, *, radii: ArrayLike) -> Reals:
    """Least mean of the margin after a shift, if its distribution were known.

    It is attained by some classifier, and what no number of draws can exceed.

    Args:
        levels: As ``test_functions``.
        reached: Probability to reach each level but the first.
        radii: In units of sigma; 0 is the mean now.

    Example:
        >>> shifted_mean([-1, 0, 1], [0.9, 0.9], radii=[0.0, 1.0]).round(4)
        array([0.8   , 0.2217])
    """
    s, share = np.asarray(levels, np.float64), np.asarray(reached, np.float64)
    shifted = ndtr(ndtri(share) - np.asarray(radii, np.float64)[:, None])
    return np.asarray(s[0] + (np.diff(s) * shifted).sum(axis=1))
