"""Inputs that come one after another, drawn together look by look.

The images of a run are known before it starts; those of a service are not. Each that
comes takes the next place of a run, and so has noise of its own. Whoever is there is
drawn in the same passes, whatever look each has come to.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from simplicert.errors import InputError
from simplicert.machine.device import cpu_threads
from simplicert.sampling.engine import Drawer, Task
from simplicert.sampling.outgoing import Outgoing
from simplicert.sampling.rounds import FULL_BATCHES
from simplicert.sampling.sofar import Images, SoFar
from simplicert.stopping import Rule
from simplicert.votes import Votes

if TYPE_CHECKING:
    from simplicert.sampling.memory import MemoryRun
    from simplicert.sampling.sampler import Sampler
    from simplicert.votes import RunDirectory

__all__ = ["DrawError", "Live", "live"]


class DrawError(InputError):
    """The classifier failed at some inputs, of which nothing was drawn.

    Attributes:
        positions: Which shared its passes.
    """

    def __init__(self, error: InputError, positions: Images) -> None:
        super().__init__(str(error))
        self.positions = positions


class Live:
    """Draws what is asked for next, of a run whose images come as time goes on.

    Args:
        drawer: Draws.
        so_far: What is known of the run.
        out: Where the votes go.
    """

    def __init__(self, drawer: Drawer, so_far: SoFar, out: Outgoing) -> None:
        self._drawer, self._so_far, self._out = drawer, so_far, out
        self._plan = drawer.plan

    def draw(self, positions: Sequence[int], *, most: int) -> tuple[Images, int]:
        """Draw the next look of some of these images, none of which has stopped.

        The first of them is always among those. Of the others those come first whose
        next look takes the fewest draws, and no more looks than fill some passes: who
        comes first to a look waits there for others, as each look is asked about once.

        Args:
            positions: Which wait, by position in the run.
            most: Draws at a time, but for the first image's.

        Returns:
            Which have stopped with it, and how many draws it took.

        Raises:
            DrawError: The classifier raises, or returns what it should not.
            InputError: It is no function of its input: nothing more can be drawn.
        """
        waiting = np.array(positions, dtype=np.int64)
        looks = self._so_far.found.have_at(waiting)
        sizes = self._plan.draws_in(looks)
        chosen = _together(sizes, enough=FULL_BATCHES * self._plan.batch, most=most)
        task = Task(positions=waiting[chosen], blocks=looks[chosen])
        try:
            drawn = self._drawer.fetch([(task, self._drawer.begin(task))])
        except InputError as error:
            raise DrawError(error, task.positions) from error
        rows = self._so_far.take(drawn)
        self._out.take(rows)
        assert rows.last is not None
        return self._so_far.found.where(rows)[rows.last], int(sizes[chosen].sum())

    def give_up(self, positions: Int[np.ndarray, " images"]) -> None:
        """Draw no more of these; what was drawn of them stays."""
        self._so_far.forget(positions)

    def flush(self) -> None:
        """Write all that was drawn; when this returns, it is in the run.

        Raises:
            InputError: The classifier has changed: what it drew is dropped.
        """
        self._out.flush()


def _together(
    sizes: Int[np.ndarray, " waiting"], *, enough: int, most: int
) -> Int[np.ndarray, " chosen"]:
    """Whose next looks are drawn together: the first's, and the smallest others'.

    Args:
        sizes: Draws of each one's next look.
        enough: Draws after which no further size of look is begun.
        most: Draws of all of them.

    Example:
        >>> _together(np.array([50, 10, 10, 20, 30]), enough=20, most=100)
        array([0, 1, 2])
        >>> _together(np.array([50, 10, 10, 20, 30]), enough=30, most=65)
        array([0, 1])
    """
    order = 1 + np.argsort(sizes[1:], kind="stable")
    ahead = np.cumsum(sizes[order]) - sizes[order]
    begun = order[ahead < enough]
    largest = sizes[begun[-1]] if len(begun) else 0
    fit = (sizes[order] <= largest) & (sizes[0] + ahead + sizes[order] <= most)
    return np.sort(np.concatenate([[0], order[fit]]))


@contextmanager
def live(
    sampler: "Sampler",
    run: "RunDirectory | MemoryRun",
    rule: Rule,
    *,
    read: Callable[[Int[np.ndarray, " n"]], np.ndarray],
    ended: Callable[[Votes], None],
) -> Iterator[Live]:
    """What draws a run whose images come as time goes on.

    Args:
        sampler: The classifier, made ready for such inputs.
        run: Where the votes go.
        rule: What stops an image: the manifest's.
        read: Inputs by position in the run, of those that have come.
        ended: Told of all votes of images that stop, before they are written.
    """
    plan = run.manifest
    out = Outgoing(
        run,
        sampler.asked,
        draws=len(plan.images) * plan.looks[0].draws,
        nonfinite=sampler.nonfinite,
        flush=math.inf,  # before every answer
    )
    with cpu_threads(plan.threads), out:
        drawer = sampler.drawer(plan, heard=out.hear, read=read)
        yield Live(drawer, SoFar(run, rule, ended=ended), out)
