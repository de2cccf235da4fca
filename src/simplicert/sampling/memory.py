"""A run that is not on disk."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simplicert.votes import Manifest, RunDirectory, VoteRows, Votes
from simplicert.votes.adding import add_up
from simplicert.votes.rows import Found

__all__ = ["MemoryRun"]


class MemoryRun:
    """Keeps what is drawn; the part of ``RunDirectory`` that drawing needs.

    Args:
        manifest: The run's.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._rows: list[VoteRows] = []

    def found(
        self,
        *,
        skip_damaged: bool = False,  # noqa: ARG002 (nothing in memory is damaged)
    ) -> Found:
        """What is drawn, and which images need no more."""
        found = Found(self.manifest)
        for rows in self._rows:
            found.add(rows)
        return found

    def rows(
        self,
        *,
        skip_damaged: bool = False,  # noqa: ARG002 (likewise)
    ) -> Iterator[VoteRows]:
        """Every row once."""
        yield from self._rows

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

        Which draws an image gets was fixed, or is for its own votes to say: those that
        are complete are as good as if nothing had stopped. A REPL or notebook is told
        where they are.
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
        complete = int(self.found().ended.sum())
        return (
            f"Simplicert keeps what was drawn; {complete:,} of "
            f"{len(self.manifest.images):,} images are complete:\n"
            "    import sys; run = sys.last_value.run\n"
            "    votes = run.read(partial=True)  # of the complete images\n"
            '    run.save("run")  # then sample(…, out="run") goes on'
        )
