"""What draws cost, and what all else does: the paper's Figure 6b."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from simplicert import analysis
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure
from simplicert.figures.style import mechanism_styles

__all__ = ["draw_times", "times"]

STEPS: Mapping[str, dict[str, Any]] = {
    "draws": {"color": "0.3", "linestyle": "solid"},
    "bounds": {"color": "0.6", "linestyle": (0, (3, 1))},
}


def draw_times(table: pd.DataFrame, ax: Axes) -> None:
    """Draw the seconds an image that each step takes, against the draws (Fig. 6b).

    Args:
        table: What ``analysis.times`` returned, for one or more numbers of draws.
        ax: Ordinary axes.
    """
    steps = list(dict.fromkeys(table["step"]))
    styles = {**mechanism_styles(s for s in steps if s not in STEPS), **STEPS}
    for step in steps:
        rows = table[table["step"] == step].sort_values("draws")
        ax.plot(
            rows["draws"],
            rows["seconds_per_image"],
            marker=".",
            label=step,
            **styles[step],
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("draws each")
    ax.set_ylabel("seconds each")
    ax.grid(visible=True)
    legend_above(ax)


times = Figure(
    name="fig6b-times",
    table=lambda view: (
        view.by_draws and analysis.times(view.by_draws, mechanism=view.mechanism)
    ),
    draw=draw_times,
)
