"""Several processes on one run.

A worker takes every ``world``-th task of the run, writes its own parts and talks to
nobody. Workers of a launcher wait for the first to start the run; of those that were
started one by one, whoever comes first does.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from simplicert.errors import InputError
from simplicert.machine.refusal import was_launched_here
from simplicert.machine.workers import share_of_this_process
from simplicert.votes import Manifest, RunDirectory
from simplicert.votes.holding import holding_run, holding_share

START_SECONDS = 600.0
"""How long a worker waits for the first one to start the run."""


def wait_for_run(path: Path | str) -> None:
    """Wait until worker 0 has written the run's manifest.

    Raises:
        InputError: It has not in ten minutes.
    """
    deadline = time.monotonic() + START_SECONDS
    while RunDirectory.manifest_at(path) is None:
        if time.monotonic() > deadline:
            raise InputError(
                f"worker 0 did not start {path} in {START_SECONDS:.0f} s: is the "
                "directory on a disk that all workers share?"
            )
        time.sleep(0.2)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What this process does among those that draw one run.

    Attributes:
        rank: Among the processes of one launcher.
        world: How many those are.
        job: ``(rank, world)`` of its share of the run, if it is one of a job array.
        launched: Whether torchrun started it, or a command of ours by torchrun.
    """

    rank: int
    world: int
    job: tuple[int, int] | None
    launched: bool

    @classmethod
    def find(cls, *, share: str | None, processes: int) -> "Place":
        """Of this process, by its environment and the command's options.

        Raises:
            InputError: ``share`` is none.
        """
        given = share_of_this_process()
        rank, world = given or (0, processes)
        job = parse_share(share) if share is not None else None
        return cls(rank=rank, world=world, job=job, launched=given is not None)

    @property
    def drawers(self) -> int:
        """Processes that draw the run, if all its shares are drawn at once."""
        return self.world * (self.job or (0, 1))[1]

    @property
    def leads(self) -> bool:
        """Whether it says what concerns them all; launched by us it need not."""
        return self.rank == 0 and not was_launched_here()

    @property
    def launches(self) -> bool:
        """Whether it starts others, which draw."""
        return self.world > 1 and not self.launched

    @property
    def has_company(self) -> bool:
        """Whether others, which it did not start, may draw into the run."""
        return self.job is not None or self.launched

    @property
    def share(self) -> tuple[int, int]:
        """``(rank, world)``: its tasks, among those of all that draw the run.

        Example:
            >>> Place(rank=1, world=2, job=(2, 32), launched=True).share
            (34, 64)
        """
        number, shares = self.job or (0, 1)
        return (number + shares * self.rank, self.drawers)


def parse_share(text: str) -> tuple[int, int]:
    """``"3/32"``, the third of 32 shares, as ``(rank, world)``.

    Raises:
        InputError: It is no share.

    Example:
        >>> parse_share("3/32")
        (2, 32)
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    number, world = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= world:
        raise InputError(
            f"--share {text}: write it as K/N, the K-th of N shares, counted from 1, "
            "as in 3/32"
        )
    return number - 1, world


ALONE = Place(rank=0, world=1, job=None, launched=False)


@contextmanager
def writer(
    path: Path | str, plan: Manifest, *, place: Place = ALONE
) -> Iterator[RunDirectory]:
    """Create the run, or continue it, while no other process draws the same.

    Raises:
        InputError: Another process does; ``path`` holds another run.
    """
    run = RunDirectory.open_or_create(path, plan)
    ours = was_launched_here()  # then who launched it holds the run
    draws_a_share = place.has_company and not place.launches
    with (
        nullcontext() if ours else holding_run(path, among_others=place.has_company),
        holding_share(path, place.share) if draws_a_share else nullcontext(),
    ):
        if place.leads:
            run.set_damaged_aside()
        yield run
