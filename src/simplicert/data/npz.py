"""NumPy archives."""

from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader
from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import labels_of, numbered_classes
from simplicert.errors import InputError

_COLOURS = (1, 3)


def _recognises(path: Path) -> bool:
    """Whether this is a file of that name."""
    return path.suffix == ".npz"


def _load(path: Path, *, split: str) -> Dataset:
    """The images of one split, in memory.

    The arrays of a split are ``SPLIT_images`` and ``SPLIT_labels``, or ``x_SPLIT`` and
    ``y_SPLIT``, or, for ``test``, ``images`` and ``labels``. Labels may be missing.
    Images are bytes, or floating point in [0, 1], of shape (images, height, width) with
    the channels second, last, or left out. ``class_names`` is an array of text.

    Raises:
        InputError: If there is no such split, the file is cut short or holds pickles,
            or an array has another type or shape.
    """
    pairs = [(f"{split}_images", f"{split}_labels"), (f"x_{split}", f"y_{split}")]
    if split == "test":
        pairs.append(("images", "labels"))
    images, stored, names = _read(path, pairs)
    where = f"{path}, split {split!r}"
    labels = None if stored is None else labels_of(where, stored)
    if names is not None:
        class_names = tuple(map(str, names.ravel().tolist()))
    else:
        class_names = numbered_classes(where, labels)
    pixels, white = _pixels(path, images)
    return Dataset(
        name=path.stem,
        split=split,
        shape=pixels.shape[1:],
        class_names=class_names,
        labels=labels,
        indices=np.arange(len(pixels)),
        reader=ArrayReader(pixels, white),
        fingerprint=partial(digest_of_files, path.parent, [path]),
    )


def _read(
    path: Path, pairs: list[tuple[str, str]]
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Images, labels and class names; None for what is not there."""
    try:
        # A pickle inside could run code: allow_pickle stays False, its default.
        with path.open("rb") as file, np.load(file) as archive:
            for images, labels in pairs:
                if images in archive:
                    keys = (labels, "class_names")
                    rest = [archive.get(key) for key in keys]
                    return archive[images], rest[0], rest[1]
            names = ", ".join(archive)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes raise almost anything
        raise InputError(
            f"{path} cannot be read as plain arrays ({error}): it is cut short, is no "
            "archive, or holds pickled objects. Save arrays of numbers with np.savez"
        ) from error
    wanted = " or ".join(images for images, _ in pairs)
    raise InputError(
        f"{path} has the arrays {names}: images are looked for in {wanted}"
    )


def _pixels(path: Path, images: np.ndarray) -> tuple[np.ndarray, int]:
    """Images with their channels second, and the value that stands for 1."""
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in _COLOURS:
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in _COLOURS:
        raise InputError(
            f"{path}: images have shape {images.shape}, not (images, height, width) "
            "with 1 or 3 channels second or last"
        )
    if images.dtype == np.uint8:
        return images, 255
    if (
        np.issubdtype(images.dtype, np.floating)
        and 0 <= images.min() <= images.max() <= 1
    ):
        return images, 1
    raise InputError(
        f"{path}: images are {images.dtype} in [{images.min()}, {images.max()}]: they "
        "must be bytes, or floating point in [0, 1]"
    )


npz = Form(_recognises, _load)
