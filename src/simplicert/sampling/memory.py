"""A run that is not on disk."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from simplicert.votes import Manifest, RunDirectory, VoteRows, Votes
from simplicert.votes.rows import Positions, add_up, mark

__all__ = ["MemoryRun"]


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
        skip_damaged: bool = False,  # noqa: ARG002 (nothing in memory is damaged)
    ) -> Bool[np.ndarray, "images blocks"]:
        """Which blocks are drawn, in the order of ``manifest.images``."""
        done = np.zeros((len(self.manifest.images), self.manifest.blocks), dtype=bool)
        position = Positions(self.manifest.images)
        for rows in self._rows:
            mark(done, rows, position)
        return done

    def append(self, rows: VoteRows) -> None:
        """Keep these rows."""
        self._rows.append(rows)

    def read(self, *, partial: bool = False) -> Votes:
        """All votes.

        Args:
            partial: Leave out images that are not complete, instead of refusing.

        Raises:
            InputError: An image lacks draws and not ``partial``; or no image is
                complete.
        """
        return add_up(
            self._rows, self.manifest, blocks=None, partial=partial, run="this run"
        )

    def save(self, path: Path | str) -> Path:
        """Write everything that was drawn as a run directory; return its path.

        ``sample`` with ``out=path`` and the same settings goes on where it stopped.

        Raises:
            InputError: ``path`` holds another run, or something else.
        """
        run = RunDirectory.open_or_create(path, self.manifest)
        if self._rows:
            run.append(VoteRows.join(self._rows))
        return Path(path)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """An exception, also of Ctrl-C, takes this run with it as its ``run``.

        The draws of each image were fixed, so those that are complete are as good as
        if nothing had stopped. A REPL or notebook is told where they are.
        """
        try:
            yield
        except BaseException as error:
            if self._rows:
                error.run = self  # type: ignore[attr-defined]  # it gets one
                if hasattr(sys, "ps1"):  # else the process ends with it
                    error.add_note(self._note())
            raise

    def _note(self) -> str:
        complete = int(self.done().all(axis=1).sum())
        return (
            f"Simplicert keeps what was drawn; {complete:,} of "
            f"{len(self.manifest.images):,} images are complete:\n"
            "    import sys; run = sys.last_value.run\n"
            "    votes = run.read(partial=True)  # of the complete images\n"
            '    run.save("run")  # then sample(…, out="run") goes on'
        )
