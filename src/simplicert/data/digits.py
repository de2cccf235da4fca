"""The 1,797 handwritten digits, 8x8 pixels, that ship with scikit-learn.

They are the test part of the UCI "Optical Recognition of Handwritten Digits" set
(Alpaydin and Kaynak 1998), written by 13 people and stored one writer after another.
Of each class every fifth digit, in stored order, is a test image. So the split is
fixed, balanced, the same with every library version, and every writer is in both parts:
test accuracy here is about *known writers*, and would be lower on new ones.
"""

from functools import partial

import numpy as np

from simplicert.data.arrays import ArrayReader
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_bytes
from simplicert.errors import InputError

_EVERY = 5
_LEVELS = 16  # a pixel counts the inked cells of a 4x4 square of the scan


def digits(*, split: str) -> Dataset:
    """The ``train`` (1,442) or ``test`` (355) part of the digits.

    Raises:
        InputError: If scikit-learn is missing, or the split is another one.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 (costs 1.3 s)
    except ImportError as error:
        raise InputError(
            "the digits dataset ships with scikit-learn, which is not installed: "
            "pip install 'simplicert[digits]'"
        ) from error
    flat, classes = load_digits(return_X_y=True)
    pixels = flat.reshape(-1, 8, 8).astype(np.uint8)
    labels = classes.astype(np.int64)

    # How many digits of its own class come before each digit.
    rank = (labels[:, None] == np.arange(10)).cumsum(axis=0)[
        np.arange(len(labels)), labels
    ] - 1
    is_test = rank % _EVERY == _EVERY - 1
    parts = {"train": ~is_test, "test": is_test}
    if split not in parts:
        raise unknown_split("digits", split, parts)
    rows = np.flatnonzero(parts[split]).astype(np.int64)
    content = pixels[rows].tobytes() + labels[rows].tobytes()
    return Dataset(
        name="digits",
        split=split,
        shape=(1, 8, 8),
        class_names=tuple("0123456789"),
        labels=labels[rows],
        indices=rows,
        reader=ArrayReader(pixels[:, None], _LEVELS),
        fingerprint=partial(digest_of_bytes, content),
    )
