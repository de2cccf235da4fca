"""NumPy archives."""

from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.archives import array_of, opened_archive
from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import classes_of, label_choice
from simplicert.data.neighbours import neighbours
from simplicert.data.stacked import as_inputs
from simplicert.data.table import texts_of
from simplicert.errors import InputError
from simplicert.files import printable

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
    advice = (
        "it is cut short, is no archive, or holds pickled objects. Save arrays of "
        "numbers with np.savez"
    )
    with opened_archive(path, advice) as archive:
        keys = _chosen(path, list(archive), split, image_column, label_column)
        images = array_of(path, archive, keys[0])
        stored, names, texts = (
            None if key is None else array_of(path, archive, key) for key in keys[1:]
        )
        unused = sorted({*archive} - {*keys})
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


npz = Form(
    name="an .npz archive",
    looks_for="FILE.npz of SPLIT_images and SPLIT_labels, or x_SPLIT and y_SPLIT, or "
    "images and labels",
    recognises=_recognises,
    open=_load,
    columns=("image_column", "label_column"),
)
