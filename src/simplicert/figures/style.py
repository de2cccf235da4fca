"""One look for every figure: mechanism colours, print sizes, reproducible files."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import matplotlib
from matplotlib.figure import Figure

from simplicert.errors import InputError
from simplicert.files import replacing

__all__ = [
    "COLUMN_CM",
    "MECHANISM_STYLES",
    "FigureFormat",
    "mechanism_styles",
    "new_figure",
    "print_style",
    "save_figure",
]

FigureFormat = Literal["png", "svg", "pdf"]

COLUMN_CM = 8.0
"""Width of one column of a two-column paper; every text is legible at it."""

# Okabe and Ito's eight colours stay apart under every common colour blindness. The
# dashes keep the mechanisms apart in greyscale too, where some of the colours meet.
MECHANISM_STYLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "lecuyer": {"color": "#CC79A7", "linestyle": (0, (1, 1))},
        "li": {"color": "#009E73", "linestyle": (0, (4, 1.2))},
        "cohen": {"color": "#0072B2", "linestyle": (0, (6, 1, 1.2, 1))},
        "cullen": {"color": "#D55E00", "linestyle": "solid"},
        # Nothing is above it and much is equal to it: a broad line behind the others.
        "neyman_pearson": {
            "color": "#000000",
            "linestyle": "solid",
            "linewidth": 2.0,
            "zorder": 1.9,
        },
        "ensemble": {"color": "#E69F00", "linestyle": (0, (3, 1, 1, 1, 1, 1))},
    }
)
"""Look of each built-in mechanism's curve, the same in every figure."""

_SPARE_COLOURS = ("#332288", "#8C6D1F", "#882255", "#7F7F7F")

_RC: dict[Any, Any] = {
    "font.size": 7.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.linewidth": 0.4,
    "grid.color": "0.85",
    "lines.linewidth": 1.2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "savefig.dpi": 300.0,
    "pdf.fonttype": 42,  # embedded TrueType: publishers refuse Type 3
    "svg.hashsalt": "simplicert",  # or the ids differ from run to run
}


@contextmanager
def print_style() -> Iterator[None]:
    """Draw and save in the project's print style; the caller's settings come back."""
    with matplotlib.rc_context(_RC):
        yield


def mechanism_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Line style of each mechanism, as keyword arguments of ``Axes.plot``.

    A built-in mechanism looks the same everywhere; the others take the spare colours
    in the order in which they are named.

    Example:
        >>> mechanism_styles(["cullen", "mine"])["mine"]
        {'color': '#332288', 'linestyle': 'solid'}
    """
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in MECHANISM_STYLES]
    spare = {
        name: {"color": _SPARE_COLOURS[i % len(_SPARE_COLOURS)], "linestyle": "solid"}
        for i, name in enumerate(others)
    }
    return {name: dict(MECHANISM_STYLES.get(name) or spare[name]) for name in names}


def new_figure(
    *, width_cm: float = COLUMN_CM, height_cm: float = 0.75 * COLUMN_CM
) -> Figure:
    """An empty figure of exactly this printed size. Never touches ``pyplot``."""
    return Figure(figsize=(width_cm / 2.54, height_cm / 2.54), layout="constrained")


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure in the format that its suffix names; return the path.

    The same figure gives the same bytes: no date is stored.
    """
    dateless = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}
    if path.suffix not in dateless:
        raise InputError(
            f"cannot write a figure to {str(path)!r}: "
            f"the name must end in one of {', '.join(sorted(dateless))}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with print_style(), replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:], metadata=dateless[path.suffix])
    return path
