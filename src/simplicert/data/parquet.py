"""Hugging Face's layout: Parquet files of encoded images and labels."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simplicert.data.digests import digest_of_files
from simplicert.data.encoded import EncodedImages
from simplicert.data.row_groups import RowGroups
from simplicert.errors import InputError, unknown_name

_IMAGE_COLUMNS = ("img", "image")
_LABEL_COLUMNS = ("label", "fine_label", "labels")
_SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d+)-of-(?P<count>\d+)")


def recognises(path: Path) -> bool:
    """Whether this is a Parquet file, or a directory that holds some."""
    return bool(_parquet_files(path))


def find(path: Path, *, split: str) -> EncodedImages:
    """The images of one split.

    A split is the files ``SPLIT-00000-of-00003.parquet``, ``SPLIT.parquet`` or
    ``SPLIT/*.parquet``, in the directory or in its ``data/``. Rows are numbered
    through, in the order of the names.

    Raises:
        InputError: If there is no such split, a file is missing or cut short, or no
            column holds images.
    """
    splits: dict[str, list[Path]] = {}
    for file in _parquet_files(path):
        splits.setdefault(_split_of(file, path), []).append(file)
    if split not in splits:
        raise unknown_name(f"split of {path}", split, splits)
    files = splits[split]
    schema = _schema(files)
    label = next((name for name in _LABEL_COLUMNS if name in schema.names), None)
    labels = None if label is None else _labels(files, label)
    fetch = RowGroups(files, _image_column(files[0], schema))
    root = path if path.is_dir() else path.parent
    return EncodedImages(
        name=root.resolve().name,
        split=split,
        class_names=_class_names(schema, label, labels),
        labels=labels,
        rows=fetch.rows,
        fetch=fetch,
        locate=fetch.locate,
        fingerprint=partial(digest_of_files, root, files),
    )


def _parquet_files(path: Path) -> list[Path]:
    if path.suffix == ".parquet":
        return [path]
    # No deeper: below an image folder lie a million files.
    return sorted([*path.glob("*.parquet"), *path.glob("*/*.parquet")])


def _split_of(file: Path, path: Path) -> str:
    shard = _SHARD.fullmatch(file.stem)
    if shard:
        return shard["split"]
    named_by_file = file == path or file.parent in {path, path / "data"}
    return file.stem if named_by_file else file.parent.name


def _schema(files: list[Path]) -> Any:
    """The schema of the first file, if all files are there and whole."""
    shard = _SHARD.fullmatch(files[0].stem)
    if shard and len(files) != int(shard["count"]):
        raise InputError(
            f"{files[0].parent}: split {shard['split']!r} has {len(files)} of its "
            f"{int(shard['count'])} Parquet files: download the rest, and give the "
            "directory"
        )
    schemas = []
    for file in files:
        try:
            schemas.append(pq.read_schema(file))
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{file} is not a whole Parquet file ({error}): download it again"
            ) from error
    return schemas[0]


def _image_column(file: Path, schema: Any) -> str:
    """Path of the column of encoded bytes: they may be a field of the image."""
    for name in _IMAGE_COLUMNS:
        if name in schema.names:
            column, kind = name, schema.field(name).type
            if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
                column, kind = f"{name}.bytes", kind.field("bytes").type
            if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                return column
    raise InputError(
        f"{file} has the columns {', '.join(schema.names)}: images are looked for in "
        f"{' or '.join(_IMAGE_COLUMNS)}, as the bytes of JPEG or PNG files"
    )


def _labels(files: list[Path], column: str) -> np.ndarray | None:
    parts = [pq.read_table(file, columns=[column])[column].to_numpy() for file in files]
    labels = np.concatenate(parts).astype(np.int64)
    # Hidden labels of a test split are published as -1.
    return None if (labels == -1).all() else labels


def _class_names(
    schema: Any, label: str | None, labels: np.ndarray | None
) -> tuple[str, ...]:
    described = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = described.get("info", {}).get("features", {})
    names = features.get(label, {}).get("names")
    if names is None and labels is not None:
        names = range(labels.max() + 1)
    return tuple(map(str, names or ()))
