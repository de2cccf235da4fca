"""Fewer digits without claiming more: what is printed never exceeds what is known."""

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["round_down", "significant"]


def round_down(values: ArrayLike, digits: int) -> np.ndarray:
    """The largest numbers of ``digits`` decimal places that are not above ``values``.

    ``np.floor(x * 10**digits) / 10**digits`` is not that: ``0.29 * 100`` is a little
    below 29, so it would print 0.28 for 0.29. Here a number that already has so few
    digits is returned unchanged.

    Args:
        values: Numbers of any shape; NaN and infinities pass through.
        digits: Decimal places to keep.

    Returns:
        Floats at most ``values``, of the same shape.

    Example:
        >>> round_down([0.29, 0.2999, 1.9057], 2)
        array([0.29, 0.29, 1.9 ])
    """
    exact = np.asarray(values, dtype=np.float64)
    scale = 10.0**digits
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.floor(exact * scale)
        # The product may have been rounded across an integer in either direction.
        steps = np.where((steps + 1) / scale <= exact, steps + 1, steps)
        steps = np.where(steps / scale > exact, steps - 1, steps)
        rounded = steps / scale
    # Beyond 2**52 / scale a float has no more digits than that to lose.
    return np.where(np.abs(exact) < 2.0**52 / scale, rounded, exact)


def significant(value: float, digits: int = 4) -> float:
    """The same of so many significant digits.

    Example:
        >>> significant(0.00123459), significant(123.456)
        (0.001234, 123.4)
    """
    if not (math.isfinite(value) and value):
        return value
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return float(round_down(value, max(places, 0)))
