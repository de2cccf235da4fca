"""Labels as others store them: checked once, and numbered from 0."""

import numpy as np
from jaxtyping import Int64

from simplicert.errors import InputError

_MOST_CLASSES = 1_000_000


def labels_of(where: object, stored: np.ndarray) -> Int64[np.ndarray, " images"] | None:
    """One class an image; None where all labels are hidden, which is published as -1.

    Args:
        where: What holds them, for messages.
        stored: Whole numbers of any type, of shape (images,) or (images, 1).

    Raises:
        InputError: If they are anything else; names the first.
    """
    if stored.shape not in {(stored.size,), (stored.size, 1)}:
        raise InputError(
            f"{where}: labels have shape {stored.shape}, not (images,): give the "
            "number of each image's class, and not one column a class"
        )
    flat = stored.ravel()
    if flat.dtype.kind not in "biuf":
        raise InputError(
            f"{where}: labels are {flat.dtype}, such as {flat[:1].tolist()}: give the "
            "number of each image's class, from 0, and the names as class names"
        )
    with np.errstate(invalid="ignore"):  # NaN is reported below
        labels = flat.astype(np.int64)
    broken = np.flatnonzero(labels != flat)
    if broken.size:
        raise InputError(
            f"{where}: image {broken[0]} has label {flat[broken[0]]}, which is missing "
            f"or no whole number ({broken.size} such images): correct the labels, or "
            "leave them all out"
        )
    return None if labels.size and (labels == -1).all() else labels


def numbered_classes(
    where: object, labels: Int64[np.ndarray, " images"] | None
) -> tuple[str, ...]:
    """Names where none are stored: the numbers up to the highest label.

    Raises:
        InputError: If that is no number of classes.
    """
    highest = -1 if labels is None else int(labels.max(initial=-1))
    if highest >= _MOST_CLASSES:
        raise InputError(
            f"{where}: there is a label {highest}, which would make as many classes: "
            "number the classes from 0"
        )
    return tuple(map(str, range(highest + 1)))
