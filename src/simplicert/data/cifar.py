"""The binary files of CIFAR-10 and CIFAR-100, as their authors publish them."""

from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.room import check_room
from simplicert.errors import InputError

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_TEN = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")


def _recognises(path: Path) -> bool:
    """Whether some images of either dataset are there."""
    return any((path / name).is_file() for name in (*_TEN, "train.bin", "test.bin"))


def _load(path: Path, *, split: str) -> Dataset:
    """The ``train`` or ``test`` images, in memory.

    CIFAR-100 has its 100 fine classes.

    Raises:
        InputError: If there is no such split, or a file is missing or cut short.
    """
    hundred = not any((path / name).is_file() for name in _TEN)
    if hundred:
        names = {"train": ["train.bin"], "test": ["test.bin"]}
    else:
        names = {"train": list(_TEN[:5]), "test": list(_TEN[5:])}
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
    check_room(file, file.stat().st_size)
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
            lines = map(str.strip, names.read_text(encoding="utf-8").splitlines())
            return tuple(filter(None, lines))
        except UnicodeDecodeError as error:
            raise InputError(
                f"{names} is no text ({error}): unpack the archive again"
            ) from error
    return tuple(map(str, range(100 if hundred else 10)))


cifar = Form(
    name="CIFAR's binary files",
    looks_for="test_batch.bin and data_batch_1.bin to 5, or test.bin and train.bin",
    recognises=_recognises,
    open=_load,
    files="*.bin",
)
