"""The l1 certificate of uniform noise: Lee et al. (NeurIPS 2019)."""

import math

from numpy.typing import ArrayLike

from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.noises import uniform

ROUNDING = 2.0**-48
"""More than the four roundings of a product and a difference."""


@proves(noise=uniform, tight=True)
def lee(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Largest l1 radius at which class 0 still beats every other class.

    ``R = sqrt(3) * sigma * (E0 - E1)``: under noise that is uniform in a cube of sides
    ``2 L``, ``L = sqrt(3) * sigma``, every expectation is ``1 / (2 L)``-Lipschitz in
    l1. No other mechanism that knows E0 and E1 alone certifies more.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Standard deviation of the noise, in input units.

    Returns:
        l1 radii in input units, rounded down. 0 where ``E0 <= E1``; always finite.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Lee et al. 2019, arXiv:1906.04948; Yang et al. 2020, arXiv:2002.08118, the
        radius of uniform noise in Table 1; ``docs/mechanisms.md`` has the proof.

    Example:
        >>> lee([0.9, 0.4], [0.1, 0.4], sigma=0.5).round(4)
        array([0.6928, 0.    ])
    """
    return where_separated(
        _gap, e0_lower, e1_upper, sigma=sigma, relative_error=ROUNDING
    )


def _gap(e0: Points, e1: Points) -> Points:
    gap: Points = math.sqrt(3.0) * (e0 - e1)
    return gap
