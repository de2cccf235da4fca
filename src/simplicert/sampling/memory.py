"""A run that is not on disk."""

import numpy as np
from jaxtyping import Bool

from simplicert.votes import Manifest, VoteRows, Votes
from simplicert.votes.rows import add_up


class MemoryRun:
    """Keeps what is drawn; the part of ``RunDirectory`` that drawing needs.

    Args:
        manifest: The run's.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._rows: list[VoteRows] = []

    def done(
        self,
        *,
        skip_damaged: bool,  # noqa: ARG002 (nothing in memory is damaged)
    ) -> Bool[np.ndarray, "images blocks"]:
        """Nothing: it is drawn into once."""
        return np.zeros((len(self.manifest.images), self.manifest.blocks), dtype=bool)

    def append(self, rows: VoteRows) -> None:
        """Keep these rows."""
        self._rows.append(rows)

    def read(self) -> Votes:
        """All votes."""
        return add_up(
            self._rows, self.manifest, blocks=None, partial=False, run="this run"
        )
