"""The Neyman-Pearson certificate of Cohen, Rosenfeld and Kolter (ICML 2019)."""

from numpy.typing import ArrayLike

from simplicert.mechanisms.protocol import Radii, proves
from simplicert.mechanisms.separated import Points, where_separated
from simplicert.mechanisms.solvers.quantiles import quantile_gap
from simplicert.noises import gaussian

SAFETY = 2.0**-42
"""Share of the radius given up, so that float64 confirms it: 2e-13 of it."""


@proves(noise=gaussian, tight=True)
def neyman_pearson(e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float) -> Radii:
    """Largest l2 radius at which class 0 still beats every other class.

    ``R = sigma / 2 * (ndtri(E0) - ndtri(E1))``. For hard votes it is the tight radius:
    no other mechanism that knows E0 and E1 alone certifies more.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.

    Returns:
        Radii in input units, rounded down. 0 where ``E0 <= E1``, infinite where
        ``E0 = 1`` or ``E1 = 0``; never negative or NaN.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.

    References:
        Cohen et al. 2019, arXiv:1902.02918, Theorem 1, eq. (3). For scores in [0, 1]:
        Salman et al. 2019, arXiv:1906.04584, Lemma 2.

    Example:
        >>> neyman_pearson([0.9, 0.4], [0.1, 0.4], sigma=0.5).round(3)
        array([0.641, 0.   ])
    """
    return where_separated(
        half_gap, e0_lower, e1_upper, sigma=sigma, relative_error=SAFETY
    )


def half_gap(e0: Points, e1: Points) -> Points:
    """Half the distance between the normal quantiles of the two expectations."""
    gap, _, _ = quantile_gap(e0, e1, width=e0 - e1)
    return 0.5 * gap
