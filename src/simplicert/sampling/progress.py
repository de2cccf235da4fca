"""Progress of what takes long: a bar where a person looks, a line now and then else."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from simplicert.errors import InputError

__all__ = ["Progress", "display", "draw_progress", "shown_progress"]

Progress = Callable[[int, int], object]
"""Called with the draws done and the draws in all, about as often as votes arrive."""

Told = Callable[..., object]
"""The same, and told in words what is decided, of a run whose images stop."""

Show = Callable[[float, str], None]
"""Shows which share is done, and what there is to say."""

SHORT_SECONDS = 1.0
"""What is done sooner needs no bar: it would only flash."""

CELL_SECONDS = 0.2
"""Between two changes of a notebook's bar, each of which is a message."""

LINE_SECONDS = 10.0
"""Between two lines where stderr is not a terminal."""


@contextmanager
def shown_progress(asked: object, title: str = "sampling") -> Iterator[Told | None]:
    """What to tell how many draws are done; ``None`` where nobody wants to know.

    Args:
        asked: A function that is told itself; whether to show it; by default, where
            stderr is a terminal or this is a notebook.
        title: What is shown beside it.

    Raises:
        InputError: ``asked`` is none of these.
    """
    if asked is None:
        console = Console(stderr=True)
        asked = console.is_terminal or console.is_jupyter
    if asked is True:
        with draw_progress(title) as progress:
            yield progress
    elif callable(asked):
        yield lambda done, total, _said="": asked(done, total)
    elif asked is False:
        yield None
    else:
        raise InputError(
            "progress must be True, False or a function of the draws done and the "
            f"draws in all, got {asked!r}"
        )


@contextmanager
def draw_progress(title: str) -> Iterator[Told]:
    """Shows draws, draws a second, time left, and what is decided."""
    first: tuple[float, int] | None = None
    with display(title) as show:

        def progress(done: int, total: int, decided: str = "") -> None:
            nonlocal first
            now = time.monotonic()
            if first is None:  # an earlier session's draws are not this one's speed
                first = (now, done)
            drawn, seconds = done - first[1], now - first[0]
            most = " at most" if decided else ""
            text = f"{decided}, " if decided else ""
            text += f"{done:,} of{most} {total:,} draws"
            if drawn and seconds:
                speed = drawn / seconds
                left = f"{(total - done) / speed:,.0f} s left"
                text += f", {speed:,.0f} draws/s,{most} {left}"
            show(done / total if total else 1.0, text)

        yield progress


@contextmanager
def display(title: str) -> Iterator[Show]:
    """A bar in a notebook's cell or on a terminal, lines elsewhere; on stderr."""
    console = Console(stderr=True)
    if console.is_jupyter:
        yield _later(_cell(title))
    elif console.is_terminal:
        columns = (
            TextColumn("{task.fields[title]}", markup=False),  # a name may look like it
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
        )
        # Not redirected: two threads that sample would not undo it in order.
        bars = Bars(
            *columns, console=console, redirect_stdout=False, redirect_stderr=False
        )
        task = bars.add_task("", total=1.0, title=title)

        def show(done: float, text: str) -> None:
            bars.start()
            bars.update(task, completed=done, description=text)

        try:
            yield _later(show)
        finally:
            bars.stop()
    else:
        yield _lines(title, console)


def _later(show: Show) -> Show:
    """Shows nothing of what is done in a moment."""
    began = time.monotonic()

    def later(done: float, text: str) -> None:
        if time.monotonic() - began >= SHORT_SECONDS:
            show(done, text)

    return later


def _cell(title: str) -> Show:
    """A bar in HTML: the notebook needs no widgets for it, and keeps it."""
    # Not installed with us: a notebook brings it.
    ipython = importlib.import_module("IPython.display")
    handle, due = None, 0.0

    def show(done: float, text: str) -> None:
        nonlocal handle, due
        if time.monotonic() < due and done < 1:
            return
        due = time.monotonic() + CELL_SECONDS
        bar = ipython.HTML(
            f'{escape(title)} <progress value="{done:.4f}" max="1" '
            'style="vertical-align: middle; margin: 0 .5em"></progress> '
            f"{done:.0%} {escape(text)}"
        )
        if handle is None:
            handle = ipython.display(bar, display_id=True)
        else:
            handle.update(bar)

    return show


def _lines(title: str, console: Console) -> Show:
    due = time.monotonic() + LINE_SECONDS

    def show(done: float, text: str) -> None:
        nonlocal due
        if time.monotonic() < due and done < 1:
            return
        due = time.monotonic() + LINE_SECONDS
        line = f"{title}: {done:.0%}, {text}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return show
