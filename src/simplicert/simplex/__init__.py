"""Mechanisms compared over the whole simplex: no data, no model, no drawing."""

from simplicert.simplex.boundaries import Boundary, boundaries, boundary_table
from simplicert.simplex.comparison import COMPARISONS, Compared, Comparison, compare
from simplicert.simplex.extremes import Extreme, largest, smallest
from simplicert.simplex.grid import SimplexGrid, simplex_grid
from simplicert.simplex.spread import Spread, against_spread

__all__ = [
    "COMPARISONS",
    "Boundary",
    "Compared",
    "Comparison",
    "Extreme",
    "SimplexGrid",
    "Spread",
    "against_spread",
    "boundaries",
    "boundary_table",
    "compare",
    "largest",
    "simplex_grid",
    "smallest",
]
