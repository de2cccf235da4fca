"""The certificate of Cohen, Rosenfeld and Kolter (ICML 2019), as commonly used."""

import numpy as np
from numpy.typing import ArrayLike

from simplicert.mechanisms.neyman_pearson import SAFETY, half_gap
from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.noises import gaussian


@proves(noise=gaussian)
def cohen(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Radius at which class 0 keeps more than half of all the mass.

    ``R = sigma * ndtri(E0)`` where ``E0 > 1/2``: the Neyman-Pearson radius of a runner-
    up that holds all the rest, ``E1 = 1 - E0``. What is known of E1 is not used.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1]. Only decides
            whether the classes are separated.
        sigma: Noise standard deviation, in input units.

    Returns:
        Radii in input units, rounded down. 0 where ``E0 <= 1/2``, infinite where
        ``E0 = 1``; never negative or NaN.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Cohen et al. 2019, arXiv:1902.02918, Section 3.2.2; Cullen et al. 2024, eq. (9).

    Example:
        >>> cohen([0.9, 0.4], [0.1, 0.1], sigma=0.5).round(3)
        array([0.641, 0.   ])
    """
    return where_separated(
        _against_all_the_rest, e0_lower, e1_upper, sigma=sigma, relative_error=SAFETY
    )


def _against_all_the_rest(e0: Points, _: Points) -> Points:
    majority = e0 > 0.5
    radius = np.zeros_like(e0)
    radius[majority] = half_gap(e0[majority], 1.0 - e0[majority])
    return radius
