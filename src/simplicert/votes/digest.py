"""One number for all of the evidence, which no other evidence has."""

import hashlib
from collections.abc import Mapping

import numpy as np

__all__ = ["digest"]

_AT_ONCE = 2**24
"""Bytes that are hashed at a time."""

_LARGEST = 2**52
"""Whole numbers below it, bit by bit, are floats too small to be scores of ours."""


def digest(facts: tuple[object, ...], columns: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of facts and columns; rows are in the order of ``indices``.

    What is hashed tells the columns' names, types and shapes, except where nothing else
    can have the same bytes (``_speak_for_themselves``): there it is as it always was.

    Args:
        facts: Printed by ``repr``; the first is a float.
        columns: By name; ``indices`` among them.
    """
    columns = {name: _narrowed(values) for name, values in columns.items()}
    if not _speak_for_themselves(columns):
        layout = [(name, c.dtype.str, c.shape) for name, c in columns.items()]
        facts = ("columns", layout, facts)
    hashed = hashlib.sha256(repr(facts).encode())
    order = np.argsort(columns["indices"], kind="stable")
    for column in columns.values():
        rows = max(1, _AT_ONCE // max(1, column[:1].nbytes))
        for start in range(0, len(order), rows):
            some = np.ascontiguousarray(column[order[start : start + rows]])
            hashed.update(some.data)
    return hashed.hexdigest()


def _narrowed(values: np.ndarray) -> np.ndarray:
    """The same whole numbers in one type, where it holds them."""
    if values.dtype.kind not in "iu" or (values.size and values.max() >= 2**63):
        return values
    return values.astype(np.int64, copy=False)


def _speak_for_themselves(columns: Mapping[str, np.ndarray]) -> bool:
    """Whether no other columns, of as many classes, have the same bytes.

    The columns are (labels,) indices, draws, counts (and two of scores), of n images. A
    score that is not 0 tells that there are two columns of them: as a whole number it
    is larger than any other. There are labels or none; if both could be, the bytes of n
    images without are those of fewer, n', with labels, and n' is at least 2 + K, the
    numbers that the former have an image. Those n' labels are K classes at most, but
    would be the first of the former's indices, of which no two are equal.
    """
    names = {"indices", "draws", "counts"}
    scores = [each for name, each in columns.items() if name.startswith("score_")]
    whole = [each for name, each in columns.items() if not name.startswith("score_")]
    indices = columns["indices"]
    return (
        names <= set(columns) <= names | {"labels", "score_sums", "score_squares"}
        and len(indices) > 0
        and len(np.unique(indices)) == len(indices)
        and all(
            c.dtype == np.int64 and ((c >= 0) & (c < _LARGEST)).all() for c in whole
        )
        and (not scores or _are_scores(scores))
    )


def _are_scores(columns: list[np.ndarray]) -> bool:
    least = np.finfo(np.float64).tiny
    return (
        len(columns) == 2
        and all(((c == 0) | (c >= least)).all() for c in columns)
        and any(c.any() for c in columns)
    )
