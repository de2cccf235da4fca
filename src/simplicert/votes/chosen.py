"""Rows by index: some of the images of a table, each at most once."""

from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.errors import InputError

__all__ = ["chosen_from", "chosen_rows", "draws_in_words", "images_in_words"]


def chosen_rows(index: Any, images: int) -> Int[np.ndarray, " rows"]:
    """Positions of the rows that an index means: a number, a slice, a list or a mask.

    Raises:
        IndexError: There is no such row.
        InputError: It means no rows, or one of them twice: an image that counts twice
            would spoil what is said of the whole table.

    Example:
        >>> chosen_rows(-1, 4), chosen_rows([True, False, True, False], 4)
        (array([3]), array([0, 2]))
    """
    found = np.arange(images)[index]
    if found.ndim > 1:
        raise InputError(
            f"rows are chosen by a number, a slice, a list or a mask, got {index!r}"
        )
    rows: np.ndarray = np.atleast_1d(found)
    numbers, times = np.unique(rows, return_counts=True)
    if len(numbers) < len(rows):
        raise InputError(f"row {numbers[times > 1][0]} is chosen more than once")
    return rows


def chosen_from(
    before: int | None, rows: Int[np.ndarray, " rows"], images: int
) -> int | None:
    """Of how many images ``rows`` are some; ``None`` where they are all there were."""
    return before if before is not None or len(rows) == images else images


def images_in_words(
    images: int, chosen_from: int | None, inputs: str = "images"
) -> str:
    """How many there are, and of how many."""
    whole = "" if chosen_from is None else f" of {chosen_from:,}"
    called = inputs.removesuffix("s") if images == 1 and not whole else inputs
    return f"{images:,}{whole} {called}"


def draws_in_words(draws: Int[np.ndarray, " images"]) -> str:
    """Draws an image: a number, or from which to which."""
    if not len(draws):
        return "no draws"
    low, high = draws.min(), draws.max()
    return f"{low:,} draws" if low == high else f"{low:,} to {high:,} draws"
