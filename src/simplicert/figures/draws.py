"""What draws buy: the paper's Figure 6a."""

from typing import Literal

import pandas as pd
from matplotlib.axes import Axes

from simplicert import analysis
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure
from simplicert.figures.style import mechanism_styles

__all__ = ["draw_against_draws", "draws"]

LABELS = {
    "above_0.05": "share with a radius > 0.05",
    "median_radius": "median radius",
}


def draw_against_draws(
    table: pd.DataFrame,
    ax: Axes,
    *,
    quantity: Literal["above_0.05", "median_radius"] = "above_0.05",
) -> None:
    """Draw what each mechanism reaches with each number of draws (Fig. 6a).

    Args:
        table: What ``analysis.against_draws`` returned.
        ax: Ordinary axes.
        quantity: The column to draw.
    """
    for name, style in mechanism_styles(table["mechanism"]).items():
        rows = table[table["mechanism"] == name]
        ax.plot(rows["draws"], rows[quantity], marker=".", label=name, **style)
    ax.set_xscale("log")
    ax.set_xlabel("draws each")
    ax.set_ylabel(LABELS[quantity])
    ax.set_ylim(0, None if quantity == "median_radius" else 1.02)
    ax.grid(visible=True)
    legend_above(ax)


draws = Figure(
    name="fig6a-draws",
    table=lambda view: view.by_draws and analysis.against_draws(view.by_draws),
    draw=draw_against_draws,
)
