"""The largest value of a quantity over the simplex, refined beyond the grid."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from simplicert.errors import InputError
from simplicert.simplex.lattice import full_lattice

Quantity = Callable[
    [Float64[np.ndarray, " points"], Float64[np.ndarray, " points"]],
    Float64[np.ndarray, " points"],
]

START, ZOOM = 64, 12
"""Points a side of the first lattice, over the whole region, and of the later ones,
whose middle is the best point so far: 12 is a multiple of 3."""

EDGE = 1e-9
"""A barycentric coordinate below this is on the edge."""

ZOOMS = 32
"""Halvings of the lattice around the best point: it is placed to within 1e-10."""


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """The largest value of a quantity over the simplex up to a margin, and where.

    Attributes:
        value: The largest value.
        e0: Where it is: expectation of the top class.
        e1: Expectation of the runner-up.
        margin: The search covered ``E0 - E1 >= margin``, ``E1 >= margin`` and
            ``E0 + E1 <= 1``.
        edges: Which of these three hold with equality there. On an edge that the
            margin makes, a smaller margin gives a larger value.
    """

    value: float
    e0: float
    e1: float
    margin: float
    edges: tuple[str, ...]

    def __str__(self) -> str:
        edges = f", on the edge {' and '.join(self.edges)}" if self.edges else ""
        return (
            f"{self.value:.4f} at E0 = {self.e0:.6g}, E1 = {self.e1:.6g}"
            f" (margin {self.margin:g}{edges})"
        )


def largest(quantity: Quantity, *, margin: float) -> Extreme:
    """The largest value over ``E0 - E1 >= margin``, ``E1 >= margin``, ``E0 + E1 <= 1``.

    Radii vanish where ``E0 = E1`` and may be infinite where ``E1 = 0``, and a ratio of
    two may grow without bound towards either; so a largest value exists only up to a
    margin, and belongs to it.

    Args:
        quantity: Function of arrays ``(e0, e1)``. NaN counts as no value.
        margin: Distance kept from both, above 0 and below 1/3.

    Raises:
        InputError: If the margin leaves no region, or the quantity has no value in it.

    Example:
        >>> from simplicert.mechanisms import cullen, lecuyer
        >>> def ratio(e0, e1):
        ...     return cullen(e0, e1, sigma=1.0) / lecuyer(e0, e1, sigma=1.0)
        >>> [round(largest(ratio, margin=m).value, 2) for m in (0.1, 0.01, 0.001)]
        [4.59, 5.44, 6.13]
    """
    if not 0.0 < margin < 1.0 / 3.0:
        raise InputError(
            f"margin must be above 0 and below 1/3, got {margin!r}: "
            "it keeps the search away from E0 = E1 and from E1 = 0"
        )
    weights = full_lattice(START)
    window, step = full_lattice(ZOOM) - 1.0 / 3.0, 8.0 / START
    for _ in range(ZOOMS):
        e0, e1 = _coordinates(weights, margin)
        values = quantity(e0, e1)
        if np.isnan(values).all():
            raise InputError(
                f"the quantity is not a number anywhere at margin {margin}"
            )
        best = np.nanargmax(values)
        centre = weights[best]
        found = Extreme(
            value=float(values[best]),
            e0=float(e0[best]),
            e1=float(e1[best]),
            margin=margin,
            edges=_edges(centre),
        )
        weights = np.maximum(centre + step * window, 0.0)
        weights /= weights.sum(axis=-1, keepdims=True)
        step /= 2.0
    return found


def smallest(quantity: Quantity, *, margin: float) -> Extreme:
    """The smallest value over the same region as :func:`largest`."""
    found = largest(lambda e0, e1: -quantity(e0, e1), margin=margin)
    return replace(found, value=-found.value)


def _coordinates(
    weights: Float64[np.ndarray, "points 3"], margin: float
) -> tuple[Float64[np.ndarray, " points"], Float64[np.ndarray, " points"]]:
    """``(E0, E1)`` from shares of what the margins leave of E0 - E1, 2 E1 and E2."""
    room = 1.0 - 3.0 * margin
    e1 = margin + room * weights[:, 1] / 2.0
    return e1 + margin + room * weights[:, 0], e1


def _edges(weights: Float64[np.ndarray, "3"]) -> tuple[str, ...]:
    """The edges that a point lies on."""
    names = ("E0 - E1 = margin", "E1 = margin", "E0 + E1 = 1")
    return tuple(
        name for name, share in zip(names, weights, strict=True) if share < EDGE
    )
