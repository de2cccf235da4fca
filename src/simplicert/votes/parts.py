"""Vote parts: immutable Parquet files, whose rows are blocks of images.

A part is written under a temporary name, fsynced and renamed: a crash leaves whole
parts or nothing. Its metadata say what was drawn, so that none counts for another run.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simplicert.errors import InputError
from simplicert.files import is_the_systems, replacing
from simplicert.votes.columns import COLUMNS, columns_of
from simplicert.votes.manifest import Manifest, upgraded
from simplicert.votes.rows import VoteRows

__all__ = ["DamagedPartError", "Parts"]

_EVIDENCE = b"simplicert.evidence"
_SECONDS = "draw_seconds"  # the last column, which older parts lack
_IMAGES = "images and labels"
_NEWER = {_IMAGES, "data.shape"}
"""Of the evidence, which older parts lack."""


class DamagedPartError(InputError):
    """A part that cannot be read back."""


class Parts:
    """The part files of one run.

    Args:
        folder: Where they are.
        manifest: What they must have been drawn by.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._evidence = manifest.evidence() | {_IMAGES: manifest.images_digest}
        self._schema = _schema(manifest, self._evidence)

    @property
    def paths(self) -> list[Path]:
        """The files, in a stable order."""
        return sorted(self.folder.glob("*.parquet"))

    def write(self, rows: Iterable[VoteRows]) -> Path:
        """Write one part; when this returns, it is on disk and will be counted."""
        part = self.folder / f"{uuid.uuid4().hex}.parquet"
        with (
            replacing(part) as temporary,
            pq.ParquetWriter(
                temporary,
                self._schema,
                compression="zstd",
                write_page_checksum=True,
                # Of a sum of scores the first bytes repeat and the last do not.
                use_dictionary=["image", "block", _SECONDS],
                use_byte_stream_split=[
                    f"{column.name}.list.element"
                    for column in COLUMNS.values()
                    if column.dtype == "float64"
                ],
            ) as writer,
        ):
            for each in rows:
                writer.write_table(_to_table(each, self._schema))
        return part

    def read(
        self, part: Path, *, scores: bool, skip: bool = False
    ) -> Iterator[VoteRows]:
        """The rows of one part, a row group at a time.

        Args:
            part: Its path.
            scores: Whether to read the soft scores too.
            skip: Give nothing of a part that cannot be read, instead of refusing.

        Raises:
            DamagedPartError: It cannot be read.
            InputError: It is of another run, or holds rows that are no votes.
        """
        wanted = self.manifest.statistics if scores else ["multinomial"]
        evidence = [column.name for column in columns_of(wanted)]
        columns = ["image", "block", *evidence, _SECONDS]
        try:
            with pq.ParquetFile(part, page_checksum_verification=True) as file:
                self._check_evidence(part, file.schema_arrow.metadata or {})
                whole = self._schema.remove_metadata()
                untimed = whole.remove(len(whole) - 1)  # as older versions wrote it
                if file.schema_arrow.remove_metadata() not in (whole, untimed):
                    raise InputError(f"{part} has other columns: it was edited")
                for batch in file.iter_batches(batch_size=8192, columns=columns):
                    if any(column.null_count for column in batch.columns):
                        raise InputError(f"{part} has empty cells: it was edited")
                    rows = _from_batch(batch, evidence, self.manifest.classes)
                    _check_rows(rows, self.manifest, part)
                    yield rows
        except (pa.ArrowInvalid, pa.ArrowTypeError, OSError, KeyError) as error:
            if is_the_systems(error):
                raise
            if skip:
                return
            raise DamagedPartError(
                f"{part} cannot be read ({str(error).splitlines()[0]}): it was cut "
                "short or damaged. Run the same `simplicert sample` command again; it "
                "redraws what the part held"
            ) from error

    def is_damaged(self, part: Path) -> bool:
        """Whether it cannot be read back: ``sample`` draws again what it held.

        Raises:
            InputError: As ``read``.
        """
        try:
            for _ in self.read(part, scores=True):
                pass
        except DamagedPartError:
            return True
        return False

    def _check_evidence(self, part: Path, metadata: dict[bytes, bytes]) -> None:
        if _EVIDENCE not in metadata:
            raise InputError(f"{part} was not written by Simplicert: remove it")
        stored = json.loads(metadata[_EVIDENCE])
        if not isinstance(stored, dict):
            raise InputError(f"{part} was not written by Simplicert: remove it")
        theirs = {"draws": self.manifest.draws} | stored  # the first schema had none
        theirs = upgraded(theirs, draws=self.manifest.draws)
        for field, value in self._evidence.items():
            if theirs.get(field, value if field in _NEWER else None) != value:
                raise InputError(
                    f"{part} was drawn with {field} = {theirs.get(field)!r} but the "
                    f"run's manifest says {value!r}: one of them was edited, or the "
                    "part is from another run"
                )


def _schema(manifest: Manifest, evidence: dict[str, object]) -> pa.Schema:
    numbers = {"int64": pa.int64(), "float64": pa.float64()}
    fields = [
        pa.field("image", pa.int64()),
        pa.field("block", pa.int64()),
        *(
            pa.field(column.name, pa.list_(numbers[column.dtype], manifest.classes))
            for column in columns_of(manifest.statistics)
        ),
        pa.field(_SECONDS, pa.float64()),
    ]
    return pa.schema(fields, {_EVIDENCE: json.dumps(evidence).encode()})


def _to_table(rows: VoteRows, schema: pa.Schema) -> pa.Table:
    matrices = [
        pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(m).ravel(), m.shape[1])
        for m in rows.columns.values()
    ]
    columns = [pa.array(rows.images), pa.array(rows.blocks), *matrices]
    return pa.Table.from_arrays([*columns, pa.array(rows.draw_seconds)], schema=schema)


def _from_batch(batch: pa.RecordBatch, names: list[str], classes: int) -> VoteRows:
    timed = _SECONDS in batch.schema.names
    return VoteRows(
        images=batch.column("image").to_numpy(),
        blocks=batch.column("block").to_numpy(),
        columns={
            name: batch.column(name).flatten().to_numpy().reshape(-1, classes)
            for name in names
        },
        draw_seconds=(
            batch.column(_SECONDS).to_numpy()
            if timed
            else np.full(batch.num_rows, np.nan)
        ),
    )


def _check_rows(rows: VoteRows, manifest: Manifest, part: Path) -> None:
    """What no classifier can produce means that a file was edited."""
    illegal = np.zeros(len(rows.images), dtype=bool)
    for name, values in rows.columns.items():
        illegal |= COLUMNS[name].illegal(values, manifest.block)
    if illegal.any():
        bad = int(np.argmax(illegal))
        raise InputError(
            f"{part}: block {rows.blocks[bad]} of image {rows.images[bad]} does not "
            f"hold the votes of {manifest.block} draws: the part was edited"
        )
