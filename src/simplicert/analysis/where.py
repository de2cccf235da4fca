"""Where a data set lies on the simplex (the paper's Figures 5, 9 and 10)."""

from functools import cache

import numpy as np
import pandas as pd

from simplicert import paper
from simplicert.analysis.tables import largest_mechanism, largest_shares
from simplicert.certificates import Certificates
from simplicert.errors import InputError
from simplicert.mechanisms import BUILT_IN
from simplicert.simplex import Boundary, boundaries, simplex_grid

__all__ = ["region_boundaries", "region_shares", "simplex_density"]

EDGE = 1e-9
"""Of a cell: 0.29 is in the 29th of 100 cells, though 0.29 * 100 < 29."""

RESOLUTION = 150
"""Points a side of the grid that finds the regions."""


def simplex_density(
    certificates: Certificates, *, cells: int = 50, estimates: bool = False
) -> pd.DataFrame:
    """How many images lie in each cell of (E0, E1).

    At their bounds, which are what the mechanisms see and what the regions are drawn
    in; or at their estimates, which are where the classifier is.

    Args:
        certificates: One run's certificates.
        cells: Cells a unit of E0; E1 has cells of the same size.
        estimates: Use the estimates instead of the bounds.

    Returns:
        One row a cell that holds an image, by E0 and E1: ``e0_from``, ``e0_to``,
        ``e1_from``, ``e1_to``, ``images``, ``share``. Cells contain their lower edge.

    References:
        Cullen et al. 2024, Figures 5, 9 and 10.
    """
    if cells < 1:
        raise InputError(f"cells must be at least 1, got {cells}")
    e0 = certificates.e0 if estimates else certificates.e0_lower
    e1 = certificates.e1 if estimates else certificates.e1_upper
    frame = pd.DataFrame({"e0": _cell(e0, cells), "e1": _cell(e1, cells)})
    counted = frame.groupby(["e0", "e1"], sort=True).size().reset_index(name="images")
    return pd.DataFrame(
        {
            "e0_from": counted["e0"] / cells,
            "e0_to": (counted["e0"] + 1) / cells,
            "e1_from": counted["e1"] / cells,
            "e1_to": (counted["e1"] + 1) / cells,
            "images": counted["images"],
            "share": counted["images"] / max(len(certificates), 1),
        }
    )


def region_shares(certificates: Certificates) -> pd.DataFrame:
    """Share of images in the region of the simplex that each mechanism wins.

    Among the paper's mechanisms, at the images' bounds; a tie is split evenly.

    Returns:
        One row a mechanism, and ``"none"`` for images that none certifies: ``region``,
        ``share``; the shares sum to 1. No rows for certificates without any of the
        paper's mechanisms, such as a log's reported radii.
    """
    shares = largest_shares(certificates)
    if not shares:
        return pd.DataFrame({"region": [], "share": []})
    shares["none"] = float((largest_mechanism(certificates) == "").mean())
    return pd.DataFrame({"region": list(shares), "share": list(shares.values())})


def region_boundaries(certificates: Certificates) -> tuple[Boundary, ...]:
    """The curves between the regions that the paper's mechanisms win, for every sigma.

    Of those that apply to these certificates; none where fewer than two do. Takes
    seconds, once a process.
    """
    return _boundaries(
        tuple(name for name in paper.MECHANISMS if name in certificates.radii)
    )


@cache
def _boundaries(names: tuple[str, ...]) -> tuple[Boundary, ...]:
    if len(names) < 2:
        return ()
    named = [BUILT_IN[name] for name in names]
    return tuple(boundaries(simplex_grid(named, resolution=RESOLUTION)))


def _cell(values: np.ndarray, cells: int) -> np.ndarray:
    index: np.ndarray = np.floor(values * cells + EDGE).astype(np.int64)
    index[index == cells] = cells - 1  # 1 itself is in the last cell
    return index
