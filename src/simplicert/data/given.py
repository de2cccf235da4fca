"""What was given to be sampled: a data set, in any form that Python holds one in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int, Int64

from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_bytes
from simplicert.data.labels import label_notes, labels_of
from simplicert.data.sources import from_source
from simplicert.data.tensors import TorchTensor, as_array, as_floats, plain
from simplicert.errors import InputError
from simplicert.units import PIXELS

Images: TypeAlias = object
"""A ``Dataset``, or what ``as_dataset`` takes in its place."""


def as_dataset(
    images: object,
    labels: object,
    *,
    name: str = "array",
    split: str = "all",
) -> Dataset:
    """The data set itself, or one around what was given.

    Args:
        images: A ``Dataset``; a NumPy array or torch tensor; a list of these, or of
            pairs of one and its label; a pair of inputs and labels; a pandas
            ``DataFrame``; a torch ``Dataset`` by number, or a ``DataLoader`` that does
            not shuffle; a ``datasets.Dataset``.
        labels: One an input, or ``None``.
        name: Of the data set.
        split: Part of it.

    Raises:
        InputError: It is none of these, or the labels do not match it.
    """
    if isinstance(images, tuple):
        images, labels = _taken_apart(images, labels)
    if isinstance(images, Dataset):
        if labels is not None:
            raise InputError("labels come with a dataset; pass them for arrays only")
        return images
    if not isinstance(images, np.ndarray | TorchTensor):
        found = from_source(images, name=name, split=split)
        if found is None:
            raise InputError(
                "images must be a Dataset, or what is taken for one; got "
                f"{_described(images)}"
            )
        if isinstance(found, Dataset):
            return found if labels is None else _labelled(found, labels)
        images, own = found
        labels = _one_of(name, own, labels)
    array = plain("images", images)
    if array.ndim < 2 or not array.size or array.dtype.kind not in "fiu":
        raise InputError(
            "inputs must be numbers, inputs × their shape, as in (images, channels, "
            f"height, width) or (rows, features), at least one; got {array.dtype} of "
            f"shape {array.shape}"
        )
    pixels = as_floats(array)
    stored = None if labels is None else as_array(labels)
    classes = _classes(stored, len(pixels), name)
    return Dataset(
        name=name,
        split=split,
        shape=pixels.shape[1:],
        class_names=(),
        labels=classes,
        indices=np.arange(len(pixels)),
        reader=lambda rows: pixels[rows],
        fingerprint=partial(
            digest_of_bytes, pixels, b"" if stored is None else stored.tobytes()
        ),
        notes=label_notes(classes),
    )


def _classes(
    stored: np.ndarray | None, inputs: int, name: str
) -> Int64[np.ndarray, " inputs"] | None:
    classes = None if stored is None else labels_of(f"labels of {name}", stored)
    if classes is not None and (len(classes) != inputs or (classes < 0).any()):
        raise InputError(
            f"labels must be {inputs} classes, integers from 0, one an image; got "
            f"{len(classes)}, from {classes.min(initial=0)}"
        )
    return classes


def _one_of(name: str, own: object, given: object) -> object:
    if own is not None and given is not None:
        raise InputError(f"{name} has labels of its own: leave those beside it out")
    return given if own is None else own


def _labelled(dataset: Dataset, labels: object) -> Dataset:
    """The same with these labels, where it has none."""
    _one_of(dataset.name, dataset.labels, labels)
    stored = as_array(labels)
    return replace(
        dataset,
        labels=_classes(stored, len(dataset), dataset.name),
        fingerprint=lambda: digest_of_bytes(dataset.digest.encode(), stored.tobytes()),
    )


def _taken_apart(given: tuple[Any, ...], labels: object) -> tuple[Any, Any]:
    """Inputs and labels.

    Raises:
        InputError: It is no pair, or labels came beside it.
    """
    if len(given) != 2:
        raise InputError(
            f"a dataset is inputs, or a pair of inputs and labels; got a tuple of "
            f"{len(given)}: return the two, (inputs, labels)"
        )
    return given[0], _one_of("the pair", given[1], labels)


# What may be given in place of a data set, and how to make one of it; the first fits.
_REMEDIES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (lambda it: it is None, "does the function return what it makes?"),
    (
        lambda it: isinstance(it, str | PathLike),
        "simplicert.data.load_dataset gives the dataset of a name or a path",
    ),
    (lambda it: hasattr(it, "to_numpy"), "give its to_numpy()"),
    (lambda it: hasattr(it, "keys"), "give the inputs and labels in it, as a pair"),
    (
        lambda it: hasattr(it, "__iter__"),
        "it gives one thing after another: make a list of it, list(it), of inputs or "
        "of pairs of an input and its label",
    ),
)


def _described(thing: object) -> str:
    remedy = next((text for fits, text in _REMEDIES if fits(thing)), "")
    return f"a {type(thing).__name__}{remedy and ': '}{remedy}"


def check_range(
    pixels: Float[np.ndarray, "images ..."],
    dataset: Dataset,
    positions: Sequence[int] | Int[np.ndarray, " images"],
) -> Float[np.ndarray, "images ..."]:
    """The same inputs, if they lie in the range of their unit, and are finite.

    Raises:
        InputError: Some do not; names the first, and where.
    """
    unit = dataset.unit
    inside = unit.contains(pixels)
    if inside.all():
        return pixels
    bad = int(np.argmin(inside))
    own, called = pixels[bad], "image" if len(dataset.shape) == 3 else "input"
    which = f"{called} {dataset.indices[positions[bad]]} of {dataset.name}"
    if not np.isfinite(own).all():
        entry = int(np.argwhere(~np.isfinite(own))[0][0])
        raise InputError(
            f"{which} has a number that is missing or not finite, in "
            f"{dataset.entry(entry)}: fill it in, or leave that {called} out"
        )
    if unit == PIXELS:
        raise InputError(
            f"{which} has pixels in [{own.min():g}, "
            f"{own.max():g}], outside [0, 1]: scale the images first, or say what they "
            "are in, --unit levels for 0 to 255, --unit plain for no range: sigma and "
            "radii are in that unit"
        )
    raise InputError(
        f"{which} lies in [{own.min():g}, {own.max():g}], and "
        f"these are {unit}: correct it, or give the unit that it is in (--unit)"
    )
