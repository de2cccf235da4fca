"""The curves on which the best mechanism changes: by root search, not by pixels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int
from scipy.optimize import root

from simplicert.mechanisms.protocol import Mechanism
from simplicert.simplex.grid import TIE_TOLERANCE, SimplexGrid, winner_codes

HALVINGS = 32
"""Halvings of a lattice step: the curves' points are exact to 1e-9 of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Boundary:
    """A curve in the simplex on which two mechanisms are equal and beat all others.

    Attributes:
        first: Name of the mechanism that wins on one side.
        second: Name of the one that wins on the other.
        e0: Expectation of the top class at the curve's points, in order along it; a
            closed curve repeats its first point.
        e1: Expectation of the runner-up.
    """

    first: str
    second: str
    e0: Float64[np.ndarray, " points"]
    e1: Float64[np.ndarray, " points"]

    @property
    def e2(self) -> Float64[np.ndarray, " points"]:
        """What is left for all other classes together."""
        return np.asarray(1.0 - self.e0 - self.e1)


def boundaries(grid: SimplexGrid) -> list[Boundary]:
    """Every curve between the regions that two of the grid's mechanisms win.

    A curve crosses the lattice's edges where a bisection on the two radii themselves
    finds them equal, and ends at the triangle's side or where three radii are equal.
    The grid decides only which curves are seen: a region thinner than its step can be
    missed, and a curve stops within a step of the triangle's side.

    Example:
        >>> from simplicert.mechanisms import cohen, li
        >>> from simplicert.simplex import boundaries, simplex_grid
        >>> [curve] = boundaries(simplex_grid([cohen, li], resolution=20))
        >>> radii = [m(curve.e0, curve.e1, sigma=1.0) for m in (cohen, li)]
        >>> bool(np.allclose(*radii))
        True
    """
    points = np.stack([grid.e0, grid.e1], axis=-1)
    codes = winner_codes(list(grid.radii.values()))
    triangles = grid.triangles
    pairs = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]]).reshape(-1, 2)
    edges, sides = np.unique(pairs, axis=0, return_inverse=True)
    sides = sides.reshape(-1, 3)
    meetings = _meeting_points(grid, points[triangles], codes[triangles])

    curves = []
    for (a, first), (b, second) in combinations(enumerate(grid.radii), 2):
        crossed = np.flatnonzero((np.sort(codes[edges]) == (a, b)).all(axis=-1))
        ends = edges[crossed]
        # Each edge turned so that the first mechanism wins at its start.
        turned = np.where(codes[ends[:, :1]] == a, ends, ends[:, ::-1])
        best, found = _equal_radii(grid, first, second, points[turned])
        place = dict(zip(crossed[best].tolist(), found[best].tolist(), strict=True))
        two_crossed = np.isin(sides, crossed[best]).sum(axis=-1) == 2
        links = [
            [side for side in triangle if side in place]
            for triangle in sides[two_crossed].tolist()
        ]
        near = [at for names, at in meetings if {first, second} <= names]
        for chain in _chains(links):
            curve = np.array([place[edge] for edge in chain])
            e0, e1 = _joined(curve, near, within=3.0 / grid.resolution).T
            curves.append(Boundary(first=first, second=second, e0=e0, e1=e1))
    return curves


def boundary_table(curves: Sequence[Boundary]) -> pd.DataFrame:
    """One row a point, with the number of its curve and the names of its two sides."""
    columns = ["curve", "first", "second", "e0", "e1"]
    rows = [
        (number, curve.first, curve.second, e0, e1)
        for number, curve in enumerate(curves)
        for e0, e1 in zip(curve.e0, curve.e1, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)


def _equal_radii(
    grid: SimplexGrid,
    first: str,
    second: str,
    segments: Float64[np.ndarray, "segments 2 2"],
) -> tuple[Bool[np.ndarray, " segments"], Float64[np.ndarray, "segments 2"]]:
    """Where two radii cross on each segment, and whether they beat the others there."""
    one, other = grid.mechanisms[first], grid.mechanisms[second]
    start, stop = segments[:, 0], segments[:, 1]
    for _ in range(HALVINGS):
        middle = 0.5 * (start + stop)
        ahead = one(*middle.T, sigma=1.0) > other(*middle.T, sigma=1.0)
        start = np.where(ahead[:, None], middle, start)
        stop = np.where(ahead[:, None], stop, middle)
    radii = np.stack([m(*start.T, sigma=1.0) for m in grid.mechanisms.values()])
    best = one(*start.T, sigma=1.0) >= radii.max(axis=0) * (1.0 - TIE_TOLERANCE)
    return best, start


def _meeting_points(
    grid: SimplexGrid,
    triangles: Float64[np.ndarray, "triangles 3 2"],
    winners: Int[np.ndarray, "triangles 3"],
) -> list[tuple[set[str], Float64[np.ndarray, "2"]]]:
    """Where three radii are equal, from the triangles with three winners."""
    names = np.array([*grid.radii])
    different = (np.diff(np.sort(winners)) > 0).all(axis=-1)
    three = different & (winners < len(names)).all(axis=-1)
    meetings = []
    for corners, codes in zip(triangles[three], winners[three], strict=True):
        members = [grid.mechanisms[name] for name in names[codes]]
        found = _meeting_point(members, corners)
        if found is not None:
            meetings.append((set(names[codes]), found))
    return meetings


def _meeting_point(
    members: Sequence[Mechanism], corners: Float64[np.ndarray, "3 2"]
) -> Float64[np.ndarray, "2"] | None:
    """Where three radii are equal, within two steps of a triangle."""
    centre, size = corners.mean(axis=0), np.ptp(corners, axis=0).max()

    def gaps(steps: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "2"]:
        radii = [member(*(centre + size * steps), sigma=1.0) for member in members]
        return np.diff(np.array(radii))

    # Finite differences well above the solvers' error.
    solution = root(gaps, x0=np.zeros(2), options={"eps": 1e-4})
    if not solution.success or np.abs(solution.x).max() > 2.0:
        return None
    return np.asarray(centre + size * solution.x)


def _joined(
    curve: Float64[np.ndarray, "points 2"],
    meetings: Iterable[Float64[np.ndarray, "2"]],
    *,
    within: float,
) -> Float64[np.ndarray, "more 2"]:
    """The curve, its ends led on to the meeting points next to them."""
    for at in meetings:
        if np.abs(curve[0] - at).max() < within:
            curve = np.concatenate([at[None], curve])
        elif np.abs(curve[-1] - at).max() < within:
            curve = np.concatenate([curve, at[None]])
    return curve


def _chains(links: Iterable[list[int]]) -> list[list[int]]:
    """Join links that share a node into paths; a closed path repeats its first node.

    Example:
        >>> _chains([[4, 2], [1, 2], [7, 8], [8, 9], [9, 7]])
        [[1, 2, 4], [7, 8, 9, 7]]
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b in links:
        neighbours[a].add(b)
        neighbours[b].add(a)
    chains = []
    # Ends first: what is left after the open paths are the closed ones.
    for node in sorted(neighbours, key=lambda node: (len(neighbours[node]), node)):
        chain = [node]
        while neighbours[chain[-1]]:
            following = min(neighbours[chain[-1]])
            neighbours[chain[-1]].discard(following)
            neighbours[following].discard(chain[-1])
            chain.append(following)
        if len(chain) > 1:
            chains.append(chain)
    return chains
