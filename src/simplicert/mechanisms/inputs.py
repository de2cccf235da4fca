"""The one check of what every mechanism is given."""

from numbers import Real

import numpy as np
from jaxtyping import Float64

from simplicert.errors import InputError


def checked_probabilities(
    values: object, *, argument: str
) -> Float64[np.ndarray, "..."]:
    """``values`` as float64, every one of them in [0, 1].

    Raises:
        InputError: Not real numbers, or a value that is NaN or outside [0, 1].

    Example:
        >>> checked_probabilities([0.25, 1], argument="e0_lower")
        array([0.25, 1.  ])
    """
    try:
        array = np.asarray(values)
    except ValueError as ragged:
        raise InputError(f"{argument} must be a regular array: {ragged}") from ragged
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{argument} must hold real numbers in [0, 1], got {array.dtype} values"
        )
    array = array.astype(np.float64, copy=False)
    inside = (array >= 0.0) & (array <= 1.0)  # False for NaN
    if not inside.all():
        raise InputError(
            f"{argument} must lie in [0, 1], got {array[~inside].flat[0]!s}"
        )
    return array


def checked_sigma(sigma: object) -> float:
    """``sigma`` as a float, positive and finite.

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_sigma(1)
        1.0
    """
    if isinstance(sigma, Real) and not isinstance(sigma, bool):
        value = float(sigma)
        if 0.0 < value < np.inf:
            return value
    raise InputError(f"sigma must be a positive, finite number, got {sigma!r}")
