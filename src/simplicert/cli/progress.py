"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from simplicert.cli.printing import escaped, note

if TYPE_CHECKING:
    from simplicert.training import Progress as Epochs

LINE_SECONDS = 10.0
"""Between two lines where stderr is not a terminal."""


@contextmanager
def draw_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """For ``sample``: draws, draws a second, time left."""
    first: tuple[float, int] | None = None
    with _display(title) as show:

        def progress(done: int, total: int) -> None:
            nonlocal first
            now = time.monotonic()
            if first is None:  # an earlier session's draws are not this one's speed
                first = (now, done)
            drawn, seconds = done - first[1], now - first[0]
            text = f"{done:,} of {total:,} draws"
            if drawn:
                speed = drawn / seconds
                text += f", {speed:,.0f} draws/s, {(total - done) / speed:,.0f} s left"
            show(done / total, text)

        yield progress


@contextmanager
def training_progress(title: str) -> "Iterator[Callable[[Epochs], None]]":
    """For ``train``: epoch, loss, accuracy under noise, images a second, time left."""
    with _display(title) as show:
        yield lambda progress: show(progress.done, str(progress))


@contextmanager
def _display(title: str) -> Iterator[Callable[[float, str], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title)
        return
    columns = (
        TextColumn("{task.fields[title]}", markup=False),  # a name may look like it
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("", total=1.0, title=escaped(title))

        def show(done: float, text: str) -> None:
            bars.update(task, completed=done, description=text)

        yield show


def _lines(title: str) -> Callable[[float, str], None]:
    due = time.monotonic() + LINE_SECONDS

    def show(done: float, text: str) -> None:
        nonlocal due
        if time.monotonic() < due and done < 1:
            return
        due = time.monotonic() + LINE_SECONDS
        note(f"{title}: {done:.0%}, {text}")

    return show
