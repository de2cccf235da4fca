"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_SECONDS = 10.0
"""Between two lines where stderr is not a terminal."""


class DrawProgress:
    """Shows how far sampling is, in draws a second and time left."""

    def __init__(self, title: str, bar: Progress | None) -> None:
        self._title, self._bar = title, bar
        self._task = None if bar is None else bar.add_task(title, total=None, rate="")
        self._first: tuple[float, int] | None = None
        self._printed = 0.0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` draws are counted."""
        now = time.monotonic()
        if self._first is None:  # what an earlier session drew is not this one's speed
            self._first = (now, done)
        start, before = self._first
        speed = (done - before) / (now - start) if now > start else 0.0
        rate = f"{speed:,.0f} draws/s" if speed else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, rate=rate)
        elif now - self._printed > LINE_SECONDS or done == total:
            self._printed = now
            left = f", {(total - done) / speed:,.0f} s left" if speed else ""
            print(
                f"{self._title}: {done:,} of {total:,} draws ({done / total:.0%})"
                + (f", {rate}{left}" if rate else ""),
                file=sys.stderr,
                flush=True,
            )


@contextmanager
def draw_progress(title: str) -> Iterator[DrawProgress]:
    """A progress display for ``sample``."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield DrawProgress(title, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield DrawProgress(title, bar)
