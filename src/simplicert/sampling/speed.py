"""How fast a classifier is: some tasks of a run are timed, and not counted."""

import itertools
import time
from collections.abc import Iterator

import torch

from simplicert.sampling.engine import Drawer, Task, Tasks, buffer_draws
from simplicert.votes import Manifest

__all__ = ["measured", "shortened"]


def shortened(plan: Manifest, *, most: int | None) -> Manifest:
    """The plan with tasks no longer than it takes to show.

    A block of photographs can be minutes; and no task has more than ``most`` draws.
    """
    draws = min(plan.block or plan.draws, buffer_draws(plan.data.shape, plan.batch))
    most = most or max(draws, plan.batch)
    return plan.model_copy(
        update={"block": min(draws, most), "batch": min(plan.batch, most)}
    )


def measured(drawer: Drawer, plan: Manifest, *, seconds: float | None) -> float:
    """Draws a second, for about so long, after a task to warm up; or in one task."""
    tasks = itertools.cycle(Tasks(plan))
    assert plan.block is not None
    began, drawn, block = 0.0, 0, plan.block

    def for_a_while() -> Iterator[Task]:
        nonlocal began, drawn
        if seconds is not None:
            yield next(tasks)
        if drawer.device.type == "cuda":
            torch.cuda.synchronize(drawer.device)
        began = time.monotonic()
        while drawn == 0 or time.monotonic() - began < (seconds or 0.0):
            task = next(tasks)
            drawn += len(task.blocks) * block
            yield task

    for _ in drawer.votes(for_a_while()):
        pass
    return drawn / (time.monotonic() - began)
