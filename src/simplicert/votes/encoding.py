"""Vote rows ↔ Arrow tables, of no more bytes at a time than are needed."""

import json
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from simplicert.votes.columns import COLUMNS
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import VoteRows

__all__ = [
    "CHOSEN",
    "EVIDENCE",
    "LAST",
    "SECONDS",
    "from_batch",
    "grouped",
    "rows_at_once",
    "schema_of",
    "to_table",
]

EVIDENCE = b"simplicert.evidence"
SECONDS = "draw_seconds"  # which older parts lack
LAST = "last"  # of runs that stop images
CHOSEN = "rivals"
"""Whose margins they are; in every row, as a block is all that some readers have."""

_AT_ONCE = 2**26
"""Bytes of votes that are read, or written, at a time, or one row."""


def rows_at_once(manifest: Manifest) -> int:
    """How many rows have so many bytes; thousands of classes make few."""
    width = 8 * sum(manifest.widths().values())
    return max(1, min(8192, _AT_ONCE // width))


def schema_of(manifest: Manifest, evidence: dict[str, object]) -> pa.Schema:
    """Of a part; its metadata say what was drawn."""
    numbers = {"int64": pa.int64(), "float64": pa.float64()}
    fields = [
        pa.field("image", pa.int64()),
        pa.field("block", pa.int64()),
        *(
            pa.field(name, pa.list_(numbers[COLUMNS[name].dtype], width))
            for name, width in manifest.widths().items()
        ),
    ]
    if manifest.margins is not None:
        chosen = manifest.margins.rivals + 1
        fields.append(pa.field(CHOSEN, pa.list_(pa.int64(), chosen)))
    fields.append(pa.field(SECONDS, pa.float64()))
    if manifest.stops_early:
        fields.append(pa.field(LAST, pa.bool_()))
    return pa.schema(fields, {EVIDENCE: json.dumps(evidence).encode()})


def grouped(rows: Iterable[VoteRows], size: int) -> Iterator[VoteRows]:
    """The same rows, ``size`` or more at a time: each makes a row group."""
    waiting: list[VoteRows] = []
    for each in rows:
        waiting.append(each)
        if sum(len(some.images) for some in waiting) >= size:
            yield VoteRows.join(waiting)
            waiting = []
    if waiting:
        yield VoteRows.join(waiting)


def to_table(rows: VoteRows, schema: pa.Schema) -> pa.Table:
    """Rows as a part stores them."""
    chosen = [] if rows.rivals is None else [rows.rivals]
    matrices = [
        pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(m).ravel(), m.shape[1])
        for m in (*rows.columns.values(), *chosen)
    ]
    columns = [pa.array(rows.images), pa.array(rows.blocks), *matrices]
    columns.append(pa.array(rows.draw_seconds))
    if rows.last is not None:
        columns.append(pa.array(rows.last))
    return pa.Table.from_arrays(columns, schema=schema)


def from_batch(batch: pa.RecordBatch, names: list[str]) -> VoteRows:
    """What a part stores as rows.

    Raises:
        ValueError: Some cells are empty.
    """
    timed = SECONDS in batch.schema.names
    if any(column.null_count for column in batch.columns):
        raise ValueError("it has empty cells")
    return VoteRows(
        images=batch.column("image").to_numpy(),
        blocks=batch.column("block").to_numpy(),
        columns={name: _matrix(batch, name) for name in names},
        rivals=_matrix(batch, CHOSEN) if CHOSEN in batch.schema.names else None,
        draw_seconds=(
            batch.column(SECONDS).to_numpy()
            if timed
            else np.full(batch.num_rows, np.nan)
        ),
        last=(
            batch.column(LAST).to_numpy(zero_copy_only=False)
            if LAST in batch.schema.names
            else None
        ),
    )


def _matrix(batch: pa.RecordBatch, name: str) -> np.ndarray:
    column = batch.column(name)
    found: np.ndarray = column.flatten().to_numpy().reshape(-1, column.type.list_size)
    return found
