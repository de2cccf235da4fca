"""The idx files of MNIST, and of the datasets that copy it."""

import gzip
import math
import re
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader, dark
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import classes_of
from simplicert.data.listing import entries, kind
from simplicert.data.room import check_room
from simplicert.errors import InputError
from simplicert.files import opened, printable

# MNIST's own names, EMNIST's with more in front, and those with a dot before idx3.
_IMAGES = re.compile(r"(?P<prefix>.+)-images(?P<dot>[-.])idx3-ubyte(\.gz)?")
_SPLITS = {"t10k": "test"}
_BYTES, _PACKED = bytes([0, 0, 8]), bytes([0x1F, 0x8B])  # how files begin
_CLASS_NAMES = {
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )
}  # fmt: skip


def _recognises(path: Path) -> bool:
    """Whether a file of images is there, compressed or not."""
    return bool(_splits(path))


def _splits(path: Path) -> dict[str, tuple[str, str]]:
    """Split → names of its files of images and of labels."""
    splits: dict[str, tuple[str, str]] = {}
    for name in sorted(entry.name for entry in entries(path) if kind(entry) == "files"):
        match = _IMAGES.fullmatch(name)
        if match:
            prefix, dot = match["prefix"], match["dot"]
            names = (
                f"{prefix}-images{dot}idx3-ubyte",
                f"{prefix}-labels{dot}idx1-ubyte",
            )
            splits.setdefault(_SPLITS.get(prefix, prefix), names)
    return splits


def _lacks(path: Path) -> str | None:
    """What is wrong where the names are nearly right."""
    names = sorted(entry.name for entry in entries(path))
    near = [name for name in names if "idx1" in name or "idx3" in name]
    return f"there are only {', '.join(near[:4])}" if near else None


def _load(path: Path, *, split: str) -> Dataset:
    """The images of a split, in memory: ``train``, ``test`` (``t10k``), or EMNIST's.

    Raises:
        InputError: If there is no such split, or a file is missing or cut short.
    """
    splits = _splits(path)
    if split not in splits:
        raise unknown_split(path, split, splits)
    files = [_file(path, name) for name in splits[split]]
    pixels, stored = (_array(file) for file in files)
    if pixels.ndim != 3 or stored.shape != pixels.shape[:1]:
        raise InputError(
            f"{files[0]} has shape {pixels.shape} and {files[1]} {stored.shape}: they "
            "should be images, and one label for each"
        )
    name = printable(path.resolve().name)
    names = _CLASS_NAMES.get(name, ())
    labels, class_names, strange = classes_of(files[1], stored, names)
    return Dataset(
        name=name,
        split=split,
        shape=(1, *pixels.shape[1:]),
        class_names=class_names,
        labels=labels,
        indices=np.arange(len(pixels)),
        reader=ArrayReader(pixels[:, None]),
        fingerprint=partial(digest_of_files, path, files),
        notes=(*_sideways(split), *dark(pixels), *strange),
    )


def _file(path: Path, name: str) -> Path:
    for file in (path / name, path / f"{name}.gz"):
        if file.is_file():
            return file
    raise InputError(f"{path} has no {name} or {name}.gz: download it")


def _array(file: Path) -> np.ndarray:
    """The bytes that the header announces, and not one more than these."""
    try:
        with opened(file) as found:
            packed = found.read(2) == _PACKED  # whatever it is called
        with opened(file) as found, gzip.open(found) if packed else found as stored:
            start = stored.read(4)
            if len(start) == 4 and start[:3] != _BYTES:
                raise InputError(
                    f"{file} does not begin as an idx file of bytes does: it is "
                    "damaged, or its numbers are of another type"
                )
            axes = start[3] if len(start) == 4 else 0
            lengths = stored.read(4 * axes)
            if len(start) < 4 or len(lengths) < 4 * axes:
                raise InputError(
                    f"{file} is cut short: {len(start + lengths)} bytes are not even "
                    "its header. Download it again"
                )
            # Two zero bytes, the type, the number of axes, and the length of each.
            shape = tuple(np.frombuffer(lengths, dtype=">u4").tolist())
            size = math.prod(shape)
            check_room(f"{file}, whose header says shape {shape},", size)
            content = stored.read(size + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{file} is cut short or damaged ({error}): download it again"
        ) from error
    if size != len(content):
        came = f"{len(content)} bytes" if len(content) <= size else "more bytes"
        raise InputError(
            f"{file} is not a whole idx file of bytes: its header says shape {shape}, "
            f"after it come {came}. Download it again"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _sideways(split: str) -> tuple[str, ...]:
    if not split.startswith("emnist"):
        return ()
    return ("EMNIST's images lie on their sides, and are read as they are stored",)


idx = Form(
    name="idx files",
    looks_for="t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, train-images-… and "
    "train-labels-…, or .gz of them",
    recognises=_recognises,
    open=_load,
    lacks=_lacks,
    files="*idx?-ubyte*",
)
