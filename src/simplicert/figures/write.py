"""Figures of views, as files."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from simplicert.errors import InputError
from simplicert.figures import FIGURES, Figure, View
from simplicert.figures.style import FigureFormat, new_figure, print_style, save_figure
from simplicert.plugins import shown_as_theirs

__all__ = ["write_figures"]


def write_figures(
    views: Sequence[View],
    directory: Path | str,
    *,
    figures: Sequence[str | Figure] | None = None,
    formats: Sequence[FigureFormat] = ("png",),
) -> list[Path]:
    """Write figures as far as there is evidence for them; return the paths.

    Each is called ``FIGURE-RUN-PROCEDURE``, or ``FIGURE-PROCEDURE`` where it is of all
    runs; the paper's two procedures are called by their frameworks.

    Args:
        views: What to draw. A name becomes part of file names, with ``-`` for ``/``.
        directory: Where to write.
        figures: Which: names, or what ``FIGURES.find`` takes. Default: the paper's.
        formats: Of the files; each figure is written in each.

    Raises:
        InputError: Two names that would be one file's; an unknown figure; or one of the
            user's that fails, whose error is shown as theirs.
    """
    asked = FIGURES.built_in if figures is None else figures
    drawings: dict[str, tuple[Figure, object]] = {}
    for figure in map(FIGURES.find, asked):
        for name, table in _tables(figure, views).items():
            stem = re.sub(r"-?[/\\]+", "-", name)
            if stem in drawings:
                raise InputError(
                    f"two runs or figures have the file {stem!r}: name them otherwise"
                )
            drawings[stem] = figure, table
    written = []
    for stem, (figure, table) in drawings.items():
        with print_style():
            empty = new_figure()
            paths = [Path(directory) / f"{stem}.{suffix}" for suffix in formats]
            with _guard(figure, "drawing"):
                figure.draw(table, empty.subplots())
                written += [save_figure(empty, path) for path in paths]
    return written


def _tables(figure: Figure, views: Sequence[View]) -> dict[str, object]:
    with _guard(figure, "table"):
        return figure.drawn_from(views)


def _guard(figure: Figure, part: str) -> AbstractContextManager[None]:
    """Errors of a figure from outside are one line; ours keep their tracebacks."""
    if figure in FIGURES.built_in.values():
        return nullcontext()
    return shown_as_theirs(f"figure {figure.name!r}: its {part}")
