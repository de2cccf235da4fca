"""A legend that never hides what is drawn."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes

__all__ = ["legend_above"]


def legend_above(ax: Axes, *, handles: Sequence[Artist] | None = None) -> None:
    """Put the legend over the axes, in as many columns as there is room for."""
    given = ax.get_legend_handles_labels()[0] if handles is None else list(handles)
    figure = ax.get_figure(root=True)
    assert figure is not None
    for columns in range(max(len(given), 1), 0, -1):
        legend = ax.legend(
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
        # Right of the axes is a margin, too.
        if legend.get_window_extent().width < 0.97 * figure.bbox.width:
            break
