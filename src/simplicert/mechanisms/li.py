"""The certificate of Li et al. (NeurIPS 2019): Renyi divergence."""

import numpy as np
from numpy.typing import ArrayLike

from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.mechanisms.solvers.ascent import SEARCHED, ascend, half_log_ratio
from simplicert.noises import gaussian


# Renyi divergence is of the law of the voted class, not of a mean score.
@proves(noise=gaussian, of=("multinomial",))
def li(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Largest radius at which a Renyi divergence still separates the classes.

    ``R = sigma * sup over w > 1 of sqrt(-2 ln(B) / w)``, where
    ``B = 1 - E0 - E1 + 2 M`` and ``M = ((E0^(1-w) + E1^(1-w)) / 2)^(1/(1-w))``
    is the power mean of the two expectations.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.

    Returns:
        Radii in input units, rounded down. 0 where ``E0 <= E1``, infinite where
        ``E0 = 1``, ``sigma * sqrt(-2 ln(1 - E0))`` where ``E1 = 0``.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Li et al. 2019, arXiv:1809.03113, Theorem 3.2; Cullen et al. 2024, eq. (8).

    Example:
        With ``E0 = 1 - exp(-2)`` and ``E1 = 0`` the radius is ``sqrt(-2 * -2)``.

        >>> li([1 - np.exp(-2)], [0.0], sigma=0.5).round(3)
        array([1.])
    """
    return where_separated(
        _best_order, e0_lower, e1_upper, sigma=sigma, relative_error=SEARCHED
    )


def _best_order(e0: Points, e1: Points) -> Points:
    """Square root of the largest ``-2 ln(B) / w``, over ``c = w - 1`` in [0, 1/2]."""
    total, rest = e0 + e1, (1.0 - e0) - e1
    geometric = np.sqrt(e0 * e1)
    # As c -> 0 the power mean tends to the geometric mean, e0 + e1 - 2 M to a square.
    drop = ((e0 - e1) / (np.sqrt(e0) + np.sqrt(e1))) ** 2
    base = rest + 2 * geometric
    minus_log = _minus_log(drop, base)
    best = 2 * minus_log
    u = half_log_ratio(e0, e1)
    with np.errstate(invalid="ignore"):  # 0 * inf at E1 = 0: nothing to climb
        climbs = geometric * u * u > base * minus_log
    u, total, rest = u[climbs], total[climbs], rest[climbs]
    best[climbs] = ascend(
        _squared_radius,
        u,
        _log_cosh(u),
        total,
        rest,
        start=np.clip((3 * total - 1) / 4, 0.01, 0.5),  # exact as E0 - E1 -> 0
        low=np.zeros_like(u),
        high=np.full_like(u, 0.5),
    )
    radius: Points = np.sqrt(best)
    return radius


def _squared_radius(
    c: Points, u: Points, log_cosh_u: Points, total: Points, rest: Points
) -> tuple[Points, Points, Points]:
    """``-2 ln(B) / (1 + c)``, without cancellation, and how it climbs.

    With ``E0 = g e^u`` and ``E1 = g e^-u`` the power mean is ``2 M = (E0 + E1) e^-k``,
    ``k = ln cosh(u) + ln cosh(c u) / c``.
    """
    x = c * u
    tanh = np.tanh(x)
    mean = _log_cosh(x) / x
    mean_1 = (tanh - mean) / x
    mean_2 = (1 - tanh * tanh - 2 * mean_1) / x
    k, k_1, k_2 = log_cosh_u + u * mean, u * u * mean_1, u**3 * mean_2
    twice_m = total * np.exp(-k)
    base = rest + twice_m
    minus_log = _minus_log(-total * np.expm1(-k), base)
    rate = twice_m * k_1 / base  # of minus_log, in c
    excess = (1 + c) * rate - minus_log
    rate_1 = rate * (k_2 / k_1 - k_1 + rate)
    return (
        2 * minus_log / (1 + c),
        2 * excess / (1 + c) ** 2,
        -excess / ((1 + c) * rate_1),
    )


def _minus_log(drop: Points, base: Points) -> Points:
    """``-ln(base)`` where ``base = 1 - drop``, from whichever is the smaller."""
    with np.errstate(divide="ignore"):  # E0 = 1: infinite
        log: Points = np.where(
            drop < 0.5, np.log1p(-np.minimum(drop, 0.5)), np.log(base)
        )
    return -log


def _log_cosh(x: Points) -> Points:
    log: Points = np.log1p(2 * np.sinh(0.5 * x) ** 2)
    return log
