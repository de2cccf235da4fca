"""Vote parts: immutable Parquet files, whose rows are blocks of images.

A part is written under a temporary name, fsynced and renamed: a crash leaves whole
parts or nothing. Its name holds a digest of its bytes, so that a changed one is known.
Its metadata say what was drawn, so that none counts for another run.
"""

import base64
import errno
import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simplicert.errors import InputError
from simplicert.files import is_the_systems, opened, replacing
from simplicert.machine.memory import free_memory
from simplicert.structured import parse_json
from simplicert.votes.columns import COLUMNS
from simplicert.votes.encoding import (
    CHOSEN,
    EVIDENCE,
    LAST,
    SECONDS,
    from_batch,
    grouped,
    rows_at_once,
    schema_of,
    to_table,
)
from simplicert.votes.manifest import Manifest
from simplicert.votes.rivals import foreign_rivals
from simplicert.votes.rows import Positions, VoteRows
from simplicert.votes.schemas import upgraded

__all__ = ["DamagedPartError", "ForeignPartError", "Parts", "is_named_by_digest"]

_IMAGES = "images and labels"
_NEWER = {_IMAGES, "data.shape"}
"""Of the evidence, which older parts lack."""

_NAMED_BY_DIGEST = re.compile(r"[0-9a-f]{32}-([0-9a-f]{32})")
"""Older parts have the first half only."""

_UNREADABLE = {errno.EINVAL, errno.EIO}
"""What the system says of bytes that it cannot give: the part's trouble."""

_LARGEST_PAGE = 2**31
"""Bytes: more no page can say that it has."""


def is_named_by_digest(part: Path) -> bool:
    """Whether a part's name tells its bytes; those of older versions do not."""
    return _NAMED_BY_DIGEST.fullmatch(part.stem) is not None


class DamagedPartError(InputError):
    """A part that is not, or no longer, what was written."""


class _RefusedPartError(InputError):
    """A part that is whole, but not of this run, or too large to be read here."""


class ForeignPartError(_RefusedPartError):
    """A part that is whole, and of another run than the manifest says."""


class Parts:
    """The part files of one run.

    Args:
        folder: Where they are.
        manifest: What they must have been drawn by.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._evidence = manifest.evidence() | {_IMAGES: manifest.images_digest}
        self._schema = schema_of(manifest, self._evidence)
        self._at_once = rows_at_once(manifest)
        self._position = Positions(manifest.images)

    @property
    def paths(self) -> list[Path]:
        """The files, in a stable order."""
        return sorted(self.folder.glob("*.parquet"))

    def write(self, rows: Iterable[VoteRows]) -> Path:
        """Write one part; when this returns, it is on disk and will be counted."""
        part = self.folder / f"{uuid.uuid4().hex}.parquet"
        with (
            replacing(part, evidence=True) as temporary,
            pq.ParquetWriter(
                temporary,
                self._schema,
                compression="zstd",
                write_page_checksum=True,
                # Of a sum of scores the first bytes repeat and the last do not.
                use_dictionary=["image", "block", SECONDS],
                use_byte_stream_split=[
                    f"{column.name}.list.element"
                    for column in COLUMNS.values()
                    if column.dtype == "float64"
                ],
            ) as writer,
        ):
            for each in grouped(rows, self._at_once):
                table = to_table(each, self._schema)
                writer.write_table(table, row_group_size=self._at_once)
        with opened(part) as file:
            named = part.with_stem(f"{part.stem}-{_digest(file)}")
        part.rename(named)  # either name will do after a crash
        return named

    def read(
        self, part: Path, *, scores: bool, skip: bool = False
    ) -> Iterator[VoteRows]:
        """The rows of one part, some at a time.

        Args:
            part: Its path.
            scores: Whether to read the soft scores too.
            skip: Give nothing of a part that is damaged, instead of refusing.

        Raises:
            DamagedPartError: It is not what was written, whatever happened to it.
            InputError: It is of another run, or needs more memory than there is.
            FileNotFoundError: It is not there any more.
        """
        with self._reading(part, skip=skip), opened(part) as file:
            known = _NAMED_BY_DIGEST.fullmatch(part.stem)
            if known and known[1] != _digest(file):
                raise ValueError("its bytes are not those that were written")
            with pq.ParquetFile(file, page_checksum_verification=True) as content:
                self._check_evidence(part, content.metadata.metadata or {})
                self._check_schema(content.schema_arrow.remove_metadata())
                self._check_memory(part, content.metadata)
                yield from self._rows(content, scores=scores)

    def is_damaged(self, part: Path) -> bool:
        """Whether ``sample`` must draw again what it held.

        Raises:
            InputError: As ``read``.
        """
        try:
            with suppress(FileNotFoundError):
                for _ in self.read(part, scores=True):
                    pass
        except DamagedPartError:
            return True
        return False

    @contextmanager
    def _reading(self, part: Path, *, skip: bool) -> Iterator[None]:
        """What bytes can do to those who read them: it is all damage."""
        try:
            if part.is_symlink() and not part.exists():
                raise ValueError("it is a link to nothing")
            yield
        except _RefusedPartError:
            raise
        except Exception as error:
            if is_the_systems(error) and error.errno not in _UNREADABLE:
                error.filename = error.filename or str(part)
                raise
            if isinstance(error, MemoryError) and _NAMED_BY_DIGEST.fullmatch(part.stem):
                raise _RefusedPartError(  # the bytes are right, and claim nothing
                    f"{part} takes more memory to read than there is"
                ) from error
            if skip:
                return
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            command = "sample" if self.manifest.data.shape else "import"
            raise DamagedPartError(
                f"{part} cannot be read ({reason[:200]}): it was cut short or damaged, "
                f"or edited. Run the same `simplicert {command}` command again; it "
                "sets the part aside and makes again what it held"
            ) from error

    def _rows(self, content: pq.ParquetFile, *, scores: bool) -> Iterator[VoteRows]:
        names = [*self.manifest.widths(scores=scores)]
        wanted = ["image", "block", *names, SECONDS]
        if self.manifest.margins is not None:  # whoever goes on needs them, too
            wanted.append(CHOSEN)
        if self.manifest.stops_early:
            wanted.append(LAST)
        for batch in content.iter_batches(batch_size=self._at_once, columns=wanted):
            rows = from_batch(batch, names)
            self._check_rows(rows)
            yield rows

    def _check_evidence(self, part: Path, stored: dict[bytes, bytes]) -> None:
        evidence = stored.get(EVIDENCE)
        if b"ARROW:schema" in stored:  # there it is once more
            serialised = base64.b64decode(stored[b"ARROW:schema"], validate=True)
            again = pa.ipc.read_schema(pa.py_buffer(serialised)).metadata or {}
            if again.get(EVIDENCE) != evidence:
                raise ValueError("it says twice what was drawn, and not the same")
        theirs = None if evidence is None else parse_json(evidence, "its evidence")
        if not isinstance(theirs, dict):
            raise ForeignPartError(f"{part} was not written by Simplicert: remove it")
        theirs = {"draws": self.manifest.draws} | theirs  # the first schema had none
        theirs = upgraded(theirs, draws=self.manifest.draws)
        for field in dict.fromkeys([*self._evidence, *theirs]):
            value = self._evidence.get(field)
            if theirs.get(field, value if field in _NEWER else None) != value:
                raise ForeignPartError(
                    f"{part} was drawn with {field} = {_short(theirs.get(field))} but "
                    f"the run's manifest says {_short(value)}: one of them was edited, "
                    "or the part is from another run"
                )

    def _check_schema(self, theirs: pa.Schema) -> None:
        whole = self._schema.remove_metadata()
        untimed = whole.remove(whole.get_field_index(SECONDS))
        older = () if self.manifest.stops_early else (untimed,)
        if theirs not in (whole, *older):
            raise ValueError("it has other columns")

    def _check_memory(self, part: Path, content: pq.FileMetaData) -> None:
        """Say what it takes before taking it: small files can hold large pages."""
        pages = max(
            (
                min(
                    content.row_group(group).column(column).total_uncompressed_size,
                    _LARGEST_PAGE,
                )
                for group in range(content.num_row_groups)
                for column in range(content.num_columns)
            ),
            default=0,
        )
        rows = self._at_once * 8 * sum(self.manifest.widths().values())
        needed, free = pages + 2 * rows, free_memory()
        if needed > free:
            raise _RefusedPartError(
                f"{part} takes up to {needed / 1e9:.1f} GB of memory to read, and "
                f"{free / 1e9:.1f} GB are free: read it where there are more"
            )

    def _check_rows(self, rows: VoteRows) -> None:
        """What no classifier can produce, or nobody asked for, means an edited file."""
        foreign = (rows.blocks < 0) | (rows.blocks >= self.manifest.blocks)
        foreign |= self._position(rows.images) < 0
        draws = self.manifest.draws_in(np.where(foreign, 0, rows.blocks))
        illegal = np.zeros(len(rows.images), dtype=bool)
        for name, values in rows.columns.items():
            illegal |= COLUMNS[name].illegal(values, draws)
        other = np.zeros(len(rows.images), dtype=bool)
        if rows.rivals is not None:
            other = foreign_rivals(rows.rivals, classes=self.manifest.classes)
        for bad, what in (
            (foreign, "is not in this run's manifest"),
            (other, "has margins of classes that there are not"),
            (illegal, "does not hold the votes of {draws} draws"),
        ):
            if bad.any():
                row = int(np.argmax(bad))
                image, number = rows.images[row], rows.blocks[row]
                said = what.format(draws=draws[row])
                raise ValueError(f"block {number} of image {image} {said}")


def _digest(file: BufferedReader) -> str:
    """Of all bytes of a file, which is then at its start again."""
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    file.seek(0)
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
