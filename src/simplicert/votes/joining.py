"""Parts joined as a run grows, so that a long run is not a hundred thousand files."""

from pathlib import Path

from simplicert.errors import InputError
from simplicert.votes.parts import Parts

__all__ = ["GrowingParts"]

TOGETHER = 16
"""Parts of one size that are joined into one of the next."""

LARGEST = 2**28
"""Bytes. Larger parts are few, and writing them again takes long."""


class GrowingParts:
    """Parts that one writer adds to a run, and joins as it goes.

    Of N parts only O(log N) are left, and each vote is written again at most
    log(N) / log(16) times. Only what this writer wrote is touched, so that writers need
    not know of each other. The joined part is on disk before those it is made of are
    removed, and blocks that are in both count once: it can be killed at any instant.

    Args:
        parts: Of the run.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rungs: dict[int, list[Path]] = {}

    def add(self, part: Path, rung: int = 0) -> None:
        """Take care of a part that was just written."""
        waiting = self._rungs.setdefault(rung, [])
        waiting.append(part)
        if len(waiting) == TOGETHER:
            del self._rungs[rung]
            try:
                joined = self._join(waiting)
            except (InputError, OSError):
                return  # damaged, or no room: all is there, and stays as it is
            if joined.stat().st_size <= LARGEST:
                self.add(joined, rung + 1)

    def _join(self, parts: list[Path]) -> Path:
        joined = self._parts.write(
            rows for part in parts for rows in self._parts.read(part, scores=True)
        )
        for part in parts:
            part.unlink(missing_ok=True)
        return joined
