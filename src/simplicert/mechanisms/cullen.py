"""The certificate of Cullen et al. (IEEE S&P 2024): the analytic Gaussian mechanism."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.mechanisms.solvers.ascent import SEARCHED, ascend, half_log_ratio
from simplicert.mechanisms.solvers.quantiles import quantile_gap
from simplicert.noises import gaussian

_LEAST = 2.0**-1000
"""A smaller E1 counts as this, which only lowers the radius: no subnormal numbers."""


@proves(noise=gaussian)
def cullen(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Largest radius at which the analytic Gaussian mechanism separates the classes.

    ``R = sigma * a`` for the largest ``a`` such that, for some ``eps >= 0``,
    ``delta(eps, a) <= (E0 - e^(2 eps) E1) / (1 + e^eps)``, where
    ``delta(eps, a) = ndtr(a/2 - eps/a) - e^eps ndtr(-a/2 - eps/a)``.
    It equals a maximum without a constraint, which is what is computed:
    ``max over 0 < t <= 1/2 of ndtri(E1 + D t (2 - t)) - ndtri(E1 + D t^2)``, with
    ``D = E0 - E1`` and ``t = 1 / (1 + e^eps)``. ``docs/mechanisms.md`` has the proof.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.

    Returns:
        Radii in input units, rounded down. 0 where ``E0 <= E1``, infinite where
        ``E1 = 0``; never negative or NaN.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Cullen et al. 2024, arXiv:2309.11005, eq. (18); Balle and Wang 2018,
        arXiv:1805.06530, Theorem 8.

    Example:
        Where ``E0 + E1 = 1`` and E0 is not near 1 the best epsilon is 0, and the radius
        is ``2 ndtri(1/2 + (E0 - E1) / 4)``.

        >>> cullen([0.7], [0.3], sigma=1.0).round(10)  # 2 ndtri(0.6)
        array([0.50669421])
    """
    return where_separated(
        _best_split, e0_lower, e1_upper, sigma=sigma, relative_error=SEARCHED
    )


def _best_split(e0: Points, e1: Points) -> Points:
    radius = np.full_like(e0, np.inf)
    finite = e1 > 0
    e0, e1 = e0[finite], np.maximum(e1[finite], _LEAST)
    d = e0 - e1
    crossing = half_log_ratio(e0, e1)  # no epsilon beyond it: e0 = e^(2 eps) e1
    # The best epsilon as d -> 0; towards the corner (1, 0) it is near the crossing.
    gap, z0, z1 = quantile_gap(e0, e1, width=d)
    guess = -0.25 * gap * (z0 + z1)
    start = np.clip(guess + (crossing - guess) * e0**64, 0.0, crossing)
    low = np.zeros_like(crossing)
    radius[finite] = ascend(_gap, e1, d, start=start, low=low, high=crossing)
    return radius


def _gap(epsilon: Points, e1: Points, d: Points) -> tuple[Points, Points, Points]:
    """The gap between two quantiles that ``epsilon`` stands for, largest at ``h = 0``.

    ``h = ln(pdf(z_upper) / pdf(z_lower)) - eps`` measures how far the split is from
    being tangent to the trade-off curve of slope ``e^eps``.
    """
    t = expit(-epsilon)
    gap, z_upper, z_lower = quantile_gap(
        e1 + d * t * (2 - t), e1 + d * t * t, width=2 * d * t * (1 - t)
    )
    h = -0.5 * gap * (z_upper + z_lower) - epsilon
    scale = 2 * d * t * (1 - t) ** 2 * np.sqrt(2 * np.pi) * np.exp(0.5 * z_upper**2)
    h_1 = scale * (z_upper - z_lower * np.exp(h)) - 1
    return gap, scale * np.expm1(h), -h / h_1
