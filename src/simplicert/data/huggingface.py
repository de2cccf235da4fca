"""Datasets of the Hugging Face hub by name, through their own package."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.encoded import CorruptImageError, EncodedImages
from simplicert.data.labels import classes_of, label_choice
from simplicert.data.table import Columns, from_frame
from simplicert.errors import InputError

PREFIX = "hf:"


def find(
    name: str,
    *,
    split: str,
    image_column: str | None = None,
    label_column: str | None = None,
    feature_columns: Sequence[str] | None = None,
    known_features: Sequence[str] = (),
) -> EncodedImages | Dataset:
    """The images of ``hf:NAME``: its first column of images, and of class labels.

    Or the columns that are named, or features where no column holds images. NAME may be
    a folder that ``save_to_disk`` wrote.

    Raises:
        InputError: If the package is missing, or there is no such dataset or split; or
            ``of_table``.
    """
    try:
        datasets = import_module("datasets")  # optional, so untyped
    except ImportError as error:
        raise InputError(
            f"{name} needs the package datasets: pip install datasets. Or download the "
            "dataset's Parquet files, and give their directory"
        ) from error
    where = f"{name}, split {split!r}"
    try:
        table = _table(datasets, name.removeprefix(PREFIX), split)
    except (ValueError, OSError) as error:
        raise InputError(f"{where}: {error}") from error
    return of_table(
        table,
        name=name,
        split=split,
        image_column=image_column,
        label_column=label_column,
        feature_columns=feature_columns,
        known_features=known_features,
    )


def is_table(given: object) -> bool:
    """Whether this is a data set of that package, whose rows are as they are stored."""
    has_features = isinstance(getattr(given, "features", None), Mapping)
    if not has_features or not hasattr(given, "cast_column"):
        return False
    shown: Any = getattr(given, "format", None) or {}  # as torch's tensors, or changed
    return shown.get("type") is None


def of_table(
    table: Any,
    *,
    name: str,
    split: str,
    image_column: str | None = None,
    label_column: str | None = None,
    feature_columns: Sequence[str] | None = None,
    known_features: Sequence[str] = (),
) -> EncodedImages | Dataset:
    """A split that the package has loaded: its images, or its rows of features.

    Raises:
        InputError: There is no such column; or ``from_frame``.
    """
    datasets = import_module("datasets")
    where, columns = f"{name}, split {split!r}", ", ".join(table.features)
    image = image_column or _first(table, datasets.Image)
    label = label_column or _first(table, datasets.ClassLabel)
    for column in filter(None, (image, label)):
        if column not in table.features:
            raise InputError(f"{name} has no column {column}, but {columns}")
    names: tuple[str, ...] = ()
    if label is not None:
        names = tuple(getattr(table.features[label], "names", ()))
    if image is None or feature_columns is not None:
        return replace(
            from_frame(
                table.to_pandas(),
                where=where,
                name=name,
                split=None,
                columns=Columns(
                    label=label, features=feature_columns, known=known_features
                ),
                class_names=names,
            ),
            split=split,
        )
    if not isinstance(table.features[image], datasets.Image):
        raise InputError(f"{name}: the column {image} holds no images")
    stored = None if label is None else np.asarray(table[label])
    labels, class_names, strange = classes_of(where, stored, names)
    # The bytes as they are stored: we decode them, as in every other form.
    rows = _Rows(name, table.cast_column(image, datasets.Image(decode=False)), image)
    return EncodedImages(
        name=name,
        split=split,
        class_names=class_names,
        labels=labels,
        rows=len(table),
        fetch=rows,
        locate=rows.locate,
        fingerprint=rows.digest,
        notes=(
            *strange,
            *label_choice(
                label, [n for n in table.features if n not in {image, label}]
            ),
        ),
    )


def _table(datasets: Any, name: str, split: str) -> Any:
    if (Path(name) / "state.json").is_file():
        return datasets.load_from_disk(name)  # one split, which has no name
    if (Path(name) / "dataset_dict.json").is_file():
        splits = datasets.load_from_disk(name)
        if split not in splits:
            raise unknown_split(name, split, splits)
        return splits[split]
    return datasets.load_dataset(name, split=split)


@dataclass(frozen=True)
class _Rows:
    name: str
    table: Any
    column: str

    def __call__(self, row: int) -> bytes | None:
        stored = self.table[row][self.column]
        content: bytes | None = stored["bytes"]
        if content is None and stored["path"]:
            path = Path(stored["path"])
            if path.exists() and not path.is_file():
                raise CorruptImageError(f"{self.locate(row)}: {path} is no file")
            return path.read_bytes()
        return content

    def locate(self, row: int) -> str:
        return f"{self.name}: row {row}"

    def digest(self) -> str:
        listing = hashlib.sha256()
        for row in range(len(self.table)):
            listing.update(hashlib.sha256(self(row) or b"").digest())
        return listing.hexdigest()


def _first(table: Any, kind: type) -> str | None:
    return next(
        (name for name, feature in table.features.items() if isinstance(feature, kind)),
        None,
    )
