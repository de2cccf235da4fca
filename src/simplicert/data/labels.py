"""Labels as others store them: checked once, and numbered from 0."""

import reprlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int64

from simplicert.errors import InputError

_MOST_CLASSES = 1_000_000


def classes_of(
    where: object, stored: np.ndarray | None, names: tuple[str, ...] = ()
) -> tuple[Int64[np.ndarray, " images"] | None, tuple[str, ...], tuple[str, ...]]:
    """Labels, names of classes, and what is strange about them.

    Args:
        where: What holds them, for messages.
        stored: Labels as they are stored; None if there are none.
        names: Of the classes in their order; empty to number them.

    Raises:
        InputError: They are no labels, or too high for a number of classes.
    """
    labels = None if stored is None else labels_of(where, stored, names)
    if names:
        return labels, names, ()
    return labels, numbered_classes(where, labels), label_notes(labels)


def labels_of(
    where: object, stored: np.ndarray, class_names: Sequence[str] = ()
) -> Int64[np.ndarray, " images"] | None:
    """One class an image; None where all labels are hidden, which is published as -1.

    Args:
        where: What holds them, for messages.
        stored: Whole numbers of any type, of shape (images,) or (images, 1); or names
            of classes.
        class_names: The names, in the order of the classes, where they are known.

    Raises:
        InputError: If they are anything else; names the first.
    """
    if stored.shape not in {(stored.size,), (stored.size, 1)}:
        raise InputError(
            f"{where}: labels have shape {stored.shape}, not (images,): give the "
            "number of each image's class, and not one column a class"
        )
    flat = stored.ravel()
    if class_names and any(isinstance(each, str | bytes) for each in flat[:1]):
        return _numbers(where, flat, class_names)
    if flat.dtype.kind not in "biuf":
        such = reprlib.repr(flat[:1].tolist())
        raise InputError(
            f"{where}: labels are {flat.dtype}, such as {such}: give the number of "
            "each image's class, from 0. If they are names, it is names.index(label), "
            "where names has the model's classes in their order"
        )
    with np.errstate(invalid="ignore"):  # NaN is reported below
        labels = flat.astype(np.int64)
    broken = np.flatnonzero(labels != flat)
    if broken.size:
        raise InputError(
            f"{where}: image {broken[0]} has label {flat[broken[0]]}, which is "
            f"missing, too large or no whole number ({broken.size} such images): "
            "correct the labels, or leave them all out"
        )
    return None if labels.size and (labels == -1).all() else labels


def _numbers(
    where: object, names: np.ndarray, class_names: Sequence[str]
) -> Int64[np.ndarray, " images"]:
    numbers = {name: number for number, name in enumerate(class_names)}
    if len(numbers) < len(class_names):
        raise InputError(
            f"{where}: labels are names, and several classes have the same: number them"
        )
    given = [
        name.decode() if isinstance(name, bytes) else name for name in names.tolist()
    ]
    for image, name in enumerate(given):
        if not isinstance(name, str) or name not in numbers:
            raise InputError(
                f"{where}: image {image} has label {reprlib.repr(name)}, which is "
                f"none of the class names {reprlib.repr([*class_names])}: correct them"
            )
    return np.array([numbers[name] for name in given], dtype=np.int64)


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


def label_notes(labels: Int64[np.ndarray, " images"] | None) -> tuple[str, ...]:
    """What is strange about labels whose classes have no names."""
    if labels is None or not labels.size or labels.min() != 1:
        return ()
    return (
        "labels start at 1, and classes at 0: if the model's first class is your "
        "label 1, subtract 1 from all labels",
    )


def label_choice(chosen: str | None, others: Iterable[str]) -> tuple[str, ...]:
    """A word where labels may be elsewhere: of all others if there are none so far."""
    named = [name for name in others if chosen is None or "label" in name]
    if not named:
        return ()
    labels = "no labels" if chosen is None else f"labels are {chosen}"
    return (f"{labels}; label_column can name another: {', '.join(named)}",)
