"""A legend that never hides what is drawn."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

__all__ = ["legend_above"]


def legend_above(ax: Axes, *, texts: Sequence[str] = ()) -> None:
    """Put the legend over the axes, in as many columns as there is room for.

    Args:
        ax: Axes, drawn on.
        texts: What it says, in place of what the drawn looks mean.
    """
    # Without a line: of no length it still is a dot, in vector files.
    given: Sequence[Artist] = [Line2D([], [], ls="", label=text) for text in texts]
    given = given or ax.get_legend_handles_labels()[0]
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
            handletextpad=0.0 if texts else 0.5,
            handlelength=0.0 if texts else None,  # None: the style's
            markerscale=1.5,
        )
        # Right of the axes is a margin, too.
        if legend.get_window_extent().width < 0.97 * figure.bbox.width:
            break
