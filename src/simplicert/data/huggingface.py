"""Datasets of the Hugging Face hub by name, through their own package."""

import hashlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from simplicert.data.encoded import EncodedImages
from simplicert.data.labels import labels_of
from simplicert.errors import InputError

PREFIX = "hf:"


def find(name: str, *, split: str) -> EncodedImages:
    """The images of ``hf:NAME``: its first column of images, and of class labels.

    Raises:
        InputError: If the package is missing, or there is no such dataset or split, or
            no column of images.
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
        table = datasets.load_dataset(name.removeprefix(PREFIX), split=split)
    except (ValueError, OSError) as error:
        raise InputError(f"{where}: {error}") from error
    image = _first(table, datasets.Image)
    if image is None:
        columns = ", ".join(table.features)
        raise InputError(f"{name} has no column of images, but {columns}")
    label = _first(table, datasets.ClassLabel)
    labels = None if label is None else labels_of(where, np.asarray(table[label]))
    # The bytes as they are stored: we decode them, as in every other form.
    rows = _Rows(name, table.cast_column(image, datasets.Image(decode=False)), image)
    return EncodedImages(
        name=name,
        split=split,
        class_names=() if label is None else tuple(table.features[label].names),
        labels=labels,
        rows=len(table),
        fetch=rows,
        locate=rows.locate,
        fingerprint=rows.digest,
    )


@dataclass(frozen=True)
class _Rows:
    name: str
    table: Any
    column: str

    def __call__(self, row: int) -> bytes | None:
        stored = self.table[row][self.column]
        content: bytes | None = stored["bytes"]
        if content is None and stored["path"]:
            return Path(stored["path"]).read_bytes()
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
