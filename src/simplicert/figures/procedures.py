"""Certified accuracy of one run by every procedure, from the same forward passes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from simplicert import analysis
from simplicert.figures.accuracy import limits
from simplicert.figures.protocol import Figure, View
from simplicert.rounding import round_down

__all__ = ["draw_procedures", "procedures"]

# Cool colours for hard votes and warm ones for scores; the dashes tell them apart too.
PROCEDURE_STYLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "two_stage": {"color": "#56B4E9", "linestyle": (0, (1, 1))},
        "clopper_pearson": {"color": "#0072B2", "linestyle": (0, (4, 1.2))},
        "joint": {"color": "#000000", "linestyle": "solid"},
        "hoeffding": {"color": "#CC79A7", "linestyle": (0, (1, 1))},
        "empirical_bernstein": {"color": "#E69F00", "linestyle": (0, (4, 1.2))},
        "margins": {"color": "#D55E00", "linestyle": "solid"},
    }
)

GROUPS: Mapping[str, tuple[str, Literal["lower left", "lower right"], float]] = {
    "multinomial": ("hard votes, average radius", "lower left", -0.16),
    "softmax": ("soft scores, average radius", "lower right", 1.0),
}
"""What each framework's legend is called, and where it is above the axes."""


def draw_procedures(table: pd.DataFrame, ax: Axes) -> None:
    """Draw one curve a procedure onto ``ax``, with its average certified radius.

    Args:
        table: What ``analysis.accuracy_of_procedures`` returned.
        ax: Ordinary axes.
    """
    legends = []
    for framework, (title, place, x) in GROUPS.items():
        rows = table[table["framework"] == framework]
        handles = [
            _draw_curve(str(name), curve, ax)
            for name, curve in rows.groupby("procedure", sort=False)
        ]
        if not handles:
            continue
        made = ax.legend(
            handles=handles,
            title=title,
            loc=place,
            bbox_to_anchor=(x, 1.02),
            alignment="left",
            borderpad=0.0,
            borderaxespad=0.3,
            handletextpad=0.5,
            handlelength=1.6,
        )
        legends.append(made)
    for legend in legends[:-1]:
        ax.add_artist(legend)  # or the next would have its place
    limits(table, ax)


def _draw_curve(name: str, curve: pd.DataFrame, ax: Axes) -> Line2D:
    average = curve["average"].iloc[0]
    [line] = ax.plot(
        curve["radius"],
        curve["share"],
        label=f"{name} {round_down(average, 3):.3f}",
        **PROCEDURE_STYLES[name],
    )
    return line


def _table(view: View) -> pd.DataFrame | None:
    run = view.evidence
    if run is None or run.directory.manifest.margins is None:
        return None
    found = analysis.certified_by_procedures(run, alpha=view.certificates.alpha)
    return analysis.accuracy_of_procedures(found) if found else None


procedures = Figure(name="procedures", of="votes", table=_table, draw=draw_procedures)
