"""Which images of a dataset: slices, lists, a file, so many a class."""

import re
from pathlib import Path

import numpy as np

from simplicert.data.dataset import Dataset
from simplicert.errors import InputError
from simplicert.files import read_bytes
from simplicert.structured import whole_number


def select_images(
    dataset: Dataset, *, images: str | None = None, per_class: int | None = None
) -> Dataset:
    """A part of a dataset, in dataset order.

    Args:
        dataset: Where to choose from.
        images: Positions: a slice ``"0:10000:20"``, a list ``"3,14,15"``, or the path
            of a text file with one position a line. Default: all.
        per_class: Then only the first so many of each class.

    Raises:
        InputError: The choice cannot be read, is outside the dataset, names an image
            twice, or is empty; ``per_class`` without labels.

    Example:
        >>> from simplicert.data import load_dataset
        >>> len(select_images(load_dataset("digits"), images="0:100:10"))
        10
    """
    chosen = dataset
    if images is not None:
        chosen = dataset.select(_positions(images, len(dataset)))
    if per_class is None:
        return chosen
    if per_class < 1:
        raise InputError(f"per_class must be at least 1, got {per_class}")
    if chosen.labels is None:
        raise InputError(f"{dataset.name} has no labels, so no images per class")
    ranks = np.zeros(len(chosen), dtype=np.int64)
    for label in np.unique(chosen.labels):
        members = chosen.labels == label
        ranks[members] = np.arange(members.sum())
    return chosen.select(np.flatnonzero(ranks < per_class))


def _positions(spec: str, count: int) -> np.ndarray:
    if re.fullmatch(r"[-+0-9]*:[-+0-9]*(:[-+0-9]*)?", spec):
        parts = [
            whole_number(part, f"images {spec!r:.60}") if part else None
            for part in spec.split(":")
        ]
        if parts[2:] == [0]:
            raise InputError(f"images {spec!r}: the step of a slice cannot be 0")
        positions = np.arange(count)[slice(*parts)]
    else:
        words, where = spec.split(","), "images"
        if not re.fullmatch(r"[-+0-9, ]*[0-9][-+0-9, ]*", spec):
            path = Path(spec)
            if not path.is_file():
                raise InputError(
                    f"images {spec!r} is neither a slice like 0:100:2, nor a list like "
                    "3,14,15, nor a file with one position a line"
                )
            words = read_bytes(path).decode("utf-8", errors="replace").split()
            where = f"{path}, one whole number a line"
        chosen = [whole_number(word.strip(), where) for word in words]
        positions = np.array(chosen, dtype=object)  # of which some are any size
    if not len(positions):
        raise InputError(f"images {spec!r} selects none of {count} images")
    outside = (positions < 0) | (positions >= count)
    if outside.any():
        raise InputError(
            f"images {spec!r}: position {positions[outside][0]} is outside "
            f"0 … {count - 1}"
        )
    if len(np.unique(positions)) < len(positions):
        raise InputError(f"images {spec!r} names an image twice")
    return positions.astype(np.int64)
