"""The run directory: a manifest and append-only vote parts.

A row is one block of one image, keyed by (image, block) and counted once however often
it was written, so workers that overlap or outlive their launcher do no harm.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from simplicert.errors import InputError
from simplicert.files import check_name, sync_folder
from simplicert.votes.copies import check_copies
from simplicert.votes.manifest import Manifest, parse_manifest
from simplicert.votes.parts import DamagedPartError, Parts
from simplicert.votes.rows import Positions, VoteRows, add_up
from simplicert.votes.table import Votes

MANIFEST = "manifest.json"
PARTS = "parts"
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
            state = "is empty" if self._is_empty_folder() else "is not a run"
            if not self.path.exists():
                state = "does not exist"
            raise InputError(
                f"{self.path} {state}: expected a directory with {MANIFEST}, as "
                "`simplicert sample … -o RUN` writes it"
            )
        self.manifest = parse_manifest(manifest.read_bytes(), source=manifest)
        self._parts = Parts(self.path / PARTS, self.manifest)

    def _is_empty_folder(self) -> bool:
        return self.path.is_dir() and not any(self.path.iterdir())

    @staticmethod
    def manifest_at(path: Path | str) -> Manifest | None:
        """The manifest of the run at ``path``; ``None`` if there is no run yet.

        Raises:
            InputError: ``path`` holds something that is not a run; or ``check_name``.
        """
        path = Path(path)
        check_name(path)
        if (path / MANIFEST).is_file():
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
        total = len(manifest.images) * manifest.draws
        if RunDirectory.manifest_at(path) is None:
            return total
        run = RunDirectory(path)
        run._check_same(manifest)
        return total - int(run.done(skip_damaged=True).sum()) * manifest.block

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
        (path / PARTS).mkdir(parents=True, exist_ok=True)
        temporary = path / f".{uuid.uuid4().hex}.tmp"
        try:
            _write_synced(temporary, manifest.model_dump_json(indent=1).encode())
            os.link(
                temporary, path / MANIFEST
            )  # fails if it exists: the first one wins
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
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
        """Write one part; when this returns, it is on disk and will be counted."""
        self._parts.write([rows])

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
        blocks = self.manifest.blocks
        holder = np.full(len(self.manifest.images) * blocks, -1, dtype=np.int32)
        position = Positions(self.manifest.images)
        parts = self.parts
        for number, part in enumerate(parts):
            for rows in self._parts.read(part, scores=scores, skip=skip_damaged):
                where = position(rows.images)
                legal = (where >= 0) & (rows.blocks >= 0)
                legal &= rows.blocks < blocks
                if not legal.all():
                    bad = int(np.argmin(legal))
                    raise InputError(
                        f"{part} holds block {rows.blocks[bad]} of image "
                        f"{rows.images[bad]}, which is not in this run's manifest: "
                        "one of the two was edited"
                    )
                keys = where * blocks + rows.blocks
                new = np.zeros(len(keys), dtype=bool)
                new[np.unique(keys, return_index=True)[1]] = True
                new &= holder[keys] < 0
                holder[keys[new]] = number
                for earlier in np.unique(holder[keys[~new]]):
                    check_copies(
                        rows.take(~new & (holder[keys] == earlier)),
                        self._parts.read(
                            parts[earlier], scores=scores, skip=skip_damaged
                        ),
                        draws=self.manifest.block,
                        where=part,
                        first=parts[earlier],
                    )
                yield rows if new.all() else rows.take(new)

    def done(self, *, skip_damaged: bool = False) -> Bool[np.ndarray, "images blocks"]:
        """Which blocks are on disk, in the order of ``manifest.images``."""
        done = np.zeros((len(self.manifest.images), self.manifest.blocks), dtype=bool)
        position = Positions(self.manifest.images)
        for rows in self.rows(scores=False, skip_damaged=skip_damaged):
            done[position(rows.images), rows.blocks] = True
        return done

    def set_damaged_aside(self) -> list[Path]:
        """Rename parts that cannot be read, so that sampling redraws what they held."""
        aside = []
        for part in self.parts:
            try:
                for _ in self._parts.read(part, scores=True):
                    pass
            except DamagedPartError:
                with suppress(FileNotFoundError):  # another worker was quicker
                    aside.append(part.rename(part.with_suffix(".damaged")))
        return aside

    def compact(self) -> None:
        """Join all parts into one file. Interrupted, it loses nothing."""
        old = self.parts
        if len(old) > 1:
            self._parts.write(self.rows())
            for part in old:
                part.unlink()
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
                votes.take(np.isin(votes.indices, both)) for votes in (chosen, bound)
            )
            return bound.chosen_by(chosen)
        return add_up(
            self.rows(scores=scores),
            self.manifest,
            blocks=blocks,
            partial=partial,
            run=str(self.path),
        )

    def _blocks_of(self, selection: int) -> int:
        block, draws = self.manifest.block, self.manifest.draws
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
