"""A legend that never hides what is drawn."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes

__all__ = ["legend_above"]

CHARACTERS_A_CM = 7
"""Of the print style's small text; a handle takes as much as ``HANDLE`` characters."""

HANDLE = 4


def legend_above(ax: Axes, *, handles: Sequence[Artist] | None = None) -> None:
    """Put the legend over the axes, in as many columns as its labels leave room for."""
    given = ax.get_legend_handles_labels()[0] if handles is None else list(handles)
    figure = ax.get_figure(root=True)
    assert figure is not None
    longest = max((len(str(handle.get_label())) for handle in given), default=0)
    room = figure.get_figwidth() * 2.54 * CHARACTERS_A_CM
    ax.legend(
        handles=given,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=max(int(room // (longest + HANDLE)), 1),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=0.9,
        handletextpad=0.5,
        markerscale=1.5,
    )
