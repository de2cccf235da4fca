"""Certified accuracy of several runs: the paper's Figure 4, one curve a sigma."""

from collections.abc import Mapping, Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes

from simplicert.figures.accuracy import draw_band, frame
from simplicert.figures.protocol import Figure, View

__all__ = ["draw_accuracy_of_runs", "runs"]

RUN_COLOURS = matplotlib.colormaps["viridis"]
"""Dark to light in the runs' order, so that sigmas read as a scale, also in grey."""

RUN_DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1, 1.2, 1)))


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
        draw_band(rows, ax, matplotlib.colors.to_hex(colour))
    frame(next(iter(tables.values())), ax, label=f", {mechanism}")


MECHANISMS = ("ensemble", "neyman_pearson")
"""What is drawn of all runs: the first that each of them has."""


def _of_several(views: Sequence[View]) -> tuple[dict[str, pd.DataFrame], str] | None:
    shared = [
        name
        for name in (*MECHANISMS, *views[0].certificates.radii)
        if all(name in view.certificates.radii for view in views)
    ]
    if len(views) < 2 or not shared:
        return None
    return {view.name: view.curves for view in views}, shared[0]


runs = Figure(
    name="fig4-runs",
    of="runs",
    table=_of_several,
    draw=lambda found, ax: draw_accuracy_of_runs(found[0], ax, mechanism=found[1]),
)
