"""Two mechanisms against each other over the whole simplex, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float64

from simplicert import mechanisms
from simplicert.mechanisms.catalogue import best_of, name_of
from simplicert.mechanisms.protocol import Mechanism, common_proof
from simplicert.simplex.bands import Bands, cut_into_bands
from simplicert.simplex.boundaries import Boundary, boundaries
from simplicert.simplex.extremes import Extreme, largest, smallest
from simplicert.simplex.grid import SimplexGrid, simplex_grid

Points = Float64[np.ndarray, " points"]

MARGINS = (0.01, 0.001, 0.0001)
"""Three by default, so that a largest value that only the margin makes is seen."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A question to the simplex: the ratio or difference of two mechanisms' radii.

    Attributes:
        kind: ``"ratio"`` for first / second, ``"difference"`` for first - second.
        first: A mechanism.
        second: Another.
        contenders: The mechanisms whose winning regions are mapped.
    """

    kind: Literal["ratio", "difference"]
    first: Mechanism
    second: Mechanism
    contenders: tuple[Mechanism, ...]

    def __post_init__(self) -> None:
        # Radii of other noises or norms are no lengths of one kind.
        common_proof((self.first, self.second, *self.contenders))

    @property
    def label(self) -> str:
        """The compared quantity in words, such as ``cullen / lecuyer``."""
        sign = {"ratio": "/", "difference": "-"}[self.kind]
        return f"{name_of(self.first)} {sign} {name_of(self.second)}"

    @property
    def unit(self) -> str:
        """What one unit of the quantity is."""
        return {"ratio": "ratio of radii", "difference": "radius / sigma"}[self.kind]

    @property
    def neutral(self) -> float:
        """The value where both are equal."""
        return {"ratio": 1.0, "difference": 0.0}[self.kind]

    def quantity(self, e0: Points, e1: Points) -> Points:
        """The compared quantity at sigma = 1: a number, or radii in units of sigma."""
        first = self.first(e0, e1, sigma=1.0)
        second = self.second(e0, e1, sigma=1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            compared = first / second if self.kind == "ratio" else first - second
        return np.asarray(compared)


_PAPERS = (mechanisms.lecuyer, mechanisms.li, mechanisms.cohen, mechanisms.cullen)

COMPARISONS: Mapping[str, Comparison] = MappingProxyType(
    {
        "fig2": Comparison(
            kind="difference",
            first=mechanisms.cohen,
            second=mechanisms.li,
            contenders=(mechanisms.cohen, mechanisms.li),
        ),
        "fig3-softmax": Comparison(
            kind="ratio",
            first=mechanisms.cullen,
            second=mechanisms.lecuyer,
            contenders=(mechanisms.cullen, mechanisms.lecuyer),
        ),
        "fig3-multinomial": Comparison(
            kind="ratio",
            first=mechanisms.cullen,
            second=best_of(_PAPERS[:3]),
            contenders=_PAPERS,
        ),
        "np-over-ensemble": Comparison(
            kind="ratio",
            first=mechanisms.neyman_pearson,
            second=mechanisms.ensemble,
            contenders=(mechanisms.cohen, mechanisms.li, mechanisms.cullen),
        ),
    }
)
"""The paper's Fig. 2 and 3, and the one that it lacks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The answer: a comparison evaluated over the simplex. What a figure draws.

    Attributes:
        comparison: The question.
        grid: The points, with every mechanism's radii, in units of sigma.
        values: The compared ratio or difference at each point.
        shares: Share of the area of ``E0 > E1`` that each contender wins.
        boundaries: The curves between the regions that the contenders win.
        largest: The largest value of the comparison, up to each margin.
        smallest: The smallest.
    """

    comparison: Comparison
    grid: SimplexGrid
    values: Points
    shares: Mapping[str, float]
    boundaries: Sequence[Boundary]
    largest: Sequence[Extreme]
    smallest: Sequence[Extreme]

    @property
    def bands(self) -> Bands:
        """The values cut into bands at round levels, for drawing."""
        reach = 8.0 if self.comparison.kind == "ratio" else np.inf
        neutral = self.comparison.neutral
        return cut_into_bands(self.values, neutral=neutral, reach=reach)

    def table(self) -> pd.DataFrame:
        """One row a grid point: the coordinates, the value, the contenders' radii."""
        return self.grid.table().assign(value=self.values)

    def describe(self) -> str:
        """The numbers in words, a line each."""
        shares = sorted(self.shares.items(), key=lambda item: -item[1])
        return "\n".join(
            [
                self.comparison.label,
                *(f"  largest   {extreme}" for extreme in self.largest),
                *(f"  smallest  {extreme}" for extreme in self.smallest),
                "  share of the area of E0 > E1: "
                + ", ".join(f"{name} {share:.2%}" for name, share in shares),
            ]
        )

    def summary(self) -> dict[str, Any]:
        """The numbers, ready for JSON, which has no infinity: ``"inf"`` is a text."""
        return {
            "quantity": self.comparison.label,
            "unit": self.comparison.unit,
            "region": "E0 > E1, E0 + E1 < 1 (area 1/4)",
            "resolution": self.grid.resolution,
            "area_shares": dict(self.shares),
            "largest": [_plain(extreme) for extreme in self.largest],
            "smallest": [_plain(extreme) for extreme in self.smallest],
        }


def compare(
    comparison: Comparison, *, resolution: int, margins: Sequence[float] = MARGINS
) -> Compared:
    """Evaluate a comparison over the whole simplex.

    Args:
        comparison: One of ``COMPARISONS``, or your own.
        resolution: Points along each side of the triangle ``E0 > E1``.
        margins: Distances kept from ``E0 = E1`` and from ``E1 = 0`` in the search for
            the extremes; see :func:`largest`.

    Raises:
        InputError: If the resolution or a margin is out of range.

    Example:
        >>> found = compare(COMPARISONS["fig2"], resolution=100, margins=[0.01])
        >>> {name: round(share, 3) for name, share in found.shares.items()}
        {'cohen': 0.102, 'li': 0.898}
        >>> print(found.smallest[0])
        -0.9589 at E0 = 0.5, E1 = 0.01 (margin 0.01, on the edge E1 = margin)
    """
    grid = simplex_grid(comparison.contenders, resolution=resolution)
    return Compared(
        comparison=comparison,
        grid=grid,
        values=comparison.quantity(grid.e0, grid.e1),
        shares=grid.shares(),
        boundaries=boundaries(grid),
        largest=[largest(comparison.quantity, margin=m) for m in margins],
        smallest=[smallest(comparison.quantity, margin=m) for m in margins],
    )


def _plain(extreme: Extreme) -> dict[str, Any]:
    fields = asdict(extreme)
    if np.isinf(extreme.value):
        fields["value"] = str(extreme.value)
    return fields
