"""A data set on the simplex: the paper's Figures 5, 9 and 10."""

from collections.abc import Iterable

from matplotlib.axes import Axes

from simplicert.analysis import largest_mechanism
from simplicert.certificates.record import Certificates
from simplicert.figures.legend import legend_above
from simplicert.figures.protocol import Figure
from simplicert.figures.simplex import draw_boundaries
from simplicert.figures.style import mechanism_styles
from simplicert.simplex import Boundary

__all__ = ["draw_images_on_simplex", "images", "simplex_frame"]

MOST_POINTS = 5000
"""More points than this hide each other and make vector files slow."""

FEW_POINTS = 20
"""So few are each looked at, and drawn large."""

BOUNDS = ("E0, lower bound", "E1, upper bound")
UNCERTIFIED = "#BBBBBB"
MARKERS = ("o", "^", "s", "D", "v")


def draw_images_on_simplex(
    certificates: Certificates, ax: Axes, *, boundaries: Iterable[Boundary] = ()
) -> None:
    """Draw each image at its bounds, coloured by the mechanism that is largest.

    E0 to the right, E1 upwards; the triangle is where something can be certified. Of
    more than ``MOST_POINTS`` images an even stride is drawn and the figure says so.

    Args:
        certificates: One run's certificates.
        ax: Ordinary axes.
        boundaries: Curves between regions, as ``analysis.region_boundaries`` gives.
    """
    stride = max(-(-len(certificates) // MOST_POINTS), 1)
    largest = largest_mechanism(certificates)[::stride]
    e0, e1 = certificates.e0_lower[::stride], certificates.e1_upper[::stride]
    styles = mechanism_styles(sorted(set(largest) - {""}))
    looks = {name: style["color"] for name, style in styles.items()}
    for marker, (name, colour) in zip(
        MARKERS, {**looks, "": UNCERTIFIED}.items(), strict=False
    ):
        here = largest == name
        if here.any():
            ax.scatter(
                e0[here],
                e1[here],
                s=30 if len(largest) <= FEW_POINTS else 6,
                marker=marker,
                color=colour,
                linewidths=0,
                alpha=0.75,
                label=f"{name or 'not certified'} {here.mean():.1%}",
            )
    simplex_frame(ax, *BOUNDS)
    draw_boundaries(boundaries, ax)
    if stride > 1:
        sampled = f"{len(largest):,} of {len(certificates):,} {certificates.inputs}"
        ax.text(0.02, 0.48, sampled, va="top")
    legend_above(ax)


def simplex_frame(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Set up axes of E0 and E1 and draw the triangle in which something certifies."""
    ax.plot([0, 0.5, 1], [0, 0.5, 0], color="0.3", linewidth=0.6)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 0.55)  # what is not separated lies just above the triangle
    ax.set_aspect("equal")


images = Figure(
    name="fig5-images",
    table=lambda view: (view.certificates, view.boundaries),
    draw=lambda found, ax: draw_images_on_simplex(found[0], ax, boundaries=found[1]),
)
