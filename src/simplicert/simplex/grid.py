"""Mechanisms evaluated over the part of the simplex that can be certified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int
from scipy.spatial import cKDTree

from simplicert.errors import InputError
from simplicert.mechanisms.catalogue import name_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.simplex.lattice import inner_lattice, lattice_triangles

__all__ = ["MAX_RESOLUTION", "SimplexGrid", "simplex_grid"]

MIN_RESOLUTION, MAX_RESOLUTION = 10, 1000
"""Fewer points show nothing; more show nothing new, and take minutes."""

TIE_TOLERANCE = 1e-9
"""Radii closer than this, relative, are a tie: a thousand times the solvers' error."""

TIE, NONE = "tie", "none"


@dataclass(frozen=True, kw_only=True, eq=False)
class SimplexGrid:
    """Radii in units of sigma at points that cover ``E0 > E1``, ``E0 + E1 < 1`` evenly.

    The points are strictly inside that triangle, whose area is 1/4, and each stands for
    the same share of it. So no value is on an edge, where a radius may be infinite or a
    ratio 0/0; what happens towards the edges is :func:`largest`'s business.

    Attributes:
        resolution: Points along each of the triangle's sides.
        e0: Expectation of the top class at each point.
        e1: Expectation of the runner-up.
        mechanisms: What was evaluated, by name.
        radii: Radius / sigma at each point, by mechanism.
    """

    resolution: int
    e0: Float64[np.ndarray, " points"]
    e1: Float64[np.ndarray, " points"]
    mechanisms: Mapping[str, Mechanism]
    radii: Mapping[str, Float64[np.ndarray, " points"]]

    @property
    def e2(self) -> Float64[np.ndarray, " points"]:
        """What is left for all other classes together."""
        return np.asarray(1.0 - self.e0 - self.e1)

    @property
    def triangles(self) -> Int[np.ndarray, "triangles 3"]:
        """Indices of the three corners of each triangle between the points."""
        return lattice_triangles(self.resolution)

    def winners(self) -> np.ndarray:
        """Name of the mechanism with the largest radius at each point.

        ``"tie"`` where the two largest differ by less than one part in 10⁹, and
        ``"none"`` where every radius is 0.
        """
        codes = winner_codes(list(self.radii.values()))
        return np.take([*self.radii, TIE, NONE], codes)

    def shares(self) -> dict[str, float]:
        """Share of the area of ``E0 > E1`` that each mechanism wins; they sum to 1."""
        winners = self.winners()
        names = [*self.radii, *({TIE, NONE} & set(winners))]
        return {name: float(np.mean(winners == name)) for name in names}

    def region_centres(self) -> dict[str, tuple[float, float, float]]:
        """For each winner, its point farthest from its region's rim, and how far.

        The room for a label: ``(e0, e1, distance)`` in the plane of E0 and E1.
        """
        points = np.stack([self.e0, self.e1], axis=-1)
        winners = self.winners()
        sides = np.stack([(self.e0 - self.e1) / 2**0.5, self.e1, self.e2 / 2**0.5])
        centres = {}
        for name in np.unique(winners):
            inside = winners == name
            room = sides.min(axis=0)[inside]
            if not inside.all():
                away, _ = cKDTree(points[~inside]).query(points[inside])
                room = np.minimum(room, away)
            e0, e1 = points[inside][np.argmax(room)]
            centres[str(name)] = (float(e0), float(e1), float(room.max()))
        return centres

    def table(self) -> pd.DataFrame:
        """One row a point: ``e0``, ``e1``, ``e2``, each radius / sigma, ``winner``."""
        columns = {"e0": self.e0, "e1": self.e1, "e2": self.e2}
        return pd.DataFrame({**columns, **self.radii, "winner": self.winners()})


def simplex_grid(mechanisms: Sequence[Mechanism], *, resolution: int) -> SimplexGrid:
    """Evaluate mechanisms over the simplex at sigma = 1.

    Args:
        mechanisms: Functions of ``(e0_lower, e1_upper, *, sigma)``.
        resolution: Points along each side of the triangle ``E0 > E1``, from 10 to
            1000; ``resolution * (resolution + 1) / 2`` points in all.

    Raises:
        InputError: If the resolution is out of range, or two mechanisms share a name.

    Example:
        >>> from simplicert.mechanisms import cohen, li
        >>> grid = simplex_grid([cohen, li], resolution=50)
        >>> grid.e0.size
        1275
    """
    if not MIN_RESOLUTION <= resolution <= MAX_RESOLUTION:
        raise InputError(
            f"resolution must be from {MIN_RESOLUTION} to {MAX_RESOLUTION} points a "
            f"side, got {resolution}"
        )
    # In the triangle's own barycentric coordinates: E0 - E1, 2 E1 and the rest.
    lead, twice_e1, _ = inner_lattice(resolution).T
    e1 = twice_e1 / 2.0
    e0 = lead + e1
    named = by_name(mechanisms)
    radii = {name: radius(e0, e1, sigma=1.0) for name, radius in named.items()}
    return SimplexGrid(
        resolution=resolution, e0=e0, e1=e1, mechanisms=named, radii=radii
    )


def by_name(mechanisms: Sequence[Mechanism]) -> dict[str, Mechanism]:
    """Mechanisms by name, in their order; the same one twice counts once."""
    named: dict[str, Mechanism] = {}
    for mechanism in mechanisms:
        name = name_of(mechanism)
        if named.setdefault(name, mechanism) is not mechanism:
            raise InputError(
                f"two mechanisms are both called {name!r}: "
                "set a different __name__ on one of them"
            )
    return named


def winner_codes(
    radii: Sequence[Float64[np.ndarray, " points"]],
) -> Int[np.ndarray, " points"]:
    """Index of the largest at each point: ``len(radii)`` a tie, one more for none."""
    stacked = np.stack(radii)
    best = stacked.max(axis=0)
    near = stacked >= best * (1.0 - TIE_TOLERANCE)
    tied = np.where(near.sum(axis=0) > 1, len(radii), stacked.argmax(axis=0))
    return np.where(best > 0.0, tied, len(radii) + 1)
