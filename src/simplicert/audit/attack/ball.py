"""Certified balls: how far a point is from the centre, and points that stay inside."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from simplicert.units import PIXELS, Unit

__all__ = ["ORDERS", "SHRINK", "Balls", "distance", "project"]

ORDERS = {"l1": 1, "l2": 2, "linf": np.inf}
"""Of each norm."""

SHRINK = 1.0 - 2.0**-20
"""How far inside a point is aimed, for the roundings to float32 that follow."""


def distance(
    points: Float[np.ndarray, "points ..."],
    centres: Float[np.ndarray, "points ..."],
    norm: str,
) -> Float[np.ndarray, " points"]:
    """How far apart float32 points are at most: in float64, and rounded up.

    A difference, a square and a sum of ``d`` terms err by at most ``d + 4`` units of
    ``2**-53``; twice that is added.
    """
    flat = np.subtract(points, centres, dtype=np.float64).reshape(len(points), -1)
    apart = np.linalg.norm(flat, ord=ORDERS[norm], axis=1)
    return np.asarray(apart * (1.0 + (flat.shape[1] + 4) * 2.0**-52))


def project(
    moves: Float[np.ndarray, "points ..."],
    reach: Float[np.ndarray, " points"],
    norm: str,
) -> Float[np.ndarray, "points ..."]:
    """The nearest moves no longer than ``reach``, one an entry, to rounding.

    References:
        Duchi et al., ICML 2008, figure 1, for l1.

    Example:
        >>> project(np.array([[3.0, 1.0]]), np.array([2.0]), "l1")
        array([[2., 0.]])
    """
    flat = moves.reshape(len(moves), -1).astype(np.float64)
    most = reach[:, None]
    if norm == "linf":
        flat = np.clip(flat, -most, most)
    elif norm == "l2":
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        flat *= np.minimum(1.0, most / np.maximum(length, 1e-300))
    else:
        sizes = np.abs(flat)
        ordered = -np.sort(-sizes, axis=1)
        excess = (np.cumsum(ordered, axis=1) - most) / np.arange(1, flat.shape[1] + 1)
        last = (ordered > excess).sum(axis=1) - 1
        cut = np.maximum(np.take_along_axis(excess, last[:, None], axis=1), 0.0)
        flat = np.sign(flat) * np.maximum(sizes - cut, 0.0)
    return flat.reshape(moves.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Balls:
    """Balls of inputs in which one class is claimed.

    Attributes:
        rows: Of the certificates.
        centres: The inputs, in their unit.
        reach: How far is searched: the certified radius, or a multiple.
        norm: In which it is measured.
        held: The class that is claimed.
        unit: What the inputs are numbers of: none is out of its range.
    """

    rows: Int[np.ndarray, " balls"]
    centres: Float[np.ndarray, "balls ..."]
    reach: Float[np.ndarray, " balls"]
    norm: str
    held: Int[np.ndarray, " balls"]
    unit: Unit = PIXELS

    def __post_init__(self) -> None:
        # A view, so that no attack moves a centre, from which all is measured.
        centres = self.centres.view()
        centres.flags.writeable = False
        object.__setattr__(self, "centres", centres)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> "Balls":
        return Balls(
            rows=self.rows[index],
            centres=self.centres[index],
            reach=self.reach[index],
            norm=self.norm,
            held=self.held[index],
            unit=self.unit,
        )

    def contain(
        self, points: Float32[np.ndarray, "balls ..."]
    ) -> Bool[np.ndarray, " balls"]:
        """Whether each point is certainly in its open ball, and an input."""
        near = distance(points, self.centres, self.norm) < self.reach
        return np.asarray(self.unit.contains(points) & near)

    def inside(
        self, points: Float[np.ndarray, "balls ..."]
    ) -> Float32[np.ndarray, "balls ..."]:
        """One point a ball, as it is where it is inside, else moved until it is.

        Clipping to the range, where the centres are, brings no point farther from one.
        """
        low, high = self.unit.low, self.unit.high
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            found = np.nan_to_num(points.astype(np.float32), nan=0.5)
        outside = ~self.contain(found)
        reach = self.reach
        for _ in range(4):  # each time farther inside: float32 may round outwards
            if not outside.any():
                return found
            reach = reach * SHRINK
            centres = self.centres[outside].astype(np.float64)
            clipped = np.clip(found[outside], low, high) - centres
            moved = centres + project(clipped, reach[outside], self.norm)
            found[outside] = np.clip(moved, low, high).astype(np.float32)
            outside = ~self.contain(found)
            reach = reach * (1.0 - 1e-3)
        found[outside] = self.centres[outside]  # a ball smaller than a unit of float32
        return found
