"""The certificate of Lecuyer et al. (2019): the classical Gaussian mechanism."""

import numpy as np
from numpy.typing import ArrayLike

from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.mechanisms.solvers.ascent import SEARCHED, ascend, half_log_ratio
from simplicert.noises import gaussian


@proves(noise=gaussian)
def lecuyer(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Largest radius at which the classical Gaussian mechanism separates the classes.

    ``R = sigma * max over 0 < eps <= 1 of eps / sqrt(2 L)``, where
    ``L = ln(1.25 (1 + e^eps) / (E0 - e^(2 eps) E1))`` and the ratio is positive.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.

    Returns:
        Radii in input units, rounded down. 0 where ``E0 <= E1``; always finite.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Lecuyer et al. 2019, arXiv:1802.03471, Proposition 2; Cullen et al. 2024, eq. 5.

    Example:
        At ``E1 = 0`` the best epsilon is 1: ``1 / sqrt(2 ln(1.25 (1 + e)))``.

        >>> lecuyer([1.0], [0.0], sigma=1.0).round(4)
        array([0.5705])
    """
    return where_separated(
        _best_epsilon, e0_lower, e1_upper, sigma=sigma, relative_error=SEARCHED
    )


def _best_epsilon(e0: Points, e1: Points) -> Points:
    gap = e0 - e1
    crossing = half_log_ratio(e0, e1)  # where e0 = e^(2 eps) e1
    return ascend(
        _radius,
        gap,
        e1,
        start=np.where(gap > e1 * np.expm1(2.0), 1.0, 0.9 * crossing),
        low=np.zeros_like(crossing),
        high=np.minimum(1.0, crossing),
    )


def _radius(epsilon: Points, gap: Points, e1: Points) -> tuple[Points, Points, Points]:
    """``eps / sqrt(2 L)``; it is largest where ``2 L / L' = eps``."""
    grown = e1 * np.expm1(2 * epsilon)
    margin = gap - grown  # e0 - e^(2 eps) e1, positive
    share = (e1 + grown) / margin
    odds = np.exp(epsilon)
    logistic = odds / (1 + odds)
    log = np.log(1.25 * (1 + odds)) - np.log(margin)
    log_1 = logistic + 2 * share
    log_2 = logistic * (1 - logistic) + 4 * share * (1 + share)
    radius = epsilon / np.sqrt(2 * log)
    excess = 2 * log / log_1 - epsilon
    slope = radius * excess * log_1 / (2 * epsilon * log)
    return radius, slope, excess / (2 * log * log_2 / log_1**2 - 1)
