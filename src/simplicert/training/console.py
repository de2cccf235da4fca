"""Progress for people: a live line on a terminal, or one now and then in a log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskProgressColumn, TextColumn

from simplicert.training.progress import Progress, Watcher

_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def console_progress(name: str) -> Iterator[Watcher]:
    """A watcher that writes to standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(name, console)
        return
    text = TextColumn("{task.description}")
    with Bars(TaskProgressColumn(), text, console=console) as bars:
        task = bars.add_task(name, total=1.0)
        yield lambda progress: bars.update(
            task, completed=progress.done, description=str(progress)
        )


class _Lines:
    def __init__(self, name: str, console: Console) -> None:
        self._name = name
        self._console = console
        self._due = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._due and progress.done < 1:
            return
        self._due = time.monotonic() + _SECONDS_BETWEEN_LINES
        line = f"{self._name}: {progress}"
        self._console.print(line, soft_wrap=True, highlight=False)
