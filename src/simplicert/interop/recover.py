"""From a printed bound or radius back to the count that it was computed from."""

from decimal import Decimal, InvalidOperation

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

from simplicert.bounds import clopper_pearson_counts

__all__ = [
    "counts_from_bounds",
    "counts_from_radii",
    "largest_radius",
    "printed_units",
]

ROUNDING = 1e-9
"""Relative difference between two libraries' radii of one count; far below a vote's."""


def counts_from_radii(
    radius: Float[np.ndarray, " images"],
    unit: Float[np.ndarray, " images"],
    *,
    sigma: float,
    draws: int,
    alpha: float,
) -> tuple[Int[np.ndarray, " images"], Int[np.ndarray, " images"]]:
    """Fewest and most votes with which Cohen's procedure prints each radius.

    The radius is ``sigma * ndtri(lower bound at alpha)``, printed in multiples of
    ``unit``, rounded to nearest or down. Where no count gives it, the first of the two
    numbers is larger than the second.

    Args:
        radius: As printed, positive.
        unit: Of the last printed digit.
        sigma: Noise standard deviation.
        draws: Of the estimation, without those that chose the class.
        alpha: Failure probability.
    """
    lowest, highest = _printed_so(radius, unit)
    few = clopper_pearson_counts(
        np.maximum(ndtr(lowest / sigma), 0.5), trials=draws, alpha=alpha
    )
    most = clopper_pearson_counts(ndtr(highest / sigma), trials=draws, alpha=alpha)
    return few + 1, most


def counts_from_bounds(
    bound: Float[np.ndarray, " images"],
    unit: Float[np.ndarray, " images"],
    *,
    draws: int,
    alpha: float,
) -> tuple[Int[np.ndarray, " images"], Int[np.ndarray, " images"]]:
    """As ``counts_from_radii``, of Clopper-Pearson bounds as printed."""
    lowest, highest = (np.clip(each, 0.0, 1.0) for each in _printed_so(bound, unit))
    few = clopper_pearson_counts(lowest, trials=draws, alpha=alpha)
    return few + 1, clopper_pearson_counts(highest, trials=draws, alpha=alpha)


def _printed_so(
    number: Float[np.ndarray, " images"], unit: Float[np.ndarray, " images"]
) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, " images"]]:
    """Between which numbers those lie that are printed so, to nearest or down."""
    rounding = ROUNDING * number
    lowest = number - np.maximum(0.5 * unit, rounding)
    return lowest, number + np.maximum(unit, rounding)


def largest_radius(*, sigma: float, draws: int, alpha: float) -> float:
    """The radius when all draws agree: none that Cohen's procedure gives is larger."""
    # To the nearest float: what others printed is held against it, nothing claimed.
    return float(-sigma * ndtri(-np.expm1(np.log(alpha) / draws)))


def printed_units(printed: list[str]) -> Float[np.ndarray, " images"]:
    """The unit of the last digit to which each number was printed.

    Both ways of printing drop trailing zeros: to fixed decimals (``0.32`` beside
    ``1.239`` is 0.320) and to significant digits (as Python's ``.3`` does: ``0.48``
    beside ``1.02`` is 0.480). Of the units that the longest numbers show for the one
    and for the other, the coarser: the true one is never coarser than it says.

    Raises:
        ValueError: One is not a number.

    Example:
        >>> printed_units(["0.48", "1.02", "0.0426"])
        array([0.001 , 0.01  , 0.0001])
    """
    try:
        numbers = [Decimal(text) for text in printed]
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    decimals = min(int(number.as_tuple().exponent) for number in numbers)
    digits = max(len(number.as_tuple().digits) for number in numbers)
    exponents = [max(decimals, n.adjusted() - digits + 1) for n in numbers]
    with np.errstate(over="ignore"):  # an infinite unit leaves nothing of a number
        return 10.0 ** np.array(exponents, dtype=np.float64)
