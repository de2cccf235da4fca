"""Where the draws of a run went that stopped its images at looks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simplicert import analysis
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure

__all__ = ["draw_stops", "stops"]

WIDTH = 0.4
"""Of a bar; between two looks there is 1."""


def draw_stops(table: pd.DataFrame, ax: Axes) -> None:
    """Draw the share of images that stop at each look, and that of the draws.

    Args:
        table: What ``analysis.stops`` returned.
        ax: Ordinary axes.
    """
    at = np.arange(len(table))
    bars = {"images": ("#0072B2", -0.5, ""), "spent": ("#E69F00", 0.5, "///")}
    for column, (colour, side, hatch) in bars.items():
        share = table[column] / max(table[column].sum(), 1)
        label = "share of the inputs" if column == "images" else "share of the draws"
        ax.bar(
            at + side * WIDTH,
            share,
            WIDTH,
            label=label,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.3,
        )
    ax.set_xticks(at, [f"{draws:,}" for draws in table["draws"]], rotation=90)
    ax.set_xlabel("draws of those that stop")
    ax.set_ylabel("share")
    ax.grid(visible=True, axis="y")
    ax.set_axisbelow(True)
    legend_above(ax)


stops = Figure(
    name="looks",
    table=lambda view: (
        analysis.stops(view.certificates) if view.certificates.stops_early else None
    ),
    draw=draw_stops,
)
