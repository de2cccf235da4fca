"""The idx files of MNIST, and of the datasets that copy it."""

import gzip
import math
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import labels_of, numbered_classes
from simplicert.errors import InputError

_PREFIXES = {"train": "train", "test": "t10k"}
_UNSIGNED_BYTE = 8
_CLASS_NAMES = {
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )
}  # fmt: skip


def _recognises(path: Path) -> bool:
    """Whether a file of images is there, compressed or not."""
    return any(path.glob("*-images-idx3-ubyte*"))


def _load(path: Path, *, split: str) -> Dataset:
    """The ``train`` or ``test`` (``t10k``) images, in memory.

    Raises:
        InputError: If there is no such split, or a file is missing or cut short.
    """
    if split not in _PREFIXES:
        raise unknown_split(path, split, _PREFIXES)
    kinds = ("images-idx3", "labels-idx1")
    files = [_file(path, f"{_PREFIXES[split]}-{kind}-ubyte") for kind in kinds]
    pixels, stored = (_array(file) for file in files)
    if pixels.ndim != 3 or stored.shape != pixels.shape[:1]:
        raise InputError(
            f"{files[0]} has shape {pixels.shape} and {files[1]} {stored.shape}: they "
            "should be images, and one label for each"
        )
    name = path.resolve().name
    labels = labels_of(files[1], stored)
    class_names = _CLASS_NAMES.get(name) or numbered_classes(files[1], labels)
    return Dataset(
        name=name,
        split=split,
        shape=(1, *pixels.shape[1:]),
        class_names=class_names,
        labels=labels,
        indices=np.arange(len(pixels)),
        reader=ArrayReader(pixels[:, None]),
        fingerprint=partial(digest_of_files, path, files),
    )


def _file(path: Path, name: str) -> Path:
    for file in (path / name, path / f"{name}.gz"):
        if file.is_file():
            return file
    raise InputError(f"{path} has no {name} or {name}.gz: download it")


def _array(file: Path) -> np.ndarray:
    try:
        content = file.read_bytes()
        if file.suffix == ".gz":
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{file} is cut short or damaged ({error}): download it again"
        ) from error
    # Two zero bytes, the type, the number of axes, and the length of each axis.
    start = 4 + 4 * content[3] if len(content) >= 4 else 4
    if len(content) < start:
        raise InputError(
            f"{file} is cut short: {len(content)} bytes are not even its header. "
            "Download it again"
        )
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    size = len(content) - start
    if content[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or size != math.prod(shape):
        raise InputError(
            f"{file} is not a whole idx file of bytes: its header says shape {shape}, "
            f"after it come {size} bytes. Download it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


idx = Form(_recognises, _load)
