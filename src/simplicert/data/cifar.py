"""The binary files of CIFAR-10 and CIFAR-100, as their authors publish them."""

from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.errors import InputError

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32


def _recognises(path: Path) -> bool:
    """Whether the test images of either dataset are there."""
    return (path / "test_batch.bin").is_file() or (path / "test.bin").is_file()


def _load(path: Path, *, split: str) -> Dataset:
    """The ``train`` or ``test`` images, in memory.

    CIFAR-100 has its 100 fine classes.

    Raises:
        InputError: If there is no such split, or a file is missing or cut short.
    """
    hundred = (path / "test.bin").is_file()
    if hundred:
        names = {"train": ["train.bin"], "test": ["test.bin"]}
    else:
        batches = [f"data_batch_{number}.bin" for number in range(1, 6)]
        names = {"train": batches, "test": ["test_batch.bin"]}
    if split not in names:
        raise unknown_split(path, split, names)
    files = [path / name for name in names[split]]
    label_bytes = 2 if hundred else 1  # CIFAR-100: the coarse class comes first
    records = np.concatenate([_records(file, label_bytes) for file in files])
    return Dataset(
        name="cifar100" if hundred else "cifar10",
        split=split,
        shape=_SHAPE,
        class_names=_class_names(path, hundred=hundred),
        labels=records[:, label_bytes - 1].astype(np.int64),
        indices=np.arange(len(records)),
        reader=ArrayReader(records[:, label_bytes:].reshape(-1, *_SHAPE)),
        fingerprint=partial(digest_of_files, path, files),
    )


def _records(file: Path, label_bytes: int) -> np.ndarray:
    if not file.is_file():
        raise InputError(f"{file} is missing: unpack the whole archive")
    content = np.fromfile(file, dtype=np.uint8)
    record = label_bytes + _PIXELS
    if not content.size or content.size % record:
        raise InputError(
            f"{file} has {content.size} bytes, not a multiple of {record}, the size of "
            "an image: it was cut short, unpack the archive again"
        )
    return content.reshape(-1, record)


def _class_names(path: Path, *, hundred: bool) -> tuple[str, ...]:
    names = path / ("fine_label_names.txt" if hundred else "batches.meta.txt")
    if names.is_file():
        try:
            return tuple(names.read_text(encoding="utf-8").split())
        except UnicodeDecodeError as error:
            raise InputError(
                f"{names} is no text ({error}): unpack the archive again"
            ) from error
    return tuple(map(str, range(100 if hundred else 10)))


cifar = Form(_recognises, _load)
