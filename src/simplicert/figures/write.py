"""Figures of views, as files."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from simplicert.errors import InputError
from simplicert.figures import FIGURES, Figure, View
from simplicert.figures.style import FigureFormat, new_figure, print_style, save_figure

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
                    f"two runs have the file {stem!r}: name them otherwise"
                )
            drawings[stem] = figure, table
    written = []
    for stem, (figure, table) in drawings.items():
        with print_style():
            empty = new_figure()
            with _shown_as_theirs(figure, "draw"):
                figure.draw(table, empty.subplots())
            paths = [Path(directory) / f"{stem}.{suffix}" for suffix in formats]
            written += [save_figure(empty, path) for path in paths]
    return written


def _tables(figure: Figure, views: Sequence[View]) -> dict[str, object]:
    with _shown_as_theirs(figure, "table"):
        return figure.drawn_from(views)


@contextmanager
def _shown_as_theirs(figure: Figure, part: str) -> Iterator[None]:
    """What goes wrong in a figure from outside is one line; ours keep tracebacks."""
    try:
        yield
    except Exception as error:
        ours = figure in FIGURES.built_in.values()
        if ours or isinstance(error, InputError):
            raise
        raise InputError(
            f"figure {figure.name!r}: its {part} raised {type(error).__name__}: {error}"
        ) from error
