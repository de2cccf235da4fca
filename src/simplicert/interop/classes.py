"""Which column is which class, and which class a label means."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from simplicert.errors import InputError
from simplicert.interop.roles import numbered
from simplicert.interop.table import Table, is_number, shown, whole

__all__ = ["check_start", "class_order", "labels_of"]


def class_order(names: list[str]) -> list[int]:
    """The order of the columns by the numbers in their names, where they have such.

    ``class_10`` stands before ``class_2`` in many a file, and is still class 10.
    """
    ids = numbered(names)
    return list(range(len(names))) if ids is None else np.argsort(ids).tolist()


def labels_of(
    column: pd.Series, names: list[str] | None, table: Table, *, classes: int
) -> Int[np.ndarray, " images"]:
    """True classes as positions among the classes, in whichever way they are written.

    A label is the name of a class, or its number: that in the classes' names, if they
    are numbered, and otherwise their position, from 0.

    Args:
        column: The labels as they are in the file.
        names: Of the classes, in their order; ``None`` where they have none.
        table: Where they are from, for messages.
        classes: How many there are.

    Raises:
        InputError: A label is no class, or they start at 1 where positions start at 0.
    """
    ids = None if names is None else numbered(names)
    texts = [str(value).strip() for value in column]
    if not all(map(is_number, texts)):
        by_name = _by_name(texts, names or [])
        numbers_in = numbered(sorted(set(texts)))
        if by_name is None and numbers_in is None:
            row = next(i for i, text in enumerate(texts) if not is_number(text))
            known = f"the name of a class: {shown(names)}" if names else "a number"
            raise InputError(
                f"{table.path}, row {row}, column {column.name}: {texts[row]!r} is not "
                f"a number, nor {known}"
            )
        if by_name is not None:
            return by_name
        in_order = dict(zip(sorted(set(texts)), numbers_in or (), strict=True))
        found = np.array([in_order[text] for text in texts], dtype=np.int64)
    else:
        found = whole(column, str(column.name), table.path, counts=False)
    numbers = np.arange(classes) if ids is None else np.array(ids)
    foreign = ~np.isin(found, numbers)
    if foreign.any():
        row = int(np.argmax(foreign))
        raise InputError(
            f"{table.path}, row {row}: label {found[row]}, but {_range(numbers)}; "
            f"{_advice(found, numbers)}"
        )
    order = np.argsort(numbers)
    places: Int[np.ndarray, " images"] = order[np.searchsorted(numbers[order], found)]
    return places


def check_start(
    labels: Int[np.ndarray, " images"],
    matrix: Int[np.ndarray, "images classes"],
    path: Path,
) -> None:
    """Refuse labels that start at 1, which nothing but the votes may show.

    Raises:
        InputError: Most labels less 1 are the class with most votes, and few labels.
    """
    voted = matrix.argmax(axis=1)
    right, less = int((labels == voted).sum()), int((labels - 1 == voted).sum())
    if less > max(_BY_CHANCE, 2 * right, len(labels) / 2):
        raise InputError(
            f"{path}: the class with most votes is the label in {right:,} rows, and "
            f"the label less 1 in {less:,}: do labels start at 1 here, or are the "
            "columns in another order?"
        )


_BY_CHANCE = 8
"""Rows."""


def _range(known: Int[np.ndarray, " classes"]) -> str:
    if np.array_equal(np.sort(known), np.arange(len(known))):
        return f"labels must lie in 0 … {len(known) - 1}"
    return f"the columns are of classes {shown(map(str, known))}"


def _advice(
    labels: Int[np.ndarray, " images"], known: Int[np.ndarray, " classes"]
) -> str:
    if labels.min() >= 1 and labels.max() == len(known):
        return "labels start at 1 here: subtract 1"
    if labels.max() < len(known) and known.min() >= 1:
        return "write the labels as these numbers, or as the columns' names"
    return "is a column missing?"


def _by_name(texts: list[str], names: list[str]) -> Int[np.ndarray, " images"] | None:
    places = {name: place for place, name in enumerate(names)}
    if not set(texts) <= set(places):
        places = {name.strip().casefold(): place for name, place in places.items()}
        texts = [text.casefold() for text in texts]
        if len(places) < len(names) or not set(texts) <= set(places):
            return None
    return np.array([places[text] for text in texts], dtype=np.int64)
