"""Blocks → one row an image: what tables add up."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial as partial_of
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError
from simplicert.machine.memory import free_memory
from simplicert.noises import FLOAT32
from simplicert.votes.looks import Look
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import Found, VoteRows
from simplicert.votes.table import Drawn, Votes

__all__ = ["add_up", "votes_of"]


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
    found, sums = Found(manifest), _Sums(manifest)
    first = _pilot_of(manifest, wanted)
    pilot = None if first is None else _Sums(manifest)
    free = free_memory()
    for part in rows:
        where = found.add(part)
        held = np.count_nonzero(found.blocks.any(axis=1))
        width = sum(values.shape[1] for values in part.columns.values())
        try:
            if held * 8 * width > free:
                raise MemoryError
            sums.add(part, wanted[part.blocks], where)
            if pilot is not None and first is not None:
                pilot.add(part, first[part.blocks], where)
        except MemoryError:
            raise _too_large(manifest, run=run, free=free) from None
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
        lacking = ~(complete & found.done.all(axis=1))  # also others than are wanted
        raise InputError(
            f"{run} is not finished: {int(lacking.sum())} of {len(complete)} "
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
    whole = partial_of(
        votes_of,
        manifest,
        np.arange(len(complete))[kept],
        source={
            "data digest": manifest.data.digest if manifest.data.shape else "",
            "precision": manifest.precision,
            "run": run,
        },
    )
    rivals = None
    if "margins" in sums.columns and found.rivals is not None:
        rivals = found.rivals[kept]
    chosen = None
    if pilot is not None and first is not None:
        chosen = whole(
            pilot.kept(kept),
            rivals=rivals,
            draws=manifest.draws_until(np.full(len(summed), first.sum())[kept]),
            draw_seconds=pilot.seconds[kept],
            looks=None,
            drawn=replace(drawn, blocks=range(int(first.sum()))),
        )
    return whole(
        sums.kept(kept),
        rivals=rivals,
        draws=manifest.draws_until(summed[kept]),
        draw_seconds=sums.seconds[kept],
        looks=_looks_of(manifest, wanted, run=run),
        drawn=drawn if manifest.data.shape else None,
        pilot=chosen,
    )


class _Sums:
    """Evidence of images, added up over blocks."""

    def __init__(self, manifest: Manifest) -> None:
        self._widths, self._images = manifest.widths(), len(manifest.images)
        self.columns: dict[str, np.ndarray] = {}
        self.seconds = np.zeros(self._images)

    def add(
        self,
        rows: VoteRows,
        use: Bool[np.ndarray, " rows"],
        positions: Int[np.ndarray, " rows"],
    ) -> None:
        where = positions[use]
        np.add.at(self.seconds, where, rows.draw_seconds[use])
        for name, values in rows.columns.items():
            if name not in self.columns:
                shape = self._images, self._widths[name]
                self.columns[name] = np.zeros(shape, values.dtype)
            _add_at(self.columns[name], where, values[use])

    def kept(self, images: Any) -> dict[str, np.ndarray]:
        """The columns of some images: a mask, or a slice, which copies nothing."""
        return {name: values[images] for name, values in self.columns.items()}


def _pilot_of(
    manifest: Manifest, wanted: Bool[np.ndarray, " blocks"]
) -> Bool[np.ndarray, " blocks"] | None:
    """Of the blocks that are wanted those that chose whose margins there are.

    ``None`` where there are none, or no others, or not all of them are wanted.
    """
    if manifest.margins is None:
        return None
    first: np.ndarray = manifest.block_ends <= manifest.margins.pilot
    whole = wanted[first].all() and wanted[~first].any()
    return first if whole else None


def votes_of(
    manifest: Manifest,
    positions: Int[np.ndarray, " images"],
    columns: Mapping[str, Shaped[np.ndarray, "images classes"]],
    *,
    draws: Int[np.ndarray, " images"],
    draw_seconds: Float[np.ndarray, " images"] | None,
    looks: tuple[Look, ...] | None,
    rivals: Int[np.ndarray, "images chosen"] | None = None,
    pilot: Votes | None = None,
    drawn: Drawn | None = None,
    source: Mapping[str, str] | None = None,
) -> Votes:
    """Sums of some images of a run, with what their manifest says of them."""
    labels = manifest.labels
    return Votes(
        **columns,  # type: ignore[arg-type]  # their names are fields
        rivals=rivals,
        pilot=pilot,
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
