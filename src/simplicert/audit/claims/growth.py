"""An image's votes as they grew, block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from simplicert.votes import Manifest, Votes
from simplicert.votes.adding import votes_of
from simplicert.votes.rows import Positions, VoteRows

__all__ = ["Stage", "growth"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """Images that have so many blocks, at least.

    Attributes:
        number: Of the last of these blocks, 0 being the first.
        at: The row of that block, of each image.
        positions: Of the images in the run.
        sums: Evidence by column: images × classes, over all their blocks until then.
    """

    number: int
    at: Int[np.ndarray, " images"]
    positions: Int[np.ndarray, " images"]
    sums: Mapping[str, np.ndarray]

    def votes(self, manifest: Manifest) -> Votes:
        """What a stopping rule is asked of."""
        draws = int(manifest.draws_until(np.array([self.number + 1]))[0])
        return votes_of(
            manifest,
            self.positions,
            self.sums,
            draws=np.full(len(self.positions), draws),
            draw_seconds=None,
            looks=tuple(manifest.looks),
        )


def growth(rows: VoteRows, manifest: Manifest) -> Iterator[Stage]:
    """Stage by stage; an image is in those before its first gap.

    Args:
        rows: Each block at most once.
        manifest: The run's.
    """
    position = Positions(manifest.images)(rows.images)
    # Zero is none: memory is taken only where there are rows.
    row_of = np.zeros((len(manifest.images), manifest.blocks), dtype=np.int64)
    row_of[position, rows.blocks] = np.arange(1, len(position) + 1)
    sums: dict[str, np.ndarray] = {}
    here = np.arange(len(row_of))
    for number in range(manifest.blocks):
        there = row_of[here, number] > 0
        here = here[there]
        if not len(here):
            return
        at = row_of[here, number] - 1
        for name, values in rows.columns.items():
            before = sums[name][there] if number else 0
            sums[name] = before + values[at]
        yield Stage(number=number, at=at, positions=here, sums=dict(sums))
