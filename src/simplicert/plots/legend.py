"""A legend that never hides what is drawn."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes

__all__ = ["legend_above"]


def legend_above(
    ax: Axes, *, columns: int = 3, handles: Sequence[Artist] | None = None
) -> None:
    """Put the legend over the axes, in so many columns; three mechanisms fit 8 cm."""
    given = ax.get_legend_handles_labels()[0] if handles is None else handles
    ax.legend(
        handles=given,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=0.9,
        handletextpad=0.5,
        markerscale=1.5,
    )
