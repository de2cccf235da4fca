"""The run directory: a manifest and append-only vote parts.

A row is one block of one image, keyed by (image, block) and counted once however often
it was written, so workers that overlap or outlive their launcher do no harm.
"""

import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from simplicert.errors import InputError
from simplicert.files import (
    MANIFEST,
    PARTS,
    check_result,
    errors_name,
    read_bytes,
    regular,
    sync_folder,
)
from simplicert.votes.adding import add_up
from simplicert.votes.copies import Copies
from simplicert.votes.joining import GrowingParts
from simplicert.votes.manifest import Manifest
from simplicert.votes.parts import DamagedPartError, Parts
from simplicert.votes.progress import Progress
from simplicert.votes.rows import Found, VoteRows
from simplicert.votes.schemas import parse_manifest
from simplicert.votes.table import Votes

LOCK = ".lock"
LEFTOVER_SECONDS = 3600.0


class RunDirectory:
    """A run on disk. Opening one reads and checks its manifest, not its parts.

    Args:
        path: An existing run.

    Raises:
        InputError: The directory does not exist, is not a run, or its manifest is
            damaged or from another schema.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            with suppress(OSError):
                regular(manifest)  # a pipe says so
            state = "is empty" if self._is_empty_folder() else "is not a run"
            if not self.path.exists():
                state = "does not exist"
            raise InputError(
                f"{self.path} {state}: expected a directory with {MANIFEST}, as "
                "`simplicert sample … -o RUN` writes it"
            )
        self.manifest = parse_manifest(read_bytes(manifest), source=manifest)
        folder = self.path / PARTS
        if os.path.lexists(folder) and not folder.is_dir():
            raise InputError(f"{folder} is no directory, but must hold the run's parts")
        self._parts = Parts(folder, self.manifest)
        self._growing = GrowingParts(self._parts)

    def _is_empty_folder(self) -> bool:
        return self.path.is_dir() and not any(self.path.iterdir())

    @staticmethod
    def manifest_at(path: Path | str) -> Manifest | None:
        """The manifest of the run at ``path``; ``None`` if there is no run yet.

        Reads no part and changes nothing.

        Raises:
            InputError: ``path`` holds something that is not a run; or ``check_result``.
        """
        path = Path(path)
        check_result(path)
        if os.path.lexists(path / MANIFEST):
            return RunDirectory(path).manifest
        foreign = path.exists() and (
            not path.is_dir()
            or any(
                there.name not in (PARTS, MANIFEST) and not there.name.startswith(".")
                for there in path.iterdir()
            )
        )  # the rest is a crashed or a simultaneous start of our own
        if foreign:
            raise InputError(
                f"{path} exists and is not a run: choose another -o, or empty it"
            )
        return None

    @staticmethod
    def missing_draws(path: Path | str, manifest: Manifest) -> int:
        """Draws of ``manifest`` that the run at ``path`` does not hold yet.

        Raises:
            InputError: ``path`` holds another run, or something that is none.
        """
        if RunDirectory.manifest_at(path) is None:
            return Found(manifest).to_come
        run = RunDirectory(path)
        run._check_same(manifest)
        return run.found(skip_damaged=True).to_come

    def _check_same(self, manifest: Manifest) -> None:
        difference = self.manifest.difference(manifest, whole=True)
        if difference is not None:
            raise InputError(
                f"{self.path} holds another run: {difference}. Choose another -o, "
                "or give the settings of the run that is there"
            )

    @classmethod
    def create(cls, path: Path | str, manifest: Manifest) -> "RunDirectory":
        """Start a run, or open the one that another process started just before.

        Raises:
            InputError: ``path`` holds something that is not a run.
            OSError: ``path`` cannot be written.
        """
        path = Path(path)
        cls.manifest_at(path)
        if os.path.lexists(path / LOCK):
            regular(path / LOCK)  # whoever draws will open it
        with errors_name(path):
            (path / PARTS).mkdir(parents=True, exist_ok=True)
            temporary = path / f".{uuid.uuid4().hex}.tmp"
            try:
                _write_synced(temporary, manifest.model_dump_json(indent=1).encode())
                with suppress(FileExistsError):  # the first one wins
                    os.link(temporary, path / MANIFEST)
            finally:
                with suppress(OSError):
                    temporary.unlink()
            sync_folder(path)
        return cls(path)

    @classmethod
    def open_or_create(cls, path: Path | str, manifest: Manifest) -> "RunDirectory":
        """Continue the run at ``path`` if it is this one, or start it.

        Raises:
            InputError: ``path`` holds another run; says which field differs.
            OSError: ``path`` cannot be written.
        """
        store = cls.create(path, manifest)
        store._check_same(manifest)
        return store

    @property
    def parts(self) -> list[Path]:
        """The part files, in a stable order."""
        return self._parts.paths

    def append(self, rows: VoteRows) -> None:
        """Write one part; when this returns, it is on disk and will be counted.

        Parts that this object wrote before may be joined with it.
        """
        self._growing.add(self._parts.write([rows]))

    def fill(self, rows: Iterable[VoteRows]) -> None:
        """All rows in one part, which is there whole when this returns, or not at all.

        Args:
            rows: They are taken one by one, as they are written.
        """
        self._parts.write(rows)

    def rows(
        self, *, scores: bool = True, skip_damaged: bool = False
    ) -> Iterator[VoteRows]:
        """Every stored row once, a row group at a time.

        Args:
            scores: Whether to read the soft scores too.
            skip_damaged: Pass over parts that cannot be read, instead of refusing.

        Raises:
            InputError: A part is damaged, belongs to another run, or holds rows that
                are not votes, or other votes of a block than an earlier part.
        """
        damaged: list[Path] | None = [] if skip_damaged else None
        yield from self._rows(scores=scores, damaged=damaged)

    def _rows(self, *, scores: bool, damaged: list[Path] | None) -> Iterator[VoteRows]:
        """As ``rows``; parts that cannot be read are added to ``damaged``."""
        parts = self.parts

        def again(number: int) -> Iterator[VoteRows]:
            try:
                yield from self._parts.read(parts[number], scores=scores, skip=True)
            except FileNotFoundError:
                raise InputError(
                    f"{self.path} changed while it was read: try again"
                ) from None

        copies = Copies(self.manifest, read=again, name=lambda number: parts[number])
        for number, part in enumerate(parts):  # which may become more
            try:
                for rows in self._parts.read(part, scores=scores):
                    first = copies.first(rows, number)
                    if len(first.images):
                        yield first
            except DamagedPartError:
                if damaged is None:
                    raise
                damaged.append(part)
            except FileNotFoundError:
                # Its writer has joined it with others meanwhile, in a newer part.
                parts += [new for new in self.parts if new not in parts]
        copies.check()

    def done(self, *, skip_damaged: bool = False) -> Bool[np.ndarray, "images blocks"]:
        """Which blocks are on disk, in the order of ``manifest.images``.

        Of a run that stops images: or will not be drawn.

        Reads no scores, needs no lock, and may be asked while others draw.

        Args:
            skip_damaged: Count what parts that cannot be read held as not drawn,
                instead of refusing.

        Raises:
            InputError: As ``rows``.
        """
        return self.found(skip_damaged=skip_damaged).done

    def found(self, *, skip_damaged: bool = False) -> Found:
        """What is on disk, and which images need no more; as ``done``."""
        found = Found(self.manifest)
        for rows in self.rows(scores=False, skip_damaged=skip_damaged):
            found.add(rows)
        return found

    def progress(self) -> Progress:
        """How far the run is, by what is on disk. Writes nothing and waits for nobody.

        Raises:
            InputError: A part is of another run, or two hold other votes of a block.
        """
        found = Found(self.manifest)
        seconds, damaged = 0.0, list((self.path / PARTS).glob("*.damaged"))
        for rows in self._rows(scores=False, damaged=damaged):
            found.add(rows)
            seconds += float(rows.draw_seconds.sum())
        written = []
        for part in self.parts:
            with suppress(OSError):  # joined meanwhile, or no file
                written.append(part.stat().st_mtime)
        return Progress(
            draws=found.draws,
            total=found.draws + found.to_come,
            finished=int(found.ended.sum()),
            images=len(found.blocks),
            parts=len(written),
            damaged=len(damaged),
            flushed=max(written, default=None),
            seconds=seconds,
        )

    def set_damaged_aside(self) -> list[Path]:
        """Rename parts that cannot be read, so that sampling redraws what they held."""
        aside = []
        for part in self.parts:
            if self._parts.is_damaged(part):
                with suppress(FileNotFoundError):  # another worker was quicker
                    aside.append(part.rename(part.with_suffix(".damaged")))
        return aside

    def compact(self) -> None:
        """Join all parts into one file. Killed at any instant, it loses nothing.

        The votes, and their digest, are the same before and after. Needs no model.
        While others draw into the run it does no harm, but leaves more than one file.

        Raises:
            InputError: As ``rows``; then nothing has changed.
            OSError: There is no room for the joined file; likewise.
        """
        old = self.parts
        if len(old) > 1:
            self.fill(self.rows())
            for part in reversed(old):  # of copies that differ the first goes last
                part.unlink(missing_ok=True)
        for leftover in (self.path / PARTS).glob(".*.tmp"):
            # A young one may be another worker's, which is writing it.
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink(missing_ok=True)

    def read(
        self,
        *,
        blocks: slice | None = None,
        scores: bool = True,
        selection: int | None = None,
        partial: bool = False,
    ) -> Votes:
        """Add up the stored votes.

        Args:
            blocks: Which blocks of every image; all by default. ``slice(0, 1)`` gives
                the votes as they stood after the first block.
            scores: Whether to read the soft scores too.
            selection: So many first draws of each image, whole blocks, are set apart to
                choose the class (``Votes.selection``).
            partial: Leave out images that are not complete, instead of refusing.

        Raises:
            InputError: As ``rows``; or an image lacks blocks and not ``partial``; or no
                image is complete; or ``selection`` is not whole blocks, or leaves none.
        """
        if selection is not None:
            first = slice(0, self._blocks_of(selection))
            rest = slice(first.stop, None)
            chosen = self.read(blocks=first, scores=scores, partial=partial)
            bound = self.read(blocks=rest, scores=scores, partial=partial)
            both = np.intersect1d(chosen.indices, bound.indices)
            chosen, bound = (
                votes[np.isin(votes.indices, both)] for votes in (chosen, bound)
            )
            return bound.chosen_by(chosen)
        rows = self.rows(scores=scores)
        if self.manifest.stops_early:
            found = self.found()
            rows = (each.take(found.counts(each)) for each in rows)
        return add_up(
            rows,
            self.manifest,
            blocks=blocks,
            partial=partial,
            run=str(self.path),
        )

    def _blocks_of(self, selection: int) -> int:
        block, draws = self.manifest.block, self.manifest.draws
        if block is None:
            raise InputError(
                f"{self.path} stops its images at looks: its draws cannot be divided "
                "into some that choose a class and some that bound it. Sample other "
                "draws, of another seed, to choose"
            )
        if draws == block:
            raise InputError(
                f"{self.path} has one block of {block} draws an image: none can be "
                "set apart. Sample with a smaller --block"
            )
        if selection % block or not 0 < selection < draws:
            raise InputError(
                f"selection must be a multiple of the run's block ({block}), above 0 "
                f"and below its {draws} draws, got {selection}"
            )
        return selection // block


def read_run(
    path: Path | str,
    *,
    blocks: slice | None = None,
    scores: bool = True,
    selection: int | None = None,
    partial: bool = False,
) -> Votes:
    """Read a run directory's votes; see ``RunDirectory.read``."""
    return RunDirectory(path).read(
        blocks=blocks, scores=scores, selection=selection, partial=partial
    )


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
