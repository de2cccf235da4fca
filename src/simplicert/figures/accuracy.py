"""Certified accuracy against radius: the paper's Figures 4 and 8."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure
from simplicert.figures.style import mechanism_styles
from simplicert.noises import in_norm

__all__ = ["accuracy", "draw_band", "draw_certified_accuracy", "frame", "limits"]


def draw_certified_accuracy(
    table: pd.DataFrame,
    ax: Axes,
    *,
    mechanisms: Sequence[str] | None = None,
    band: bool = True,
) -> None:
    """Draw one curve a mechanism onto ``ax``, each with its confidence band.

    Args:
        table: What ``analysis.certified_accuracy`` returned.
        ax: Ordinary axes.
        mechanisms: Which curves to draw; all in the table by default.
        band: Whether to draw the bands.
    """
    names = list(mechanisms or table["mechanism"].unique())
    for name, style in mechanism_styles(names).items():
        rows = table[table["mechanism"] == name]
        ax.plot(rows["radius"], rows["share"], label=name, **style)
        if band:
            draw_band(rows, ax, str(style["color"]))
    frame(table, ax)


def draw_band(rows: pd.DataFrame, ax: Axes, colour: str) -> None:
    """Shade between a curve's confidence limits."""
    ax.fill_between(
        rows["radius"],
        rows["share_lower"],
        rows["share_upper"],
        color=colour,
        alpha=0.12,
        linewidth=0,
    )


def frame(table: pd.DataFrame, ax: Axes, *, label: str = "") -> None:
    """Labels, limits and legend of a share against the radius."""
    limits(table, ax, label=label)
    legend_above(ax)


def limits(table: pd.DataFrame, ax: Axes, *, label: str = "") -> None:
    """Labels and limits of a share against the radius."""
    first = table.iloc[0]
    unit = f" in {first['unit']}" if "unit" in table else ""
    ax.set_xlabel(f"certified {in_norm(first['norm'], 'radius')}{unit}{label}")
    ax.set_ylabel(str(table["quantity"].iloc[0]))
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.grid(visible=True)


accuracy = Figure(
    name="fig4-accuracy",
    table=lambda view: view.curves,
    draw=draw_certified_accuracy,
)
