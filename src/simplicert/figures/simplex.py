"""Comparisons over the simplex: the paper's Fig. 2 and 3, and any other."""

from collections.abc import Iterable
from typing import Literal

import matplotlib
import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.tri import Triangulation
from mpltern.ternary import TernaryAxes
from scipy.spatial.distance import cdist

from simplicert.figures.style import COLUMN_CM, mechanism_styles, new_figure
from simplicert.simplex import Boundary, Compared

__all__ = ["SimplexAxes", "draw_boundaries", "draw_simplex", "simplex_figure"]

SimplexAxes = Literal["plane", "ternary"]

BANDS = matplotlib.colormaps["PuOr_r"]
"""Purple where the second of the compared mechanisms is larger, orange the first."""

LABEL_ROOM = 0.035
"""Half of what a label needs to be clear of lines and of others, in units of E1."""

# Half a circle around a narrow region, upwards and to the left, where there is room.
_ANGLES = np.linspace(0.4, 1.0, 13) * np.pi
ASIDE = 0.17 * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)

HALO = [withStroke(linewidth=1.6, foreground="white")]

# Height, then left, bottom, width and height of the map and of its colour bar: in
# centimetres, since a column's width is fixed and text does not scale with it.
_HEIGHT_CM = {"plane": 5.6, "ternary": 5.5}
_MAP_CM = {"plane": (1.15, 0.95, 6.6, 3.3), "ternary": (1.1, 0.95, 6.0, 2.6)}
_BAR_CM = {"plane": (1.15, 4.5, 6.5, 0.16), "ternary": (1.15, 4.4, 6.5, 0.16)}

Points = Float64[np.ndarray, " points"]
XY = Float64[np.ndarray, "_ 2"]


def draw_simplex(compared: Compared, ax: Axes) -> ContourSet:
    """Draw a comparison's values, and the regions that the contenders win, onto ``ax``.

    Pale is equal, orange is where the first mechanism certifies more, purple where the
    second does. Black curves part the regions; each bears its winner's name.

    Args:
        compared: What :func:`simplicert.simplex.compare` returned.
        ax: Ordinary axes, for E0 to the right and E1 upwards, or mpltern's
            ``projection="ternary"``, for E0 on the right and E1 at the top.

    Returns:
        The filled contours, for a colour bar.
    """
    grid = compared.grid
    _frame(ax)
    bands = compared.bands
    x, y = _xy(ax, grid.e0, grid.e1).T
    undefined = np.isnan(bands.values)[grid.triangles].any(axis=-1)
    mesh = Triangulation(x, y, grid.triangles, mask=undefined)
    values = np.nan_to_num(bands.values)
    filled: ContourSet = ax.tricontourf(
        mesh,
        values,
        levels=bands.levels,
        colors=BANDS(0.5 + 0.42 * bands.shades),
        extend=bands.extend,
        transform=ax.transData,
    )
    lines = ax.tricontour(
        mesh,
        values,
        levels=bands.levels,
        colors="0.3",
        linewidths=0.3,
        linestyles="solid",
        transform=ax.transData,
    )
    draw_boundaries(compared.boundaries, ax)
    _label_contours(lines, ax, compared, taken=_label_regions(compared, ax))
    return filled


def draw_boundaries(boundaries: Iterable[Boundary], ax: Axes) -> None:
    """Draw the curves between winning regions onto ``ax``, plane or ternary."""
    for boundary in boundaries:
        ax.plot(
            *_xy(ax, boundary.e0, boundary.e1).T,
            color="black",
            linewidth=0.9,
            path_effects=HALO,
            transform=ax.transData,
        )


def simplex_figure(compared: Compared, *, axes: SimplexAxes) -> Figure:
    """A comparison as a figure one column wide, with its colour bar."""
    figure = new_figure(width_cm=COLUMN_CM, height_cm=_HEIGHT_CM[axes])
    figure.set_layout_engine("none")  # mpltern's labels are beyond the engine
    size = np.array([COLUMN_CM, _HEIGHT_CM[axes]] * 2)
    ax = figure.add_axes(
        tuple(_MAP_CM[axes] / size),
        projection="ternary" if axes == "ternary" else None,
    )
    bar = figure.colorbar(
        draw_simplex(compared, ax),
        cax=figure.add_axes(tuple(_BAR_CM[axes] / size)),
        orientation="horizontal",
        ticklocation="top",
        format=lambda level, _: _number(level),
    )
    asked = compared.comparison
    label = f"{asked.label}  [{asked.unit}]"
    bar.set_label(label.replace("sigma", "σ").replace(" - ", " − "))
    bar.ax.tick_params(length=2)
    bar.outline.set_linewidth(0.5)
    return figure


def _number(level: float) -> str:
    """A level as a label, with a true minus sign."""
    return f"{level:g}".replace("-", "−")


def _xy(ax: Axes, e0: Points, e1: Points) -> XY:
    """Points of the simplex in the data coordinates of these axes."""
    if isinstance(ax, TernaryAxes):
        corners = np.stack([e1, 1.0 - e0 - e1, e0], axis=-1)
        return np.asarray(ax.transProjection.transform(corners))
    return np.stack([e0, e1], axis=-1)


def _label_regions(compared: Compared, ax: Axes) -> XY:
    """Write each winner's name into its region, or beside it with a line into it.

    Returns:
        Where the names are.
    """
    centres = compared.grid.region_centres()
    styles = mechanism_styles([*compared.grid.radii, *centres])
    names = np.empty((0, 2))
    # First the names with only one place, then the narrowest regions': least choice.
    order = sorted(
        centres, key=lambda name: (centres[name][2] < LABEL_ROOM, centres[name][2])
    )
    for name in order:
        e0, e1, room = centres[name]
        places = _label_places(ax, e0, e1, narrow=room < LABEL_ROOM)
        place, _ = _clearest(places, _curves(compared, ax), names)
        names = np.concatenate([names, [place]])
        ax.annotate(
            name,
            xy=_xy(ax, np.array([e0]), np.array([e1]))[0],
            xytext=(place[0], place[1]),
            xycoords=ax.transData,
            textcoords=ax.transData,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "shrinkB": 0},
            color=styles[name]["color"],
            fontweight="bold",
            ha="center",
            va="center",
            path_effects=HALO,
        )
    return names


def _label_places(ax: Axes, e0: float, e1: float, *, narrow: bool) -> XY:
    """Where a region's name may be: at its centre, or around it if it is narrow."""
    if not narrow:
        return _xy(ax, np.array([e0]), np.array([e1]))
    around = np.array([e0, e1]) + ASIDE
    # Right of the triangle there is room in the plane; in a ternary plot, tick labels.
    clear = (
        around.sum(axis=-1) < 0.88
        if isinstance(ax, TernaryAxes)
        else around[:, 0] < 0.9
    )
    return _xy(ax, *around[clear].T)


def _label_contours(lines: ContourSet, ax: Axes, compared: Compared, taken: XY) -> None:
    """Number each contour where it is clearest, if it is clear anywhere."""
    contours = [np.concatenate([np.empty((0, 2)), *line]) for line in lines.allsegs]
    for i, (level, contour) in enumerate(zip(lines.levels, contours, strict=True)):
        # The neutral contour is where one takes over: a black curve says so already.
        if level == compared.comparison.neutral or not len(contour):
            continue
        others = [_curves(compared, ax), *contours[:i], *contours[i + 1 :]]
        place, room = _clearest(contour, np.concatenate(others), taken)
        if room > LABEL_ROOM:
            taken = np.concatenate([taken, [place]])
            ax.text(
                place[0],
                place[1],
                _number(level),
                fontsize=6,
                ha="center",
                va="center",
                path_effects=HALO,
                transform=ax.transData,
            )


def _clearest(
    places: XY, lines: XY, labels: XY
) -> tuple[Float64[np.ndarray, "2"], float]:
    """The place farthest from lines and from labels, and how far that is."""
    room = cdist(places, lines).min(axis=-1)
    if len(labels):
        wide = np.array([0.5, 1.0])  # text is wider than high
        apart = cdist(wide * places, wide * labels).min(axis=-1)
        room = np.minimum(room, apart / 2.0)
    return places[room.argmax()], float(room.max())


def _curves(compared: Compared, ax: Axes) -> XY:
    """What a label should not cover: the triangle's sides, the regions' boundaries."""
    curves = [_xy(ax, curve.e0, curve.e1) for curve in compared.boundaries]
    return np.concatenate([_outline(ax), *curves])


def _outline(ax: Axes) -> XY:
    """The sides of the triangle of what can be certified, densely."""
    up, down = np.linspace(0.0, 0.5, 60), np.linspace(0.5, 0.0, 60)
    e0 = np.concatenate([up, 1.0 - down, 2.0 * down])
    return _xy(ax, e0, np.concatenate([up, down, 0.0 * down]))


def _frame(ax: Axes) -> None:
    """Axis labels, limits, and the outline of what can be certified."""
    if isinstance(ax, TernaryAxes):
        ax.set_tlabel("E1, runner-up")
        ax.set_llabel("all other classes")
        ax.set_rlabel("E0, top class")
        for axis in (ax.taxis, ax.laxis, ax.raxis):
            axis.set_label_position("tick1")
        ax.tick_params(labelrotation="horizontal")
        ax.set_tlim(0, 0.5)
    else:
        ax.set(xlabel="E0, top class", ylabel="E1, runner-up")
        ax.set(xlim=(0, 1), ylim=(0, 0.5), aspect="equal")
    ax.plot(*_outline(ax).T, color="0.3", linewidth=0.6, transform=ax.transData)
