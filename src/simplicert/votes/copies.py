"""Copies of one block, which must hold the same votes."""

from collections.abc import Iterable

import numpy as np

from simplicert.errors import InputError
from simplicert.votes.rows import VoteRows

__all__ = ["check_copies"]

NEAR_TIES = 0.001
"""Share of a block's draws that another batch or thread count may turn."""


def check_copies(
    copies: VoteRows,
    firsts: Iterable[VoteRows],
    *,
    draws: int,
    where: object,
    first: object,
) -> None:
    """Refuse a block that has other votes or scores than where it was read first.

    Args:
        copies: Rows whose blocks ``firsts`` has as well.
        firsts: Where they are looked up.
        draws: Of a block.
        where: What holds the copies, for the message.
        first: What holds ``firsts``, likewise.
    """
    known: dict[tuple[int, int], dict[str, np.ndarray]] = {}
    for rows in firsts:
        near = rows.take(np.isin(rows.images, copies.images))
        for key, tallies in _rows(near):
            known.setdefault(key, tallies)
    for (image, block), tallies in _rows(copies):
        moved = max(
            float(np.abs(tallies[name] - here).sum()) / 2
            for name, here in known[image, block].items()
        )
        if moved > max(1, NEAR_TIES * draws):
            raise InputError(
                f"block {block} of image {image} has other votes in {where} than in "
                f"{first} ({moved:.0f} of {draws} draws): they were not drawn with one "
                "model, data set, seed and kind of device. Keep only one of the two"
            )


def _rows(
    rows: VoteRows,
) -> Iterable[tuple[tuple[int, int], dict[str, np.ndarray]]]:
    keys = zip(rows.images.tolist(), rows.blocks.tolist(), strict=True)
    for row, key in enumerate(keys):
        yield key, {name: values[row] for name, values in rows.columns.items()}
