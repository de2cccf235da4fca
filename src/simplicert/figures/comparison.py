"""Two runs on the same images: where on the simplex they moved."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from simplicert.figures.images import BOUNDS, simplex_frame
from simplicert.figures.legend import legend_above

__all__ = ["draw_comparison"]

LOOKS = {
    "smaller": ("#E69F00", 0.35),
    "larger": ("#56B4E9", 0.35),
    "lost": ("#D55E00", 0.9),
    "gained": ("#0072B2", 0.9),
}
"""Colour and opacity; what matters most is drawn last."""

MOST_IMAGES = 300
"""Of each outcome; more lines than this are a blot."""


def draw_comparison(comparison: pd.DataFrame, ax: Axes) -> None:
    """Draw a line from each image's place in the first run to its place in the second.

    The dot is the second run. Images whose radius did not change are left out; of each
    outcome at most ``MOST_IMAGES``, evenly spaced, and the legend has the true numbers.

    Args:
        comparison: What ``analysis.compare_runs`` returned.
        ax: Ordinary axes.
    """
    simplex_frame(ax, *BOUNDS)
    for outcome, (colour, opacity) in LOOKS.items():
        rows = comparison[comparison["outcome"] == outcome]
        shown = rows.iloc[:: max(-(-len(rows) // MOST_IMAGES), 1)]
        before = shown[["e0_before_lower", "e1_before_upper"]].to_numpy()
        after = shown[["e0_after_lower", "e1_after_upper"]].to_numpy()
        ax.add_collection(
            LineCollection(
                list(np.stack([before, after], axis=1)),
                colors=colour,
                linewidths=0.5,
                alpha=opacity,
            )
        )
        ax.scatter(
            after[:, 0],
            after[:, 1],
            s=5,
            color=colour,
            alpha=opacity,
            linewidths=0,
            label=f"{outcome} ({len(rows):,})",
        )
    legend_above(ax)
