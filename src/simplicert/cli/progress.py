"""Progress of the two long commands, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simplicert.sampling.progress import display, draw_progress
from simplicert.training import Progress as Epochs

__all__ = ["draw_progress", "training_progress"]


@contextmanager
def training_progress(title: str) -> Iterator[Callable[[Epochs], None]]:
    """For ``train``: epoch, loss, accuracy under noise, images a second, time left."""
    with display(title) as show:
        yield lambda progress: show(progress.done, str(progress))
