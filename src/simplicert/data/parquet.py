"""Parquet files: tables, or encoded images and labels as Hugging Face lays them out."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.encoded import EncodedImages
from simplicert.data.form import Form
from simplicert.data.labels import classes_of, label_choice
from simplicert.data.listing import SPLITS, check_split_of, is_hidden
from simplicert.data.room import check_room
from simplicert.data.row_groups import RowGroups
from simplicert.data.table import Columns, from_frame, has_splits, label_among
from simplicert.errors import InputError
from simplicert.files import is_the_systems, printable
from simplicert.structured import parse_json

_IMAGE_COLUMNS = ("img", "image")
_LABEL_COLUMNS = ("label", "fine_label", "labels")
# With a fingerprint at the end in what older versions of the hub's package uploaded.
_SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d+)-of-(?P<count>\d+)(-[0-9a-f]{8,})?")


def _recognises(path: Path) -> bool:
    """Whether this is a Parquet file, or a directory that holds some."""
    return bool(_parquet_files(path))


def _find(
    path: Path,
    *,
    split: str,
    image_column: str | None = None,
    label_column: str | None = None,
    feature_columns: tuple[str, ...] | None = None,
    known_features: tuple[str, ...] = (),
) -> EncodedImages | Dataset:
    """The images of one split, or its rows, where no column holds images.

    A split is the files ``SPLIT-00000-of-00003.parquet``, ``SPLIT.parquet`` or
    ``SPLIT/*.parquet``, in the directory or in its ``data/``. Rows are numbered
    through, in the order of the names. A table in one file without such a name is the
    split ``test``, or has a column ``split``.

    Raises:
        InputError: If there is no such split, a file is missing or cut short; or
            ``from_frame``.
    """
    splits: dict[str, list[Path]] = {}
    for file in _parquet_files(path):
        splits.setdefault(_split_of(file, path), []).append(file)
    columns = Columns(
        label=label_column, features=feature_columns, known=known_features
    )
    if path.is_file() and image_column is None and _is_table([path], columns):
        return _table(path, [path], [path], split, columns)
    if split not in splits:
        raise unknown_split(path, split, splits)
    files = splits[split]
    _check_shards(split, files)
    if image_column is None and _is_table(files, columns):
        return _table(path, files, [*chain(*splits.values())], split, columns)
    if feature_columns is not None:
        raise InputError(
            f"{path}: image_column and feature_columns exclude each other: images have "
            "no features"
        )
    schema, image, label, names = _columns(
        files,
        (image_column,) if image_column else _IMAGE_COLUMNS,
        (label_column,) if label_column else _LABEL_COLUMNS,
    )
    root = path if path.is_dir() else path.parent
    where = f"{root}, split {split!r}"
    fetch = RowGroups(files, image)
    used = {image.partition(".")[0], label}
    check_room(f"{where}: {fetch.rows:,} labels", 64 * fetch.rows)
    stored = None if label is None else _stored(files, label)
    labels, class_names, strange = classes_of(where, stored, names)
    also = [
        name for name in _IMAGE_COLUMNS if name in schema.names and not image_column
    ]
    return EncodedImages(
        name=printable(root.resolve().name),
        split=split,
        class_names=class_names,
        labels=labels,
        rows=fetch.rows,
        fetch=fetch,
        locate=fetch.locate,
        fingerprint=partial(digest_of_files, root, files),
        notes=(
            *strange,
            *(
                [f"of {' and '.join(also)} the first holds the images"]
                * (len(also) > 1)
            ),
            *label_choice(label, [name for name in schema.names if name not in used]),
        ),
    )


def _parquet_files(path: Path) -> list[Path]:
    # No deeper: below an image folder lie a million files.
    found = [path, *path.glob("*.parquet"), *path.glob("*/*.parquet")]
    return sorted(
        file
        for file in found
        if file.suffix.lower() == ".parquet"
        and not any(map(is_hidden, file.relative_to(path).parts))
        and (file.is_file() or not file.exists())  # a link that leads nowhere is said
    )


def _split_of(file: Path, path: Path) -> str:
    shard = _SHARD.fullmatch(file.stem)
    if shard:
        return shard["split"]
    # In a folder of data sets, too, a file that is called train is no part of its test.
    named_by_file = file == path or file.parent in {path, path / "data"}
    return file.stem if named_by_file or file.stem in SPLITS else file.parent.name


def _check_shards(split: str, files: list[Path]) -> None:
    """Refuse all but every file of one upload, once."""
    shards = [
        match for match in (_SHARD.fullmatch(file.stem) for file in files) if match
    ]
    numbers = [int(shard["number"]) for shard in shards]
    counts = {int(shard["count"]) for shard in shards}
    places = {file.parent for file in files}
    if len(counts) > 1 or len(places) > 1 or len(set(numbers)) < len(numbers):
        raise InputError(
            f"split {split!r} is there more than once: {files[0]} and {files[-1]} "
            "belong to two uploads, or to two datasets. Give one folder, or remove one"
        )
    there = {*numbers} & {*range(min(counts, default=0))}
    if shards and not len(files) == len(there) == min(counts):
        raise InputError(
            f"{files[0].parent}: split {split!r} has {len(there)} of its "
            f"{min(counts)} Parquet files: download the rest, and give the "
            "directory"
        )


def _is_table(files: list[Path], columns: Columns) -> bool:
    """Whether features were asked for, or nothing in the files may be images."""
    if columns.features is not None:
        return True
    for file in files:
        with _reading(file):
            schema = pq.read_schema(file)
        for field in schema:
            kind = field.type
            images = pa.types.is_struct(kind) or pa.types.is_null(kind)
            if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or images:
                return False
            if field.name in _IMAGE_COLUMNS:
                return False  # what is wrong with it is said
    return True


def _table(
    path: Path, files: list[Path], every: list[Path], split: str, columns: Columns
) -> Dataset:
    """The rows of all files of a split, as features.

    Args:
        path: As it was given.
        files: Of the split.
        every: Of all splits, whose classes are the same.
        split: Which.
        columns: Which to take.
    """
    frames, sizes = [], 0
    for file in files:
        with _reading(file):
            metadata = pq.read_metadata(file)
            groups = range(metadata.num_row_groups)
            sizes += sum(metadata.row_group(n).total_byte_size for n in groups)
            check_room(path, sizes)
            frames.append(pq.read_table(file).to_pandas())
    if any([*frame.columns] != [*frames[0].columns] for frame in frames):
        raise InputError(f"{files[0]} and others of its split have other columns")
    frame = pd.concat(frames, ignore_index=True)
    within = path.is_file() and has_splits(frame)
    if path.is_file() and not within:
        check_split_of(path, split)
    root = path if path.is_dir() else path.parent
    dataset = from_frame(
        frame,
        where=str(path if path.is_file() else f"{path}, split {split!r}"),
        name=printable(path.stem if path.is_file() else path.resolve().name),
        split=split if within else None,
        columns=columns,
        class_names=_names_in(
            frame, columns.label, [f for f in every if f not in files]
        ),
        fingerprint=partial(digest_of_files, root, files),
    )
    return dataset if within else replace(dataset, split=split)


def _names_in(
    frame: pd.DataFrame, given: str | None, others: list[Path]
) -> tuple[str, ...]:
    """Names of the classes of all splits, where labels are names."""
    label = label_among(frame, given)
    names = set() if label is None else {*frame[label].dropna()}
    if not others or not all(isinstance(name, str) for name in names):
        return ()
    for file in others:
        with _reading(file):
            if label is not None and label in pq.read_schema(file).names:
                names |= {*_stored([file], label)}
    return tuple(sorted(name for name in names if isinstance(name, str)))


def _columns(
    files: list[Path], images: tuple[str, ...], labels: tuple[str, ...]
) -> tuple[Any, str, str | None, tuple[str, ...]]:
    """Schema, image and label column, and class names, if all files are alike.

    Args:
        files: Of the split.
        images: Names that the column of images may have.
        labels: The same of labels; one that was asked for must be there.
    """
    found = []
    for file in files:
        with _reading(file):
            schema = pq.read_schema(file)
        label = next((name for name in labels if name in schema.names), None)
        if label is None and labels is not _LABEL_COLUMNS:
            raise InputError(
                f"{file} has no column {labels[0]}, but {', '.join(schema.names)}"
            )
        image = _image_column(file, schema, images)
        found.append((schema, image, label, _class_names(schema, label)))
        if found[-1][1:3] != found[0][1:3]:
            columns = [", ".join(filter(None, each[1:3])) for each in found]
            raise InputError(
                f"{file} has its images and labels in {columns[-1]}, but {files[0]} in "
                f"{columns[0]}: give files of one dataset"
            )
        if found[-1][3] != found[0][3]:
            raise InputError(
                f"{file} and {files[0]} name different classes, or the same in another "
                "order: give files of one dataset"
            )
    return found[0]


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Names the file in what Arrow raises on damaged bytes."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if is_the_systems(error) and error.errno != errno.ENOENT:
            raise
        raise InputError(
            f"{file} is not a whole Parquet file ({error}): download it again"
        ) from error


def _image_column(file: Path, schema: Any, names: tuple[str, ...]) -> str:
    """Path of the column of encoded bytes: they may be a field of the image."""
    for name in names:
        if name in schema.names:
            column, kind = name, schema.field(name).type
            if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
                column, kind = f"{name}.bytes", kind.field("bytes").type
            # A column of nothing but nulls is read: each row says what is wrong.
            kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_null)
            if any(is_one(kind) for is_one in kinds):
                return column
    raise InputError(
        f"{file} has the columns {', '.join(schema.names)}: images are looked for in "
        f"{' or '.join(names)}, as the bytes of JPEG or PNG files; name another with "
        "the option image_column"
    )


def _stored(files: list[Path], column: str) -> np.ndarray:
    parts = []
    for file in files:
        with _reading(file):
            parts.append(pq.read_table(file, columns=[column])[column].to_numpy())
    return np.concatenate(parts)


def _class_names(schema: Any, label: str | None) -> tuple[str, ...]:
    """As the hub's own package describes them; empty where it does not."""
    try:
        described = parse_json((schema.metadata or {})[b"huggingface"], "metadata")
        return tuple(map(str, described["info"]["features"][label]["names"]))
    except (ValueError, LookupError, TypeError):
        return ()


parquet = Form(
    name="Parquet files",
    looks_for="SPLIT-00000-of-00001.parquet, SPLIT.parquet or SPLIT/*.parquet, or "
    "these in data/",
    recognises=_recognises,
    open=_find,
    columns=("image_column", "label_column", "feature_columns"),
)
