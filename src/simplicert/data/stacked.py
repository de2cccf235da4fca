"""Inputs in one array: which are images, and what the others are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simplicert.data.arrays import ArrayReader, ValuesReader, dark
from simplicert.data.dataset import Reader
from simplicert.errors import InputError
from simplicert.units import PIXELS, PLAIN, Unit

__all__ = ["StackedInputs", "as_inputs"]

_COLOURS = (1, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class StackedInputs:
    """How an array is read.

    Attributes:
        shape: Of every input.
        reader: Of its rows.
        unit: What they are in.
        notes: What was supposed.
    """

    shape: tuple[int, ...]
    reader: Reader
    unit: Unit
    notes: tuple[str, ...] = ()


def as_inputs(
    path: Path, stored: np.ndarray, *, are_images: bool | None = None
) -> StackedInputs:
    """The rows of an array as inputs.

    Images are bytes, or floating point in [0, 1], of shape (images, height, width) with
    1 or 3 channels second, last, or left out.

    Args:
        path: Of its file, for messages.
        stored: The array; one that is mapped into memory is read once, for its range,
            if it may be images.
        are_images: Whether they are; ``None``: if they are like those.

    Raises:
        InputError: There are none, or no numbers; or they are no such images.
    """
    if not stored.size or stored.ndim < 2:
        raise InputError(
            f"{path} has no inputs in an array of shape {stored.shape}: the first axis "
            "is the inputs', the others are their shape"
        )
    if stored.dtype.kind not in "biuf":
        raise InputError(f"{path}: inputs are {stored.dtype}, no numbers")
    if are_images is not False:
        like = _like_images(path, stored)
        if like is not None:
            pixels, white = like
            return StackedInputs(
                shape=pixels.shape[1:],
                reader=ArrayReader(pixels, white),
                unit=PIXELS,
                notes=dark(pixels, white),
            )
        if are_images:
            raise _no_images(path, stored)
    of_images = stored.ndim == 4 and are_images is None
    in_bytes = of_images and stored.dtype == np.uint8
    return StackedInputs(
        shape=stored.shape[1:],
        reader=ArrayReader(stored) if in_bytes else ValuesReader(stored),
        unit=PIXELS if of_images else PLAIN,  # some images have more channels
        notes=_taken(stored) if are_images is None and not in_bytes else (),
    )


def _taken(stored: np.ndarray) -> tuple[str, ...]:
    """A word about what might have been meant as images."""
    if stored.ndim not in {3, 4}:
        return ()
    said = " × ".join(map(str, stored.shape[1:]))
    return (
        f"inputs of {said} {stored.dtype} are no images in [0, 1] with 1 or 3 "
        "channels, and are taken as they are",
    )


def _like_images(path: Path, stored: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Images with their channels second, and the value that stands for 1, if so."""
    white = 255 if stored.dtype == np.uint8 else 1
    if white == 1 and stored.dtype.kind != "f":
        return None
    images = stored[:, None] if stored.ndim == 3 else stored
    if images.ndim != 4:
        return None
    second, last = (images.shape[axis] in _COLOURS for axis in (1, 3))
    if not (second or last) or 0 in images.shape:
        return None
    if white == 1 and not _in_unit_interval(stored):
        return None
    if second and last and stored.ndim == 4:
        raise InputError(
            f"{path}: images have shape {stored.shape}, whose channels may be "
            f"{stored.shape[1]}, second, or {stored.shape[3]}, last: leave out an axis "
            "of 1, or give the arrays by FILE.py:NAME, with channels second"
        )
    return (images if second else images.transpose(0, 3, 1, 2)), white


def _in_unit_interval(stored: np.ndarray) -> bool:
    return bool(stored.min() >= 0 and stored.max() <= 1)  # False of NaN


def _no_images(path: Path, stored: np.ndarray) -> InputError:
    low, high = stored.min(), stored.max()
    return InputError(
        f"{path}: images are {stored.dtype} in [{low}, {high}] of shape "
        f"{stored.shape}, and must be bytes, or floating point in [0, 1], of shape "
        "(images, height, width) with 1 or 3 channels second or last. Inputs of any "
        "other kind are read as they are from an array called x, features, embeddings "
        "or signals"
    )
