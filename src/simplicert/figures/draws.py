"""What draws buy and what they cost: the paper's Figure 6."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes

from simplicert.figures.legend import legend_above
from simplicert.figures.style import mechanism_styles

__all__ = ["draw_against_draws", "draw_times"]

LABELS = {
    "above_0.05": "share of images, radius > 0.05",
    "median_radius": "median radius",
}
STEPS: Mapping[str, dict[str, Any]] = {
    "draws": {"color": "0.3", "linestyle": "solid"},
    "bounds": {"color": "0.6", "linestyle": (0, (3, 1))},
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
    ax.set_xlabel("draws an image")
    ax.set_ylabel(LABELS[quantity])
    ax.set_ylim(0, None if quantity == "median_radius" else 1.02)
    ax.grid(visible=True)
    legend_above(ax)


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
    ax.set_xlabel("draws an image")
    ax.set_ylabel("seconds an image")
    ax.grid(visible=True)
    legend_above(ax)
