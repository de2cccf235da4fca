"""Mechanisms compared over the whole simplex: no data, no model, no drawing."""

from simplicert.simplex.boundaries import Boundary, boundaries, boundary_table
from simplicert.simplex.comparison import COMPARISONS, Compared, Comparison, compare
from simplicert.simplex.extremes import Extreme, largest, smallest
from simplicert.simplex.grid import SimplexGrid, simplex_grid

__all__ = [
    "COMPARISONS",
    "Boundary",
    "Compared",
    "Comparison",
    "Extreme",
    "SimplexGrid",
    "boundaries",
    "boundary_table",
    "compare",
    "largest",
    "simplex_grid",
    "smallest",
]
