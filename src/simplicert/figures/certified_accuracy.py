"""Certified accuracy against radius: the paper's Figures 4 and 8."""

from collections.abc import Mapping, Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes

from simplicert.figures.legend import legend_above
from simplicert.figures.style import mechanism_styles

__all__ = ["draw_accuracy_of_runs", "draw_certified_accuracy"]

RUN_COLOURS = matplotlib.colormaps["viridis"]
"""Dark to light in the runs' order, so that sigmas read as a scale, also in grey."""

RUN_DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1, 1.2, 1)))


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
            _draw_band(rows, ax, str(style["color"]))
    _frame(table, ax)


def draw_accuracy_of_runs(
    tables: Mapping[str, pd.DataFrame], ax: Axes, *, mechanism: str
) -> None:
    """Draw one curve a run onto ``ax``, all of one mechanism.

    Args:
        tables: What ``analysis.certified_accuracy`` returned for each run, by name.
        ax: Ordinary axes.
        mechanism: The one to draw.
    """
    for number, (name, table) in enumerate(tables.items()):
        rows = table[table["mechanism"] == mechanism]
        colour = RUN_COLOURS(0.85 * number / max(len(tables) - 1, 1))
        dashes = RUN_DASHES[number % len(RUN_DASHES)]
        ax.plot(
            rows["radius"], rows["share"], label=name, color=colour, linestyle=dashes
        )
        _draw_band(rows, ax, matplotlib.colors.to_hex(colour))
    _frame(next(iter(tables.values())), ax)
    ax.set_xlabel(f"certified L2 radius, {mechanism}")


def _draw_band(rows: pd.DataFrame, ax: Axes, colour: str) -> None:
    ax.fill_between(
        rows["radius"],
        rows["share_lower"],
        rows["share_upper"],
        color=colour,
        alpha=0.12,
        linewidth=0,
    )


def _frame(table: pd.DataFrame, ax: Axes) -> None:
    ax.set_xlabel("certified L2 radius")
    ax.set_ylabel(str(table["quantity"].iloc[0]))
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.grid(visible=True)
    legend_above(ax)
