"""What a run is doing, seen from another process, which has no model and no data."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from simplicert.votes.holding import is_run_held, shares_of
from simplicert.votes.manifest import Manifest
from simplicert.votes.progress import Progress
from simplicert.votes.run import RunDirectory

__all__ = ["RunStatus", "ShareStatus", "run_status"]


@dataclass(frozen=True, kw_only=True)
class ShareStatus:
    """One share of a run that several processes divide.

    Attributes:
        number: Counted from 1.
        draws: On disk.
        total: Of the share.
        drawing: Whether a process is drawing it now.
    """

    number: int
    draws: int
    total: int
    drawing: bool


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """A run at one moment.

    Attributes:
        manifest: What it is.
        progress: What it holds.
        held: Whether some process draws into it, or joins its parts.
        shares: How it is divided, as far as the locks of those that draw it tell.
    """

    manifest: Manifest
    progress: Progress
    held: bool
    shares: tuple[ShareStatus, ...]

    @property
    def drawing(self) -> int:
        """How many processes draw now."""
        return sum(share.drawing for share in self.shares) or int(self.held)

    @property
    def speed(self) -> float:
        """Draws a second of one process, so far; NaN where the parts do not say."""
        seconds = self.progress.seconds
        return self.progress.draws / seconds if seconds > 0 else math.nan

    @property
    def missing(self) -> int:
        """Draws that are still to be written by the slowest of those that draw now.

        At most, where images may stop before the last look.
        """
        whole = self.progress.total - self.progress.draws
        if not any(share.drawing for share in self.shares):
            return whole
        return max(share.total - share.draws for share in self.shares if share.drawing)

    @property
    def seconds_left(self) -> float:
        """Until those that draw now have ended; of one process, if none does."""
        return self.missing / self.speed if self.missing else 0.0


def run_status(path: Path | str) -> RunStatus:
    """How far a run is and who draws it; others may be at it meanwhile.

    Raises:
        InputError: ``path`` is no run, or holds parts of another.
    """
    run = RunDirectory(path)
    locks = shares_of(path)
    return RunStatus(
        manifest=run.manifest,
        progress=run.progress(),
        held=is_run_held(path),
        shares=_shares(run, locks) if locks else (),
    )


def tasks_of(plan: Manifest) -> Int[np.ndarray, " blocks"]:
    """The number of the task that each block belongs to, image by image.

    A share is every so many-th task. Needed here without what draws them; of a run
    whose blocks are all of one size.
    """
    assert plan.block is not None
    group = max(1, plan.batch // plan.block)
    return np.arange(len(plan.images) * plan.blocks) // group


def _shares(
    run: RunDirectory, locks: dict[tuple[int, int], bool]
) -> tuple[ShareStatus, ...]:
    block = run.manifest.block
    if block is None:  # images are not divided: whoever is free goes on with one
        return ()
    now = {world for (_, world), there in locks.items() if there}
    worlds = list(now or {world for _, world in locks})
    tasks = tasks_of(run.manifest)
    if len(worlds) != 1 or worlds[0] > len(tasks):
        return ()  # divided anew, or into more than there are: nothing to say by share
    world = worlds[0]
    done = run.done(skip_damaged=True).ravel()
    total = np.bincount(tasks % world, minlength=world) * block
    drawn = np.bincount(tasks[done] % world, minlength=world) * block
    return tuple(
        ShareStatus(
            number=rank + 1,
            draws=int(drawn[rank]),
            total=int(total[rank]),
            drawing=locks.get((rank, world), False),
        )
        for rank in range(world)
    )
