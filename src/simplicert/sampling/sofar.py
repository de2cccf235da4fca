"""What is known of a run whose images stop, and who stops next."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from simplicert.stopping import Rule, asked, draws_to_come
from simplicert.votes import Votes
from simplicert.votes.adding import votes_of
from simplicert.votes.rows import VoteRows

if TYPE_CHECKING:
    from simplicert.sampling.memory import MemoryRun
    from simplicert.votes import RunDirectory

__all__ = ["Images", "SoFar"]

Images = Int[np.ndarray, " images"]
"""By position in the run."""


class SoFar:
    """The votes of the images that go on, of which a rule decides.

    Args:
        run: What is there already is taken from it.
        rule: What stops an image: the manifest's.
        ended: Told of all votes of images that stop.

    Attributes:
        found: What there is.
    """

    def __init__(
        self,
        run: "RunDirectory | MemoryRun",
        rule: Rule,
        *,
        ended: Callable[[Votes], None] | None = None,
    ) -> None:
        self._run, self._plan, self._rule = run, run.manifest, rule
        self._ended = ended
        assert self._plan.rule is not None
        self._alpha = float(self._plan.rule["alpha"])
        self.load()

    def load(self) -> None:
        """Take all from the run anew, also what others have written."""
        self.found = self._run.found(skip_damaged=True)
        self._sums: dict[int, dict[str, np.ndarray]] = {}
        # What comes after a block that was lost is drawn again, as it was.
        self.found.forget_the_rest()
        stopped = self.found.stopped
        for rows in self._run.rows(skip_damaged=True):
            where = self.found.where(rows)
            use = ~stopped[where] & self.found.counts(rows)
            self._add(where[use], rows.take(use))

    def _add(self, where: Images, rows: VoteRows) -> None:
        for row, position in enumerate(where.tolist()):
            own = {name: values[row] for name, values in rows.columns.items()}
            before = self._sums.get(position)
            if before is not None:
                own = {name: before[name] + values for name, values in own.items()}
            self._sums[position] = own

    def take(self, rows: VoteRows) -> VoteRows:
        """Add what was drawn next of some images.

        Returns:
            The rows that were not there yet; the last of an image is marked.
        """
        where = self.found.where(rows)
        new = ~self.found.blocks[where, rows.blocks]
        rows, where = rows.take(new), where[new]
        self._add(where, rows)
        last = rows.blocks == self._plan.blocks - 1
        for look in np.unique(rows.blocks[~last]).tolist():
            here = np.flatnonzero(rows.blocks == look)
            last[here] = asked(self._rule, self._votes(where[here], look), self._alpha)
        rows = replace(rows, last=last)
        self.found.add(rows)
        if self._ended is not None and last.any():
            self._ended(self._votes(where[last], rows.blocks[last]))
        self.forget(where[last])
        return rows

    def forget(self, images: Images) -> None:
        """Keep no sums of images of which no more will be drawn."""
        for position in images.tolist():
            self._sums.pop(position, None)

    def to_come(self, images: Images) -> Int[np.ndarray, " images"]:
        """How many draws each image needs, if its votes go on so."""
        looks = self.found.have_at(images) - 1
        needed = np.zeros(len(images), dtype=np.int64)
        for look in np.unique(looks).tolist():
            here = looks == look
            votes = self._votes(images[here], look)
            needed[here] = draws_to_come(self._rule, votes, self._alpha)
        return needed

    def _votes(self, images: Images, look: int | Images) -> Votes:
        """What these images have, which is all up to a look."""
        sums = [self._sums[position] for position in images.tolist()]
        return votes_of(
            self._plan,
            images,
            {name: np.stack([each[name] for each in sums]) for name in sums[0]},
            draws=self._plan.draws_until(np.broadcast_to(look, len(images)) + 1),
            draw_seconds=None,
            looks=tuple(self._plan.looks),
        )
