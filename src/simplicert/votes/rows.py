"""Votes block by block: what workers produce, parts hold, and tables add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError
from simplicert.machine.memory import free_memory
from simplicert.noises import FLOAT32
from simplicert.votes.looks import Look
from simplicert.votes.manifest import Manifest
from simplicert.votes.table import Drawn, Votes


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
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest, self._position = manifest, Positions(manifest.images)
        self.blocks = np.zeros((len(manifest.images), manifest.blocks), dtype=bool)
        self._ends = np.full(len(self.blocks), manifest.blocks)
        self._reached = np.zeros(len(self.blocks), dtype=np.int64)

    def where(self, rows: VoteRows) -> Int[np.ndarray, " rows"]:
        """The positions of their images."""
        return self._position(rows.images)

    def add(self, rows: VoteRows) -> Int[np.ndarray, " rows"]:
        """Add some rows; returns the positions of their images."""
        where = self.where(rows)
        self.blocks[where, rows.blocks] = True
        if rows.last is not None:  # of several marks the first counts
            np.minimum.at(self._ends, where[rows.last], rows.blocks[rows.last] + 1)
        return where

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
            f"no block selected: {run} has {manifest.blocks} blocks an image"
        )
    images, widths = len(manifest.images), manifest.widths()
    rivals = _Rivals(manifest)
    totals: dict[str, np.ndarray] = {}
    found = Found(manifest)
    seconds = np.zeros(images)
    free = free_memory()
    for part in rows:
        use = wanted[part.blocks]
        where = found.add(part)[use]
        held = np.count_nonzero(found.blocks.any(axis=1))
        width = sum(values.shape[1] for values in part.columns.values())
        if held * 8 * width > free:
            raise _too_large(manifest, run=run, free=free)
        np.add.at(seconds, where, part.draw_seconds[use])
        rivals.add(part, use, where)
        for name, values in part.columns.items():
            if name not in totals:
                try:
                    totals[name] = np.zeros((images, widths[name]), values.dtype)
                except MemoryError:
                    raise _too_large(manifest, run=run, free=free) from None
            _add_at(totals[name], where, values[use])
    summed = (found.blocks & wanted).sum(axis=1)
    complete = summed == wanted.sum()
    if manifest.stops_early:  # at a look, with all that was drawn until then
        some = (summed > 0) & (summed == np.minimum(found.have, wanted.sum()))
        complete |= some if partial else some & found.ended
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
    these = range(manifest.blocks)[blocks or slice(None)]
    # Imported votes have a file, not images, and no noise of ours.
    drawn = Drawn(
        seed=manifest.seed,
        draws=manifest.draws,
        block=manifest.block or manifest.draws,
        blocks=(these if these.step > 0 else these[::-1])
        if manifest.block
        else range(1),
        by_image=manifest.noise.name not in FLOAT32,
    )
    return votes_of(
        manifest,
        np.arange(len(complete))[kept],
        {name: values[kept] for name, values in totals.items()},
        rivals=rivals.found[kept] if "margins" in totals else None,
        draws=manifest.draws_until(summed[kept]),
        draw_seconds=seconds[kept],
        looks=_looks_of(manifest, wanted, run=run),
        drawn=drawn if manifest.data.shape else None,
        source={
            "data digest": manifest.data.digest if manifest.data.shape else "",
            "precision": manifest.precision,
            "run": run,
        },
    )


def votes_of(
    manifest: Manifest,
    positions: Int[np.ndarray, " images"],
    columns: Mapping[str, Shaped[np.ndarray, "images classes"]],
    *,
    draws: Int[np.ndarray, " images"],
    draw_seconds: Float[np.ndarray, " images"] | None,
    looks: tuple[Look, ...] | None,
    rivals: Int[np.ndarray, "images chosen"] | None = None,
    drawn: Drawn | None = None,
    source: Mapping[str, str] | None = None,
) -> Votes:
    """Sums of some images of a run, with what their manifest says of them."""
    labels = manifest.labels
    return Votes(
        **columns,  # type: ignore[arg-type]  # their names are fields
        rivals=rivals,
        draws=draws,
        indices=np.array(manifest.images, dtype=np.int64)[positions],
        labels=None if labels is None else np.array(labels, dtype=np.int64)[positions],
        sigma=manifest.sigma,
        draw_seconds=draw_seconds,
        noise=manifest.noise_facts,
        looks=looks,
        drawn=drawn,
        source={
            "model": manifest.model.name,
            "data": manifest.data.name,
            **(source or {}),
        },
        manifest=manifest,
    )


class _Rivals:
    """Whose margins an image's blocks are of: all of them of the same."""

    def __init__(self, manifest: Manifest) -> None:
        chosen = 1 if manifest.margins is None else manifest.margins.rivals + 1
        self._images = manifest.images
        self.found = np.full((len(manifest.images), chosen), -1, dtype=np.int64)

    def add(
        self,
        rows: VoteRows,
        use: Bool[np.ndarray, " rows"],
        where: Int[np.ndarray, " used"],
    ) -> None:
        """Note these.

        Raises:
            InputError: Another block of the image says otherwise.
        """
        if rows.rivals is None:
            return
        theirs, known = rows.rivals[use], self.found[where]
        self.found[where] = np.where(known < 0, theirs, known)
        other = (self.found[where] != theirs).any(axis=1)
        if other.any():
            image = self._images[int(where[int(np.argmax(other))])]
            raise InputError(
                f"image {image} has blocks with margins of different classes: they "
                "cannot be added up. One of them was edited, or is another run's"
            )


def _too_large(manifest: Manifest, *, run: str, free: float) -> InputError:
    images, classes = len(manifest.images), manifest.classes
    size = 8 * images * sum(manifest.widths().values())
    return InputError(
        f"{run} takes {size / 1e9:,.0f} GB of memory ({images:,} images × {classes:,} "
        f"classes), and {free / 1e9:,.0f} GB are free: read it where there is more"
    )


def _looks_of(
    manifest: Manifest, wanted: Bool[np.ndarray, " blocks"], *, run: str
) -> tuple[Look, ...] | None:
    """What may be certified of these blocks: of several looks, each at its own share.

    Raises:
        InputError: The blocks are not those up to a look, of a run with several.
    """
    if wanted.all():
        return tuple(manifest.looks)
    if len(manifest.looks) == 1:  # a part of what was fixed was fixed, too
        return None
    draws = int(manifest.draws_until(np.array([wanted.sum()]))[0])
    first = bool(wanted[: int(wanted.sum())].all())
    if not first or draws not in [look.draws for look in manifest.looks]:
        raise InputError(
            f"{run} has looks at {[look.draws for look in manifest.looks]} draws: only "
            "the draws up to one of these can be certified apart from the others"
        )
    return tuple(manifest.looks)


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
