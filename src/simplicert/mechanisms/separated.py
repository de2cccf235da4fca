"""The laws that all mechanisms share, in one place.

A mechanism's own file then holds its mathematics alone, on the problem that is left:
one-dimensional arrays of points with ``e0 > e1`` and ``e0 + e1 <= 1``, at sigma = 1.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert.arguments import checked_probabilities, checked_sigma
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Radii

Points: TypeAlias = Float64[np.ndarray, " points"]

CHUNK = 8192
"""Points solved together: the dozen temporaries of a solver then stay in the cache."""

NEGLIGIBLE = 2.0**-900
"""An E0 below it certifies nothing, so that no difference E0 - E1 is subnormal."""


def where_separated(
    solve: Callable[[Points, Points], Points],
    e0_lower: ArrayLike,
    e1_upper: ArrayLike,
    *,
    sigma: float,
    relative_error: float,
) -> Radii:
    """``sigma * solve(e0, e1)`` where the bounds separate the classes, 0 elsewhere.

    Args:
        solve: Radius at sigma = 1, for points with ``e0 > e1`` and ``e0 + e1 <= 1``.
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.
        relative_error: How far ``solve`` may be above the truth, relatively. Radii are
            lowered by it, so that none exceeds the true one.

    Returns:
        Radii in input units, of the broadcast shape.

    Raises:
        InputError: An argument outside its range, or shapes that do not broadcast.
    """
    e0_lower = checked_probabilities(e0_lower, argument="e0_lower")
    e1_upper = checked_probabilities(e1_upper, argument="e1_upper")
    sigma = checked_sigma(sigma)
    try:
        np.broadcast_shapes(e0_lower.shape, e1_upper.shape)
    except ValueError:
        raise InputError(
            "e0_lower and e1_upper must broadcast together, "
            f"got shapes {e0_lower.shape} and {e1_upper.shape}"
        ) from None
    chunks = np.nditer(
        [e0_lower, e1_upper, None],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly"], ["readonly"], ["writeonly", "allocate"]],
        op_dtypes=[np.float64] * 3,
        buffersize=CHUNK,
    )
    with chunks:
        for e0, stated, radius in chunks:
            # The classes sum to 1. Exact in floats where it matters, which is e0 > 1/2.
            e1 = np.minimum(stated, 1.0 - e0)
            separated = e0 > np.maximum(e1, NEGLIGIBLE)
            unit_radius = solve(e0[separated], e1[separated])
            radius[...] = 0.0
            radius[separated] = scaled(unit_radius * (1.0 - relative_error), sigma)
        radii: Radii = chunks.operands[2]
    return radii


def scaled(unit_radius: Points, sigma: float) -> Points:
    """``sigma * unit_radius``, on the safe side of a product that leaves the floats."""
    with np.errstate(over="ignore"):
        radius = sigma * unit_radius
    limits = np.finfo(np.float64)
    radius[radius < limits.tiny] = 0.0  # a subnormal may have been rounded up
    radius[np.isinf(radius) & np.isfinite(unit_radius)] = limits.max
    return radius
