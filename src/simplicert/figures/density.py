"""How many images lie where on the simplex: the paper's Figures 5, 9 and 10."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from simplicert import analysis
from simplicert.figures.images import BOUNDS, simplex_frame
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure
from simplicert.figures.simplex import draw_boundaries
from simplicert.simplex import Boundary

__all__ = ["density", "draw_density_on_simplex"]


def draw_density_on_simplex(
    density: pd.DataFrame,
    ax: Axes,
    *,
    boundaries: Iterable[Boundary] = (),
    regions: pd.DataFrame | None = None,
    estimates: bool = False,
) -> None:
    """Draw how many images lie where, darker for more, on a logarithmic scale.

    Args:
        density: What ``analysis.simplex_density`` returned.
        ax: Ordinary axes, with the colour bar where E0 + E1 > 1, and so nothing else.
        boundaries: Curves between regions, as ``analysis.region_boundaries`` gives.
        regions: What ``analysis.region_shares`` returned, to stand above.
        estimates: Whether the density is that of the estimates, not of the bounds.
    """
    cell = float((density["e0_to"] - density["e0_from"]).iloc[0])
    count = np.zeros((round(1 / cell), round(1 / cell)))
    column = (density["e0_from"] / cell).round().astype(int)
    row = (density["e1_from"] / cell).round().astype(int)
    count[row, column] = density["images"]
    edges = np.linspace(0, 1, len(count) + 1)
    mesh = ax.pcolormesh(
        edges,
        edges,
        np.ma.masked_equal(count, 0),
        cmap="cividis_r",
        norm=LogNorm(vmin=1, vmax=max(float(count.max()), 10.0)),
        linewidth=0,
        rasterized=True,
    )
    if estimates:
        simplex_frame(ax, "E0, estimate", "E1, estimate")
    else:
        simplex_frame(ax, *BOUNDS)
    draw_boundaries(boundaries, ax)
    if regions is not None and len(regions):
        shown = regions[regions["share"] > 0]
        texts = [f"{row.region} {row.share:.1%}" for row in shown.itertuples()]
        legend_above(ax, texts=texts)
    figure = ax.get_figure()
    if figure is not None:
        free = ax.inset_axes((0.72, 0.88, 0.24, 0.05))
        figure.colorbar(
            mesh, cax=free, label="how many a cell", orientation="horizontal"
        )


density = Figure(
    name="fig5-density",
    table=lambda view: (
        analysis.simplex_density(view.certificates),
        view.boundaries,
        analysis.region_shares(view.certificates),
    ),
    draw=lambda found, ax: draw_density_on_simplex(
        found[0], ax, boundaries=found[1], regions=found[2]
    ),
)
