"""How many images gain how much: the paper's Figure 7."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from simplicert import analysis
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure, View
from simplicert.figures.style import mechanism_styles

__all__ = ["draw_improvement", "improvement"]

PERCENTS = np.linspace(0.0, 100.0, 201)


def draw_improvement(table: pd.DataFrame, ax: Axes) -> None:
    """Draw the share of images that gain more than each percentage over the baseline.

    Args:
        table: What ``analysis.improvement_survival`` returned.
        ax: Ordinary axes.
    """
    baseline = table["baseline"].iloc[0]
    for name, style in mechanism_styles(table["mechanism"]).items():
        rows = table[table["mechanism"] == name]
        ax.plot(rows["percent"], rows["share"], label=name, **style)
    ax.set_xlabel(f"radius above {baseline}'s by more than")
    ax.set_ylabel(f"share where {baseline} certifies")
    ax.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    ax.set_ylim(0, 1)
    ax.set_xlim(table["percent"].min(), table["percent"].max())
    ax.grid(visible=True)
    legend_above(ax)


def _table(view: View) -> pd.DataFrame | None:
    if not view.improvable:
        return None
    return analysis.improvement_survival(view.certificates, PERCENTS)


improvement = Figure(name="fig7-improvement", table=_table, draw=draw_improvement)
