"""Votes block by block: what workers produce, parts hold, and tables add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError
from simplicert.votes.manifest import Manifest
from simplicert.votes.table import Noise, Votes


@dataclass(frozen=True, kw_only=True, eq=False)
class VoteRows:
    """Votes of some blocks: what a worker writes and a part holds.

    Attributes:
        images: Index in the dataset of each row's image.
        blocks: Each row's block, 0 being an image's first.
        counts: As in ``Votes``, over one block's draws.
        score_sums: Likewise; ``None`` where the run records no scores.
        score_squares: Likewise.
        draw_seconds: Time that each block's draws took; NaN where it is not known. No
            evidence: nothing is refused for it, and no digest depends on it.
    """

    images: Int[np.ndarray, " rows"]
    blocks: Int[np.ndarray, " rows"]
    counts: Int[np.ndarray, "rows classes"]
    score_sums: Float[np.ndarray, "rows classes"] | None
    score_squares: Float[np.ndarray, "rows classes"] | None
    draw_seconds: Float[np.ndarray, " rows"]

    @classmethod
    def join(cls, parts: "Sequence[VoteRows]") -> "VoteRows":
        """All rows of several of the same run."""
        sums = [part.score_sums for part in parts if part.score_sums is not None]
        squares = [p.score_squares for p in parts if p.score_squares is not None]
        return cls(
            images=np.concatenate([part.images for part in parts]),
            blocks=np.concatenate([part.blocks for part in parts]),
            counts=np.concatenate([part.counts for part in parts]),
            score_sums=np.concatenate(sums) if sums else None,
            score_squares=np.concatenate(squares) if squares else None,
            draw_seconds=np.concatenate([part.draw_seconds for part in parts]),
        )

    def take(self, mask: Bool[np.ndarray, " rows"]) -> "VoteRows":
        """Only the rows where ``mask`` is true."""
        return VoteRows(
            images=self.images[mask],
            blocks=self.blocks[mask],
            counts=self.counts[mask],
            score_sums=None if self.score_sums is None else self.score_sums[mask],
            score_squares=(
                None if self.score_squares is None else self.score_squares[mask]
            ),
            draw_seconds=self.draw_seconds[mask],
        )


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


def add_up(
    rows: Iterable[VoteRows],
    manifest: Manifest,
    *,
    blocks: slice | None,
    partial: bool,
    run: str,
) -> Votes:
    """Sum blocks into one row an image; see ``RunDirectory.read``.

    Args:
        rows: Every block at most once.
        manifest: The run's.
        blocks: Which blocks of every image; ``None`` for all.
        partial: Leave out images that are not complete, instead of refusing.
        run: Where the rows are from, for messages and ``Votes.source``.
    """
    wanted = np.zeros(manifest.blocks, dtype=bool)
    wanted[blocks if blocks is not None else slice(None)] = True
    if not wanted.any():
        raise InputError(
            f"no block selected: {run} has {manifest.blocks} blocks of "
            f"{manifest.block} draws an image"
        )
    shape = (len(manifest.images), manifest.classes)
    counts = np.zeros(shape, dtype=np.int64)
    sums, squares = np.zeros(shape), np.zeros(shape)
    found = np.zeros(len(manifest.images), dtype=np.int64)
    seconds = np.zeros(len(manifest.images))
    scored = manifest.scores
    position = Positions(manifest.images)
    for part in rows:
        use = wanted[part.blocks]
        where = position(part.images[use])
        np.add.at(found, where, 1)
        np.add.at(seconds, where, part.draw_seconds[use])
        _add_at(counts, where, part.counts[use])
        if part.score_sums is None or part.score_squares is None:
            scored = False
        else:
            _add_at(sums, where, part.score_sums[use])
            _add_at(squares, where, part.score_squares[use])
    complete = found == wanted.sum()
    if not complete.any():
        raise InputError(
            f"{run} has no finished image yet: run the same `simplicert sample` "
            "command again to go on"
        )
    if not complete.all() and not partial:
        image = manifest.images[int(np.argmin(complete))]
        raise InputError(
            f"{run} is not finished: {int((~complete).sum())} of {len(complete)} "
            f"images lack draws, image {image} among them. Run the same `simplicert "
            "sample` command again to finish it, or use --partial to certify the "
            "finished images only"
        )
    kept = slice(None) if complete.all() else complete  # a slice copies nothing
    labels = manifest.labels
    return Votes(
        counts=counts[kept],
        score_sums=sums[kept] if scored else None,
        score_squares=squares[kept] if scored else None,
        draws=found[kept] * manifest.block,
        indices=np.array(manifest.images, dtype=np.int64)[kept],
        labels=None if labels is None else np.array(labels, dtype=np.int64)[kept],
        sigma=manifest.sigma,
        draw_seconds=seconds[kept],
        # Imported votes have a file, not images, and no noise of ours.
        noise=Noise(
            seed=manifest.seed,
            draws=manifest.draws,
            block=manifest.block,
            blocks=range(manifest.blocks)[blocks or slice(None)],
        )
        if manifest.data.shape
        else None,
        source={
            "model": manifest.model.name,
            "data": manifest.data.name,
            "data digest": manifest.data.digest if manifest.data.shape else "",
            "precision": manifest.precision,
            "run": run,
        },
    )


def _add_at(
    total: Shaped[np.ndarray, "images classes"],
    where: Int[np.ndarray, " rows"],
    rows: Shaped[np.ndarray, "rows classes"],
) -> None:
    """``np.add.at(total, where, rows)``, several times faster for long rows."""
    if not len(where):
        return
    order = np.argsort(where, kind="stable")
    images, starts = np.unique(where[order], return_index=True)
    if len(images) < len(where):
        rows = np.add.reduceat(rows[order], starts, axis=0)
    else:
        rows = rows[order]
    total[images] += rows
