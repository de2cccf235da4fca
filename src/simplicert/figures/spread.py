"""Why means lose: radii of the same two means, as scores are spread ever less."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simplicert.figures.style import COLUMN_CM, new_figure
from simplicert.simplex import Spread

__all__ = ["draw_distribution", "draw_spread", "spread_figure"]

HEIGHT_CM = 8.6
BLUE, VERMILION = "#0072B2", "#D55E00"
"""Of what margins certify, and of what means do."""

CURVES = {
    "margins_limit": ("margins, in the limit", BLUE, "solid"),
    "margins": ("margins", BLUE, (0, (4, 1.2))),
    "means_limit": ("means, in the limit", VERMILION, "solid"),
    "empirical_bernstein": ("means, Bernstein", VERMILION, (0, (4, 1.2))),
    "hoeffding": ("means, Hoeffding", VERMILION, (0, (1, 1))),
}

HIGHEST = 3.5
"""Times what means certify: the limit of margins leaves any frame."""


def spread_figure(found: Spread) -> Figure:
    """How the margin is distributed at some spreads, above the radii at all of them.

    Args:
        found: What :func:`simplicert.simplex.against_spread` returned.
    """
    figure = new_figure(width_cm=COLUMN_CM, height_cm=HEIGHT_CM)
    shapes = list(found.margins.groupby("spread", sort=False))
    grid = figure.add_gridspec(2, len(shapes), height_ratios=(1, 3.2))
    for place, (spread, shape) in enumerate(shapes):
        ax = figure.add_subplot(grid[0, place])
        draw_distribution(shape, ax, mean=found.e0 - found.e1)
        name = "hard votes" if spread == 1.0 else f"spread {spread:g}"
        ax.set_title(name, fontsize=7, pad=3)
        if place == len(shapes) // 2:
            said = f"margin in a draw (dashed: its mean, {found.e0 - found.e1:.2g})"
            ax.set_xlabel(said, fontsize=7, labelpad=2)
    draw_spread(found, figure.add_subplot(grid[1, :]))
    return figure


def draw_spread(found: Spread, ax: Axes) -> None:
    """Draw the radii of every way to certify against the spread onto ``ax``."""
    table = found.table
    for column, (label, colour, dashes) in CURVES.items():
        limit = column.endswith("limit")
        ax.plot(
            table["spread"],
            table[column],
            label=label if limit else f"{label}, {found.draws:,} draws",
            color=colour,
            linestyle=dashes,
        )
    ax.set_xlim(1.0, 0.0)
    ax.set_ylim(0.0, HIGHEST * float(table["means_limit"].iloc[0]))
    shown = table[table["spread"].isin(found.margins["spread"])]
    ax.plot(
        shown["spread"],
        shown["margins_limit"],
        color=CURVES["margins_limit"][1],
        marker="o",
        markersize=3.5,
        linestyle="none",
        clip_on=False,
    )
    ax.set_xlabel("spread: 1 hard votes, 0 scores that never vary")
    ax.set_ylabel("certified radius / σ")
    ax.grid(visible=True)
    ax.legend(loc="upper left", frameon=True, framealpha=1.0, edgecolor="none")


def draw_distribution(shape: pd.DataFrame, ax: Axes, *, mean: float) -> None:
    """Draw how a margin is distributed onto small axes, with 0 and its mean.

    Args:
        shape: ``margin_from``, ``margin_to`` and ``share`` of each bin.
        ax: Ordinary axes.
        mean: The dashed line.
    """
    ax.bar(
        shape["margin_from"],
        shape["share"],
        width=shape["margin_to"] - shape["margin_from"],
        align="edge",
        color="#56B4E9",
        linewidth=0,
    )
    ax.axvline(0.0, color="0.3", linewidth=0.6)
    ax.axvline(mean, color="black", linewidth=0.8, linestyle=(0, (2, 1.5)))
    ax.set_xlim(-1.0, 1.0)
    ax.set_xticks([-1, 0, 1], ["−1", "0", "1"])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
