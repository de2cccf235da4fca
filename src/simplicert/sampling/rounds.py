"""Runs whose images stop: what is drawn next, as the votes so far decide.

An image gets its draws look by look, and none after the look at which the run's rule
says so. Early looks take few draws: what is left of a *cohort*, some neighbours in the
run, shares their forward passes. A late look fills several passes: an image has them to
itself. So what is drawn next, and beside what, depends on the manifest and on votes
alone: whoever goes on, after whatever interruption, draws what would have been drawn
without it.

Who draws a share of a run has every so many-th cohort, and needs nobody for that. The
late looks of an image are for whoever claims it: most draws are those of few images.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simplicert.errors import InputError
from simplicert.machine.locks import Claims
from simplicert.sampling.engine import Drawer, Task
from simplicert.sampling.outgoing import Outgoing
from simplicert.sampling.progress import Told
from simplicert.sampling.sofar import Images, SoFar
from simplicert.sampling.tally import Tally
from simplicert.stopping import Rule
from simplicert.votes import Manifest
from simplicert.votes.rows import VoteRows

if TYPE_CHECKING:
    from simplicert.sampling.memory import MemoryRun
    from simplicert.votes import RunDirectory

__all__ = ["Rounds", "check_alone", "cohorts_of", "first_late"]

FULL_BATCHES = 8
"""That a cohort's first look fills, if there are images enough."""

COHORTS = 16
"""At least so many, if there are as many images: they are shared out whole."""

LATE_BATCHES = 3
"""A look is late that takes as many passes or more."""


def cohorts_of(plan: Manifest) -> list[Images]:
    """The images of a run in groups that share passes at early looks."""
    images, first = len(plan.images), plan.looks[0].draws
    size = min(math.ceil(FULL_BATCHES * plan.batch / first), -(-images // COHORTS))
    return np.split(np.arange(images), range(size, images, size))


def first_late(plan: Manifest) -> int:
    """The number of the first late look, counted from 0; of all looks, if none is.

    An image's first is never late.
    """
    draws = plan.draws_in(np.arange(plan.blocks))
    late = np.flatnonzero(draws[1:] >= LATE_BATCHES * plan.batch)
    return int(late[0]) + 1 if len(late) else plan.blocks


def check_alone(rule: Rule, *, drawers: int) -> None:
    """Refuse a total that several would spend: which image is next, only one can see.

    Raises:
        InputError: There are several.
    """
    if rule.total is not None and drawers > 1:
        raise InputError(
            f"a budget is spent by one process, which sees all images, not by {drawers}"
        )


@dataclass(frozen=True)
class _Lane:
    """Images that are drawn together, up to a look."""

    images: Images
    end: int


class Rounds:
    """Draws a run whose images stop, or a share of it.

    Args:
        run: What is there already is taken from it.
        rule: What stops an image: the manifest's.
        out: Where the votes go.
        share: ``(rank, world)``, among those who draw the run. One alone, if the rule
            has a total: which image is nearest to a decision is seen by nobody else.
        claims: Of images by position, if others may draw them.
    """

    def __init__(
        self,
        run: "RunDirectory | MemoryRun",
        rule: Rule,
        *,
        out: Outgoing,
        share: tuple[int, int] = (0, 1),
        claims: Claims | None = None,
    ) -> None:
        self._plan, self._rule, self._out = run.manifest, rule, out
        self._claims, self._claimed = claims, set[int]()
        rank, world = share
        self._cohorts = cohorts_of(self._plan)[rank::world]
        self._mine = np.zeros(len(self._plan.images), dtype=bool)
        for cohort in self._cohorts:
            self._mine[cohort] = True
        self._late = 1 if rule.total is not None else first_late(self._plan)
        self._counts = self._claim_counts()
        self._so_far = SoFar(run, rule)
        found, plan = self._so_far.found, self._plan
        have, self._decided = found.have[self._mine], found.stopped & self._mine
        most = np.where(self._decided[self._mine], have, plan.blocks)
        self._drawn = int(plan.draws_until(have).sum())
        self._most = int(plan.draws_until(most).sum())

    def draw(self, drawer: Drawer, *, ahead: int = 0, told: Told | None = None) -> None:
        """Draw what this process has to, and then what others have not come to.

        Args:
            drawer: Draws.
            ahead: How many lanes are drawn while the votes of another are waited for.
            told: Told the draws so far, the most that there can be, and what is
                decided.
        """
        self._tell(told)
        for rows in self._all(drawer, ahead):
            self._out.take(rows)
            self._give_back()
            if self._count(rows):
                self._tell(told)

    def _all(self, drawer: Drawer, ahead: int) -> Iterator[VoteRows]:
        early = (_Lane(cohort, self._late) for cohort in self._cohorts)
        yield from self._fly(early, drawer, ahead)
        if self._rule.total is not None:
            yield from self._nearest_first(drawer)
            return
        self._publish()
        mine = np.flatnonzero(self._mine)
        # Of others those first which they come to last.
        others = np.flatnonzero(~self._mine)[::-1]
        yield from self._fly(self._late_ones(mine), drawer, ahead)
        while self._claims is not None:
            self._publish()
            self._look_around()
            helped = False
            anyone = self._late_ones(np.concatenate([mine, others]))
            for rows in self._fly(anyone, drawer, ahead):
                helped = True
                yield rows
            if not helped:
                break
        self._publish()

    def _late_ones(self, images: Images) -> Iterator[_Lane]:
        for position in images.tolist():
            if self._goes_on(position) and self._claim(position):
                if self._goes_on(position):  # also after what others have drawn
                    yield _Lane(np.array([position]), self._plan.blocks)
                else:
                    self._let_go(position)

    def _goes_on(self, position: int) -> bool:
        """Whether an image has what its cohort draws, and is not decided."""
        found, alone = self._so_far.found, np.array([position])
        return bool(found.have_at(alone) >= self._late and not found.stopped_at(alone))

    def _fly(
        self, lanes: Iterable[_Lane], drawer: Drawer, ahead: int
    ) -> Iterator[VoteRows]:
        """Each lane look by look, some of them at a time."""
        flying: deque[tuple[_Lane, Task, Tally]] = deque()
        lanes = iter(lanes)

        def go_on(lane: _Lane) -> None:
            task = self._next(lane)
            if task is not None:
                flying.append((lane, task, drawer.begin(task)))

        while True:
            while len(flying) <= ahead and (lane := next(lanes, None)) is not None:
                go_on(lane)
            if not flying:
                return
            lane, task, tally = flying.popleft()
            yield self._so_far.take(drawer.fetch([(task, tally)]))
            go_on(lane)

    def _next(self, lane: _Lane) -> Task | None:
        """The first look that an image of a lane lacks, in the company of then."""
        found = self._so_far.found
        have = found.have_at(lane.images)
        lack = ~found.stopped_at(lane.images) & (have < lane.end)
        if not lack.any():
            return None
        look = int(have[lack].min())
        there = lane.images[(have > look) | (lack & (have == look))]
        return Task(positions=there, blocks=np.full(len(there), look))

    def _nearest_first(self, drawer: Drawer) -> Iterator[VoteRows]:
        """Looks of the images that are nearest to a decision, while the total lasts."""
        plan, found = self._plan, self._so_far.found
        waiting: list[tuple[int, int, int]] = []

        def wait(images: Images) -> None:
            have = found.have_at(images)
            needed = self._so_far.to_come(images)
            needed[have < found.reach[images]] = 0  # first what was lost
            for order in np.stack([needed, have, images], axis=1).tolist():
                heapq.heappush(waiting, tuple(order))

        wait(np.flatnonzero(~found.stopped))
        while (left := found.left) is not None:
            images, looks, draws, reach = [], [], 0, found.reach
            while waiting and draws < FULL_BATCHES * plan.batch:
                _, look, position = heapq.heappop(waiting)
                size = int(plan.draws_in(np.array([look]))[0])
                size = 0 if look < reach[position] else size  # is paid for
                if draws + size <= left:  # else it will not fit later either
                    images.append(position)
                    looks.append(look)
                    draws += size
            if not images:
                return
            task = Task(positions=np.array(images), blocks=np.array(looks))
            rows = self._so_far.take(drawer.fetch([(task, drawer.begin(task))]))
            yield rows
            assert rows.last is not None
            wait(found.where(rows)[~rows.last])

    def _count(self, rows: VoteRows) -> bool:
        """Whether some are of this process's own images, whose draws are told."""
        assert rows.last is not None
        where = self._so_far.found.where(rows)
        own = self._mine[where]
        self._drawn += int(self._plan.draws_in(rows.blocks[own]).sum())
        last = own & rows.last
        until = self._plan.draws_until(rows.blocks[last] + 1)
        self._most -= int((self._plan.draws - until).sum())
        self._decided[where[last]] = True
        return bool(own.any())

    def _tell(self, told: Told | None) -> None:
        if told is None:
            return
        total = self._plan.total
        most = self._most if total is None else min(self._most, total)
        decided, images = np.count_nonzero(self._decided), np.count_nonzero(self._mine)
        told(self._drawn, most, f"{decided:,} of {images:,} images decided")

    def _claim(self, position: int) -> bool:
        """Whether nobody else draws an image, of which then all is known."""
        if self._claims is None:
            return True
        if not self._claims.take(position):
            return False
        self._claimed.add(position)
        if self._claims.counts()[position] != self._counts[position]:
            self._publish()
            self._look_around()
        return True

    def _claim_counts(self) -> bytes:
        return b"" if self._claims is None else self._claims.counts()

    def _look_around(self) -> None:
        """Take what others have written; of ours all is written."""
        self._counts = self._claim_counts()
        self._so_far.load()

    def _publish(self) -> None:
        """Write what waits, for others to see, and give back what is drawn."""
        if self._claims is not None:
            self._out.flush()
            self._give_back()

    def _give_back(self) -> None:
        """Images that have ended, as soon as what was drawn of them is written."""
        claimed = np.array(sorted(self._claimed), dtype=np.int64)
        if self._out.is_empty:
            for position in claimed[self._so_far.found.stopped_at(claimed)].tolist():
                self._let_go(position)

    def _let_go(self, position: int) -> None:
        if self._claims is not None:
            self._claims.give_back(position)
            self._claimed.remove(position)
