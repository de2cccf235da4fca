"""NumPy archives."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from simplicert.data.arrays import ArrayReader, dark
from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import classes_of, label_choice
from simplicert.data.room import check_room
from simplicert.errors import InputError
from simplicert.files import is_the_systems, opened, printable

_COLOURS = (1, 3)
_NAMES = "class_names"
# What people call the two, around the name of the split; the first are ours.
_PAIRS = (
    ("images", "labels"), ("x", "y"), ("image", "label"), ("data", "labels"),
    ("data", "targets"), ("data", "target"), ("inputs", "targets"), ("arr_0", "arr_1"),
)  # fmt: skip
_SPELLINGS = ("{split}_{name}", "{name}_{split}", "{name}")


def _recognises(path: Path) -> bool:
    """Whether this is a file of that name."""
    return path.suffix.lower() == ".npz" and path.is_file()


def _load(
    path: Path,
    *,
    split: str,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Dataset:
    """The images of one split, in memory.

    The arrays of a split are ``SPLIT_images`` and ``SPLIT_labels``, or ``x_SPLIT`` and
    ``y_SPLIT``, or, for ``test``, ``images`` and ``labels``; or others of ``_PAIRS``,
    or those that are named. Labels may be missing. Images are bytes, or floating point
    in [0, 1], of shape (images, height, width) with the channels second, last, or left
    out. ``class_names`` is an array of text.

    Raises:
        InputError: If there is no such split, the file is cut short or holds pickles,
            or an array has another type or shape.
    """
    where = f"{path}, split {split!r}"
    try:
        # A pickle inside could run code: allow_pickle stays False, its default.
        with opened(path) as file, np.load(file) as archive:
            keys = _chosen(path, list(archive), split, image_column, label_column)
            images = _array(path, archive, keys[0])
            stored, names = (
                None if key is None else _array(path, archive, key) for key in keys[1:]
            )
            unused = sorted({*archive} - {*keys})
    except (MemoryError, InputError):
        raise
    except Exception as error:  # damaged bytes raise almost anything
        if is_the_systems(error):
            raise
        raise InputError(
            f"{path} cannot be read as plain arrays ({error}): it is cut short, is no "
            "archive, or holds pickled objects. Save arrays of numbers with np.savez"
        ) from error
    class_names = () if names is None else tuple(map(str, names.ravel().tolist()))
    labels, class_names, strange = classes_of(where, stored, class_names)
    pixels, white = _pixels(path, images)
    return Dataset(
        name=printable(path.stem),
        split=split,
        shape=pixels.shape[1:],
        class_names=class_names,
        labels=labels,
        indices=np.arange(len(pixels)),
        reader=ArrayReader(pixels, white),
        fingerprint=partial(digest_of_files, path.parent, [path]),
        notes=(
            *dark(pixels, white),
            *strange,
            *(label_choice(None, unused) if labels is None else ()),
        ),
    )


def _chosen(
    path: Path,
    names: list[str],
    split: str,
    image_column: str | None,
    label_column: str | None,
) -> tuple[str, str | None, str | None]:
    """The names of the images, the labels and the class names; None for what is not."""
    for given in filter(None, (image_column, label_column)):
        if given not in names:
            raise InputError(f"{path} has no array {given}, but {', '.join(names)}")
    low = {name.lower(): name for name in reversed(names)}
    pairs = [
        [spelling.format(split=split.lower(), name=name) for name in pair]
        for spelling in _SPELLINGS
        if "{split}" in spelling or split.lower() in {"test", path.stem.lower()}
        for pair in _PAIRS
    ]
    images = image_column or next(
        (low[image] for image, _ in pairs if image in low), None
    )
    if images is None:
        raise InputError(
            f"{path} has the arrays {', '.join(names)}: images are looked for in "
            f"{split}_images or x_{split}{', images or X' * (split == 'test')}; name "
            "another with the option image_column, and its labels with label_column"
        )
    labels = label_column or next(
        (
            low[label]
            for image, label in pairs
            if image == images.lower() and label in low
        ),
        None,
    )
    return images, labels, _NAMES if _NAMES in names else None


def _array(path: Path, archive: Any, key: str) -> np.ndarray:
    """One array, after its header was held against what is there and fits in here."""
    member = archive.zip.getinfo(key if key in archive.zip.namelist() else f"{key}.npy")
    with archive.zip.open(member) as file:
        old = npy.read_magic(file) == (1, 0)
        read = npy.read_array_header_1_0 if old else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        header = file.tell()
    if dtype.kind not in "biufUS":
        raise InputError(
            f"{path}: {key} holds {_kind_of(dtype)}: save arrays of numbers with "
            "np.savez"
        )
    needed = math.prod(shape) * dtype.itemsize
    if needed > member.file_size - header:
        raise InputError(
            f"{path}: {key} should have shape {shape} by its header, {needed:,} bytes, "
            f"and has {member.file_size - header:,}: it is cut short or damaged"
        )
    check_room(f"{path}: {key} of shape {shape}", needed)
    array: np.ndarray = archive[key]
    return array


def _kind_of(dtype: np.dtype[Any]) -> str:
    return "pickled objects" if dtype.hasobject else f"{dtype}, no real numbers"


def _pixels(path: Path, stored: np.ndarray) -> tuple[np.ndarray, int]:
    """Images with their channels second, and the value that stands for 1."""
    images = stored[:, None] if stored.ndim == 3 else stored
    if images.ndim == 4:
        second, last = (images.shape[axis] in _COLOURS for axis in (1, 3))
        if second and last and stored.ndim == 4:
            raise InputError(
                f"{path}: images have shape {stored.shape}, whose channels may be "
                f"{stored.shape[1]}, second, or {stored.shape[3]}, last: leave out an "
                "axis of 1, or give the arrays by FILE.py:NAME, with channels second"
            )
        if not second:
            images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in _COLOURS or 0 in images.shape[1:]:
        raise InputError(
            f"{path}: images have shape {stored.shape}, not (images, height, width) "
            "with 1 or 3 channels second or last. Inputs of any shape can be given by "
            "FILE.py:NAME"
        )
    if not len(images):
        raise InputError(f"{path} has no images: its shape is {stored.shape}")
    if images.dtype.kind not in "biuf":
        raise InputError(f"{path}: images are {images.dtype}, no numbers")
    low, high = images.min(), images.max()
    if images.dtype == np.uint8:
        return images, 255
    if images.dtype.kind == "f" and 0 <= low <= high <= 1:
        return images, 1
    raise InputError(
        f"{path}: images are {images.dtype} in [{low}, {high}]: they must be bytes, or "
        "floating point in [0, 1]"
    )


npz = Form(
    name="an .npz archive",
    looks_for="FILE.npz of SPLIT_images and SPLIT_labels, or x_SPLIT and y_SPLIT, or "
    "images and labels",
    recognises=_recognises,
    open=_load,
    has_columns=True,
)
