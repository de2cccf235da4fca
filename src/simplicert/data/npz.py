"""NumPy archives."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import classes_of, label_choice
from simplicert.data.neighbours import neighbours
from simplicert.data.room import check_room
from simplicert.data.stacked import as_inputs
from simplicert.data.table import texts_of
from simplicert.errors import InputError
from simplicert.files import is_the_systems, opened, printable

_NAMES, _TEXTS = "class_names", "text"
_AS_IMAGES = ("image", "images")
_AS_THEY_ARE = ("features", "embeddings", "signals")
# What people call the two, around the name of the split; the first are ours.
_PAIRS = (
    ("images", "labels"), ("x", "y"), ("image", "label"), ("data", "labels"),
    ("data", "targets"), ("data", "target"), ("inputs", "targets"), ("arr_0", "arr_1"),
    ("features", "labels"), ("embeddings", "labels"), ("signals", "labels"),
)  # fmt: skip
_SPELLINGS = ("{split}_{name}", "{name}_{split}", "{name}")


def _recognises(path: Path) -> bool:
    """Whether this is a file of that name, and not one of neighbours."""
    named = path.suffix.lower() == ".npz" and path.is_file()
    return named and not neighbours.recognises(path)


def _load(
    path: Path,
    *,
    split: str,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Dataset:
    """The inputs of one split, in memory.

    The arrays of a split are ``SPLIT_images`` and ``SPLIT_labels``, or ``x_SPLIT`` and
    ``y_SPLIT``, or, for ``test``, ``images`` and ``labels``; or others of ``_PAIRS``,
    or those that are named. Labels may be missing. Images are bytes, or floating point
    in [0, 1], of shape (images, height, width) with the channels second, last, or left
    out; other inputs are numbers of any shape, and so are all that are called
    ``features``, ``embeddings`` or ``signals``. ``class_names`` and ``text``, in words
    what each input is, are arrays of text.

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
            stored, names, texts = (
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
    called = keys[0].lower().replace(split.lower(), "").strip("_")
    inputs = as_inputs(
        path,
        images,
        are_images=called in _AS_IMAGES
        or (None if called not in _AS_THEY_ARE else False),
    )
    if texts is not None and texts.shape != (len(images),):
        raise InputError(
            f"{path} has {len(images)} inputs and texts of shape {texts.shape}: give "
            "one text an input"
        )
    return Dataset(
        name=printable(path.stem),
        split=split,
        shape=inputs.shape,
        class_names=class_names,
        labels=labels,
        indices=np.arange(len(images)),
        reader=inputs.reader,
        fingerprint=partial(digest_of_files, path.parent, [path]),
        notes=(
            *inputs.notes,
            *strange,
            *(label_choice(None, unused) if labels is None else ()),
        ),
        unit=inputs.unit,
        texts=None if texts is None else texts_of(texts.tolist()),
    )


def _chosen(
    path: Path,
    names: list[str],
    split: str,
    image_column: str | None,
    label_column: str | None,
) -> tuple[str, str | None, str | None, str | None]:
    """The names of inputs, labels, class names and texts; None for what is not."""
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
            f"{path} has the arrays {', '.join(names)}: inputs are looked for in "
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
    texts = next(
        (low[key] for key in (f"{split}_{_TEXTS}", _TEXTS) if key in low), None
    )
    return images, labels, _NAMES if _NAMES in names else None, texts


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


npz = Form(
    name="an .npz archive",
    looks_for="FILE.npz of SPLIT_images and SPLIT_labels, or x_SPLIT and y_SPLIT, or "
    "images and labels",
    recognises=_recognises,
    open=_load,
    columns=("image_column", "label_column"),
)
