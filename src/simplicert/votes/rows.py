"""Votes block by block: what workers produce and parts hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError
from simplicert.votes.manifest import Manifest


class OtherRivalsError(InputError):
    """Blocks of one image with margins of different classes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VoteRows:
    """Votes of some blocks: what a worker writes and a part holds.

    Attributes:
        images: Index in the dataset of each row's image.
        blocks: Each row's block, 0 being an image's first.
        columns: Evidence by the names of ``COLUMNS``, in their order, over one block's
            draws.
        rivals: Whose margins they are, if there are any, as ``Votes.rivals``; the same
            in all blocks of an image.
        draw_seconds: Time that each block's draws took; NaN where it is not known. No
            evidence: nothing is refused for it, and no digest depends on it.
        last: Of a run that stops images: whether no more was to be drawn of the image.
    """

    images: Int[np.ndarray, " rows"]
    blocks: Int[np.ndarray, " rows"]
    columns: Mapping[str, Shaped[np.ndarray, "rows _"]]
    draw_seconds: Float[np.ndarray, " rows"]
    last: Bool[np.ndarray, " rows"] | None = None
    rivals: Int[np.ndarray, "rows chosen"] | None = None

    @property
    def counts(self) -> Int[np.ndarray, "rows classes"]:
        """The hard votes, which every run has."""
        return self.columns["counts"]

    @property
    def nbytes(self) -> int:
        """Memory that the evidence takes."""
        return sum(values.nbytes for values in self.columns.values())

    @classmethod
    def join(cls, parts: "Sequence[VoteRows]") -> "VoteRows":
        """All rows of several of the same run."""
        return cls(
            images=np.concatenate([part.images for part in parts]),
            blocks=np.concatenate([part.blocks for part in parts]),
            columns={
                name: np.concatenate([part.columns[name] for part in parts])
                for name in parts[0].columns
            },
            draw_seconds=np.concatenate([part.draw_seconds for part in parts]),
            last=_joined([part.last for part in parts]),
            rivals=_joined([part.rivals for part in parts]),
        )

    def take(self, mask: Bool[np.ndarray, " rows"]) -> "VoteRows":
        """Only the rows where ``mask`` is true."""
        return VoteRows(
            images=self.images[mask],
            blocks=self.blocks[mask],
            columns={name: values[mask] for name, values in self.columns.items()},
            draw_seconds=self.draw_seconds[mask],
            last=None if self.last is None else self.last[mask],
            rivals=None if self.rivals is None else self.rivals[mask],
        )


def _joined(
    each: Sequence[np.ndarray | None],
) -> Shaped[np.ndarray, "rows ..."] | None:
    """Those of several parts, which all have them or all have not."""
    there = [values for values in each if values is not None]
    return np.concatenate(there) if there else None


class Positions:
    """Dataset index → position in the run; -1 where the run does not have it."""

    def __init__(self, images: list[int]) -> None:
        self._indices = np.array(images, dtype=np.int64)
        self._order = np.argsort(self._indices)

    def __call__(self, images: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        """Positions of these images."""
        at = np.searchsorted(self._indices, images, sorter=self._order)
        where = self._order[np.minimum(at, len(self._order) - 1)]
        return np.where(self._indices[where] == images, where, -1)


class Found:
    """Which blocks of a run there are, and which images need no more.

    Args:
        manifest: The run's.

    Attributes:
        blocks: Which there are: images × blocks.
        rivals: Whose margins each image's blocks are of; -1 where it has none yet.
            ``None`` of a run without.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest, self._position = manifest, Positions(manifest.images)
        self.rivals: Int[np.ndarray, "images chosen"] | None = None
        if manifest.margins is not None:
            shape = len(manifest.images), manifest.margins.rivals + 1
            self.rivals = np.full(shape, -1, dtype=np.int64)
        self.blocks = np.zeros((len(manifest.images), manifest.blocks), dtype=bool)
        self._ends = np.full(len(self.blocks), manifest.blocks)
        self._reached = np.zeros(len(self.blocks), dtype=np.int64)

    def where(self, rows: VoteRows) -> Int[np.ndarray, " rows"]:
        """The positions of their images."""
        return self._position(rows.images)

    def add(self, rows: VoteRows) -> Int[np.ndarray, " rows"]:
        """Add some rows; returns the positions of their images.

        Raises:
            OtherRivalsError: Another block has margins of other classes.
        """
        where = self.where(rows)
        self.blocks[where, rows.blocks] = True
        if self.rivals is not None and rows.rivals is not None:
            self._add_rivals(self.rivals, rows.rivals, where)
        if rows.last is not None:  # of several marks the first counts
            np.minimum.at(self._ends, where[rows.last], rows.blocks[rows.last] + 1)
        return where

    def _add_rivals(
        self,
        known: Int[np.ndarray, "images chosen"],
        rivals: Int[np.ndarray, "rows chosen"],
        where: Int[np.ndarray, " rows"],
    ) -> None:
        new = known[where, 0] < 0
        known[where[new]] = rivals[new]
        other = (known[where] != rivals).any(axis=1)
        if other.any():
            image = self._manifest.images[int(where[int(np.argmax(other))])]
            raise OtherRivalsError(
                f"image {image} has blocks with margins of different classes: they "
                "cannot be added up. One of them was edited, or is another run's"
            )

    def counts(self, rows: VoteRows) -> Bool[np.ndarray, " rows"]:
        """Which rows are of what each image has.

        Not what comes after a block that was lost, or after an image's last, as that
        may be another one when it is drawn again.
        """
        counted: np.ndarray = rows.blocks < self.have_at(self.where(rows))
        return counted

    def forget_the_rest(self) -> None:
        """All that does not count, and marks; but it was paid for, of a budget."""
        have, self._reached = self.have, self.reach
        self.blocks &= np.arange(self._manifest.blocks) < have[:, None]
        self._ends[self._ends > have] = self._manifest.blocks

    @property
    def have(self) -> Int[np.ndarray, " images"]:
        """How many blocks each image has, of its first ones."""
        return self.have_at(np.arange(len(self.blocks)))

    def have_at(self, positions: Int[np.ndarray, " some"]) -> Int[np.ndarray, " some"]:
        """The same of some images."""
        first = np.logical_and.accumulate(self.blocks[positions], axis=1).sum(axis=1)
        have: np.ndarray = np.minimum(first, self._ends[positions])
        return have

    @property
    def reach(self) -> Int[np.ndarray, " images"]:
        """How many blocks each image has when those are drawn again that were lost."""
        number = np.arange(1, self.blocks.shape[1] + 1)
        stored = np.maximum((self.blocks * number).max(axis=1), self._reached)
        reach: np.ndarray = np.minimum(stored, self._ends)
        return reach

    @property
    def stopped(self) -> Bool[np.ndarray, " images"]:
        """Which images have all that was to be drawn of them, by what is marked."""
        return self.stopped_at(np.arange(len(self.blocks)))

    def stopped_at(
        self, positions: Int[np.ndarray, " some"]
    ) -> Bool[np.ndarray, " some"]:
        """The same of some images."""
        stopped: np.ndarray = self.have_at(positions) == self._ends[positions]
        return stopped

    @property
    def ended(self) -> Bool[np.ndarray, " images"]:
        """Likewise, or because nothing more fits into a budget."""
        stopped, left = self.stopped, self.left
        if left is None or stopped.all():
            return stopped
        have, reach = self.have[~stopped], self.reach[~stopped]
        more = (have == 0) | (have < reach)
        more |= self._manifest.draws_in(have) <= left
        return stopped if more.any() else np.ones_like(stopped)

    @property
    def left(self) -> int | None:
        """What a budget leaves, beside what was lost; ``None`` where there is none."""
        total = self._manifest.total
        if total is None:
            return None
        return total - int(self._manifest.draws_until(self.reach).sum())

    @property
    def draws(self) -> int:
        """Of all images together; where images stop, of their first blocks."""
        if not self._manifest.stops_early:
            return self._manifest.draws_where(self.blocks)
        return int(self._manifest.draws_until(self.have).sum())

    @property
    def to_come(self) -> int:
        """The most draws that are still to come."""
        if not self._manifest.stops_early:
            return self._manifest.draws_where(~self.blocks)
        most = np.where(self.ended, self.have, self._manifest.blocks)
        open_ = int(self._manifest.draws_until(most).sum()) - self.draws
        total = self._manifest.total
        return open_ if total is None else min(open_, total - self.draws)

    @property
    def done(self) -> Bool[np.ndarray, "images blocks"]:
        """Which blocks there are, or will not be drawn."""
        until = np.where(self.ended, self.have, self._manifest.blocks)
        return self.blocks | (np.arange(self._manifest.blocks) >= until[:, None])
