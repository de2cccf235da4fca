"""A data set on the simplex, where a point carries its margin's distribution."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke
from scipy.special import ndtr, ndtri

from simplicert import analysis
from simplicert.analysis import MarginsOnSimplex
from simplicert.analysis.margins import ALL_OTHERS
from simplicert.analysis.procedures import can_certify
from simplicert.figures.images import UNCERTIFIED, simplex_frame
from simplicert.figures.protocol import Figure, View
from simplicert.figures.spread import draw_distribution
from simplicert.procedures.hoeffding import hoeffding
from simplicert.procedures.margins import margins as by_margins
from simplicert.rounding import round_down

__all__ = ["draw_margins_on_simplex", "margins"]

HEIGHT_CM = 10.2
TOP = 0.72
"""Of the axis of E1."""

MAP = matplotlib.colormaps["PuOr_r"]
"""Orange where margins certify more, purple where means do, as of mechanisms."""

UNTOLD = "neither certifies"
HALO = [withStroke(linewidth=1.8, foreground="white")]

CONTOURS = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Radii of means, in units of sigma, whose curves are drawn."""

MOST_POINTS = 5000
REACH = 4.0
"""How far curves go, in normal quantiles; further E1 is 0 in print."""

FEW_POINTS = 60
"""So few are drawn large."""


def draw_margins_on_simplex(found: MarginsOnSimplex, ax: Axes) -> None:
    """Draw images at their means, coloured by what margins certify beyond means.

    Below, the margins of some images, two and two of nearly one place, with their means
    dashed; so the figure that ``ax`` is in becomes higher. Grey curves join the means
    that certify one radius in the limit of ever more draws.

    Args:
        found: What ``analysis.margins_on_simplex`` returned.
        ax: Ordinary axes, the only ones of their figure.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    shapes = list(found.shapes.groupby("shown")) if len(found.shapes) else []
    if shapes:
        figure.set_figheight(HEIGHT_CM / 2.54)
        grid = figure.add_gridspec(2, len(shapes), height_ratios=(3.0, 1.0))
        ax.set_subplotspec(grid[0, :])
    simplex_frame(ax, "E0, mean score", "E1, mean score of the rival")
    ax.set_ylim(0, TOP)  # above the triangle is the legend
    _draw_contours(ax)
    _draw_points(found.table, ax)
    for place, (_, shape) in enumerate(shapes):
        below = figure.add_subplot(grid[1, place])
        _draw_shown(found.table, shape, ax, below)
    if shapes:
        said = "margin in a draw, over the rival that decides the radius"
        figure.supxlabel(said, fontsize=7)


def _draw_shown(
    table: pd.DataFrame, shape: pd.DataFrame, ax: Axes, below: Axes
) -> None:
    """One image's number, on the simplex and over its distribution."""
    number = int(shape["shown"].iloc[0])
    row = table[table["shown"] == number].iloc[0]
    draw_distribution(shape, below, mean=shape["mean"].iloc[0])
    rival = shape["rival"].iloc[0]
    below.set_xlabel(
        "over all others" if rival == ALL_OTHERS else f"over class {rival}",
        fontsize=6,
        labelpad=1,
    )
    ours, theirs = (round_down(row[name], 2) for name in ("margins", "means"))
    said = f"margins {ours:.2f}σ\nmeans {theirs:.2f}σ"
    below.set_title(said, fontsize=6.5, pad=2)
    bold: dict[str, Any] = {"fontweight": "bold", "path_effects": HALO}
    below.text(
        -0.95,
        0.98,
        str(number),
        va="top",
        transform=below.get_xaxis_transform(),
        **bold,
    )
    ax.scatter(
        row["e0"],
        row["e1"],
        s=28,
        facecolors="none",
        edgecolors="black",
        zorder=4,
        clip_on=False,
    )
    side = -1 if number % 2 else 1
    ax.annotate(
        str(number),
        xy=(row["e0"], row["e1"]),
        xytext=(4.5 * side, 5 * side),
        textcoords="offset points",
        ha="center",
        va="center",
        zorder=5,
        **bold,
    )


def _draw_contours(ax: Axes) -> None:
    """Curves on which means certify one radius, each with its number at its end."""
    for radius in CONTOURS:
        e0 = np.linspace(ndtr(radius - REACH), ndtr(radius), 200)
        ax.plot(
            e0,
            ndtr(ndtri(e0) - 2 * radius),
            color="0.7",
            linewidth=0.6,
            zorder=0,
            label="" if radius > CONTOURS[0] else "radius of means, in the limit",
        )
        ax.text(
            ndtr(radius) + 0.008,
            ndtr(-radius) + 0.008,
            f"{radius:g}σ",
            fontsize=6,
            color="0.4",
        )


def _draw_points(table: pd.DataFrame, ax: Axes) -> None:
    """Every image, in the colour of its gain where it is certified."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    stride = max(-(-len(table) // MOST_POINTS), 1)
    table = table.iloc[::stride]
    ours, theirs = table["margins"] > 0, table["means"] > 0
    gain = table["margins"] - table["means"]
    most = max(float(gain.abs().max()), 0.01)
    scale = Normalize(-most, most)
    looks = {
        UNTOLD: (~ours & ~theirs, "."),
        "both certify": (ours & theirs, "o"),
        "margins alone": (ours & ~theirs, "^"),
        "means alone": (~ours & theirs, "v"),
    }
    for name, (here, marker) in looks.items():
        colours = UNCERTIFIED if name == UNTOLD else MAP(scale(gain[here]))
        if here.any():
            ax.scatter(
                table.loc[here, "e0"],
                table.loc[here, "e1"],
                s=22 if len(table) <= FEW_POINTS else 9,
                marker=marker,
                color=colours,
                linewidths=0.3,
                edgecolors="none" if name == UNTOLD else "0.25",
                label=f"{name} {here.mean():.0%}",
            )
    ax.legend(
        loc="upper left",
        borderpad=0.0,
        borderaxespad=0.1,
        handletextpad=0.4,
        labelspacing=0.25,
    )
    bar = figure.colorbar(
        ScalarMappable(scale, MAP),
        ax=ax,
        location="top",
        aspect=40,
        pad=0.03,
        label="radius of margins beyond that of means, in σ",
    )
    bar.ax.set_xlim(min(float(gain.min()), 0.0), most)
    bar.outline.set_linewidth(0.5)


def _table(view: View) -> MarginsOnSimplex | None:
    run = view.evidence
    if run is None or run.directory.manifest.margins is None:
        return None
    alpha = view.certificates.alpha
    if not all(can_certify(run, each, alpha) for each in (by_margins, hoeffding)):
        return None
    return analysis.margins_on_simplex(run.apart, alpha=alpha)


margins = Figure(
    name="fig5-margins", of="votes", table=_table, draw=draw_margins_on_simplex
)
