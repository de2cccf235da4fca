"""Every block once: copies of one block must hold the same votes, and count once.

Copies that a classifier drew that answers at random differ, as they should: each is
evidence of its own. Then the first counts whatever the votes are, and which one is
first is not known from them: parts are in the order of names drawn at random, runs in
the order in which they were given. So what counts is as independent of what it says as
if the others had never been drawn.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from jaxtyping import Int, UInt64

from simplicert.errors import InputError
from simplicert.votes.columns import COLUMNS
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import Positions, VoteRows

__all__ = ["Copies", "OtherVotesError", "moved_draws", "turns_allowed"]

NEAR_TIES = 0.001
"""Share of the draws that another batch or thread count may turn."""

_PENDING = 2**26
"""Bytes of copies that are kept to be compared, vote by vote, with the first ones."""


class OtherVotesError(InputError):
    """Copies of one block that hold other votes."""


def moved_draws(
    ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
) -> float:
    """How many draws of one block fell otherwise, at least, by the columns of both.

    In a histogram a draw that is one cell off has moved by the cell's width.
    """
    return max(
        _moved(values - theirs[name], COLUMNS[name].cells)
        for name, values in ours.items()
    )


def _moved(differences: np.ndarray, cells: int | None) -> float:
    if cells is None:
        return float(np.abs(differences).sum()) / 2
    each = np.abs(differences.reshape(-1, cells).cumsum(axis=1)).sum(axis=1)
    return float(each.max()) / cells


def turns_allowed(draws: int) -> float:
    """How many draws of one block may fall otherwise where only rounding differs."""
    return max(1, NEAR_TIES * draws)


class Copies:
    """Gives every block once, and refuses copies with other votes.

    A block is known by where it was met first and by a fingerprint of its votes, so
    that however many copies there are, each source is read once. Only copies with
    another fingerprint are compared vote by vote.

    Args:
        manifest: Of the run whose blocks these are.
        read: Gives the rows of a source again, by its number.
        name: Names a source in messages, likewise.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        read: Callable[[int], Iterable[VoteRows]],
        name: Callable[[int], object],
    ) -> None:
        self._manifest, self._read, self._name = manifest, read, name
        self._position = Positions(manifest.images)
        # Zero is nobody: memory is taken only as blocks are met.
        blocks = len(manifest.images) * manifest.blocks
        try:
            self._holder = np.zeros(blocks, dtype=np.int32)
            self._prints = np.zeros(blocks, dtype=np.uint64)
        except MemoryError:
            raise InputError(
                f"a run of {blocks:,} blocks takes {12 * blocks / 1e9:,.0f} GB of "
                "memory to read, which are not there"
            ) from None
        self._pending: list[tuple[VoteRows, np.ndarray, int]] = []
        self._copied, self._moved, self._last = 0, 0.0, ""
        self._may_differ = manifest.answers_at_random

    def first(self, rows: VoteRows, source: int) -> VoteRows:
        """The rows whose blocks were not met before.

        Raises:
            InputError: As ``check``, for copies met so far.
        """
        keys = self._keys(rows)
        new = np.zeros(len(keys), dtype=bool)
        new[np.unique(keys, return_index=True)[1]] = True
        new &= self._holder[keys] == 0
        prints = _fingerprints(rows)
        self._holder[keys[new]] = source + 1
        self._prints[keys[new]] = prints[new]
        if new.all():
            return rows
        if self._may_differ:
            return rows.take(new)
        self._copied += int(self._manifest.draws_in(rows.blocks[~new]).sum())
        other = ~new & (self._prints[keys] != prints)
        if other.any():
            self._pending.append((rows.take(other), keys[other], source))
            if sum(copies.nbytes for copies, _, _ in self._pending) > _PENDING:
                self._compare()
        return rows.take(new)

    def check(self) -> None:
        """Refuse copies with other votes; to be called after the last rows.

        Draws whose largest logits are level to the last bits may fall either way: of a
        block one, or one in a thousand; of all copies together one in a thousand.

        Raises:
            InputError: Names the block and both its sources.
        """
        self._compare()
        if self._moved > NEAR_TIES * self._copied:
            raise OtherVotesError(
                f"{self._last} ({self._moved:g} of all {self._copied:,} draws that are "
                f"there twice differ): {_NOT_ONE}"
            )

    def _keys(self, rows: VoteRows) -> Int[np.ndarray, " rows"]:
        images: np.ndarray = self._position(rows.images)
        keys: np.ndarray = images * self._manifest.blocks + rows.blocks
        return keys

    def _compare(self) -> None:
        """Hold what is pending against what was met first, vote by vote."""
        pending, self._pending = self._pending, []
        wanted = {key for _, keys, _ in pending for key in keys.tolist()}
        firsts: dict[int, dict[str, np.ndarray]] = {}
        for holder in sorted({int(self._holder[key]) for key in wanted}):
            for rows in self._read(holder - 1):
                for row, key in enumerate(self._keys(rows).tolist()):
                    # Of a block that is twice in one source the first counts.
                    if key in wanted and self._holder[key] == holder:
                        firsts.setdefault(key, _row(rows, row))
        for copies, keys, source in pending:
            for row, key in enumerate(keys.tolist()):
                first = self._name(int(self._holder[key]) - 1)
                if key not in firsts:
                    raise InputError(f"{first} changed while it was read: try again")
                where = f"{self._name(source)} than in {first}"
                block = f"block {copies.blocks[row]} of image {copies.images[row]}"
                moved = moved_draws(_row(copies, row), firsts[key])
                draws = int(self._manifest.draws_in(copies.blocks[[row]])[0])
                self._allow(moved, draws, f"{block} has other votes in {where}")

    def _allow(self, moved: float, draws: int, what: str) -> None:
        if moved > turns_allowed(draws):
            raise OtherVotesError(f"{what} ({moved:.0f} of {draws} draws): {_NOT_ONE}")
        self._moved += moved
        self._last = what


_NOT_ONE = (
    "they were not drawn with one model, data set, seed and kind of device. Keep only "
    "one of the two"
)


def _row(rows: VoteRows, row: int) -> dict[str, np.ndarray]:
    return {name: values[row].copy() for name, values in rows.columns.items()}


def _fingerprints(rows: VoteRows) -> UInt64[np.ndarray, " rows"]:
    """A number a row, the same for the same bits; of others, as good as never.

    Every class has a random odd factor, and sums are taken modulo 2**64.
    """
    total = np.zeros(len(rows.images), dtype=np.uint64)
    factors = np.random.default_rng(0)
    for values in rows.columns.values():
        bits = values.view(np.uint64)
        if values.dtype == np.float64:
            bits = bits ^ (bits >> np.uint64(32))  # the last bits of most are zeros
        odd = factors.integers(2**63, size=values.shape[1], dtype=np.uint64)
        total += np.einsum("rk,k->r", bits, odd * np.uint64(2) + np.uint64(1))
    return total
