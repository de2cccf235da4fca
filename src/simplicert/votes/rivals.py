"""Whose margins they are: a class and its rivals, which other draws chose."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError
from simplicert.votes.columns import CELLS

if TYPE_CHECKING:
    from simplicert.votes.table import Votes

__all__ = [
    "cells_of",
    "check_chosen_apart",
    "check_rivals",
    "choose_rivals",
    "foreign_rivals",
    "mislaid_margins",
]


def choose_rivals(
    sums: Shaped[np.ndarray, "images classes"], *, rivals: int
) -> Int[np.ndarray, "images chosen"]:
    """The class with the largest sum of each image, and then as many rivals.

    Of equal sums the lower index comes first.

    Args:
        sums: Of the scores, or counts, of the draws that choose.
        rivals: At most ``classes - 2``, so that some class is left for "all others".
            Of two classes, 0.

    Raises:
        InputError: So many rivals there are not.

    Example:
        >>> choose_rivals(np.array([[0.1, 0.2, 3.0, 0.2]]), rivals=1)
        array([[2, 1]])
    """
    most = sums.shape[1] - 2
    if not 0 <= rivals <= most:
        raise InputError(
            f"rivals must be 0 to {most} of {most + 2} classes, got {rivals}"
        )
    ordered = np.argsort(-sums.astype(np.float64), axis=1, kind="stable")
    return np.ascontiguousarray(ordered[:, : rivals + 1])


def cells_of(
    scores: Float[np.ndarray, "draws classes"], rivals: Int[np.ndarray, " chosen"]
) -> Int[np.ndarray, "histograms draws"]:
    """The cell of each draw's margin over each rival, and over the largest other.

    This is what is recorded, in words of NumPy: of scores on a grid of 2**-32 or
    coarser, differences and cells are exact.

    Args:
        scores: At least 0; of a draw they sum to at most 1.
        rivals: The chosen class and then its rivals.

    Example:
        >>> cells_of(np.array([[0.75, 0.0, 0.25], [1.0, 0.0, 0.0]]), np.array([0]))
        array([[384, 511]])
    """
    first, *others = rivals.tolist()
    rest = np.delete(scores, rivals, axis=1).max(axis=1)
    against = np.stack([*(scores[:, other] for other in others), rest])
    cells: np.ndarray = np.floor(
        (scores[:, first] - against + 1.0) * (CELLS // 2)
    ).astype(np.int64)
    return np.asarray(np.minimum(cells, CELLS - 1))


def foreign_rivals(
    rivals: Int[np.ndarray, "rows chosen"], *, classes: int
) -> Bool[np.ndarray, " rows"]:
    """Rows that name a class that there is not, or one twice."""
    ordered = np.sort(rivals, axis=1)
    twice = (np.diff(ordered, axis=1) == 0).any(axis=1)
    return np.asarray(twice | (ordered[:, 0] < 0) | (ordered[:, -1] >= classes))


def check_rivals(
    rivals: Int[np.ndarray, "rows chosen"] | None,
    margins: Int[np.ndarray, "images cells"] | None,
    counts: Shaped[np.ndarray, "images classes"],
) -> None:
    """Refuse classes that margins cannot be of, and margins of nobody knows whom.

    Raises:
        InputError: As said.
    """
    if rivals is None:
        if margins is not None:
            raise InputError(
                "margins need rivals: the class that they are of, and those that it is "
                "compared with"
            )
        return
    images, classes = counts.shape
    if len(rivals) != images or not 1 <= rivals.shape[1] < classes:
        raise InputError(
            f"rivals must be {images} rows of 1 to {classes - 1} classes, got shape "
            f"{rivals.shape}"
        )
    wrong = foreign_rivals(rivals, classes=classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"rivals must be different classes of 0 … {classes - 1}, got "
            f"{rivals[row].tolist()} in row {row}"
        )
    if margins is not None and margins.shape != (images, rivals.shape[1] * CELLS):
        raise InputError(
            f"margins must have {CELLS} cells for each of {rivals.shape[1]} histograms "
            f"({rivals.shape[1] - 1} rivals and all others), got shape {margins.shape}"
        )


def mislaid_margins(
    rivals: Int[np.ndarray, "rows chosen"],
    margins: Int[np.ndarray, "rows cells"],
    sums: Float[np.ndarray, "rows classes"],
) -> Bool[np.ndarray, " rows"]:
    """Rows whose histograms are not of scores with these sums.

    Draws in a cell have margins of at least its lower end and at most the next one's;
    so what a class is ahead of another in sum lies between two sums over the cells.
    """
    rows = np.arange(len(sums))[:, None]
    others = sums.copy()
    others[rows, rivals] = -np.inf
    over = np.concatenate([sums[rows, rivals[:, 1:]], others.max(axis=1)[:, None]], 1)
    ahead = sums[rows, rivals[:, :1]] - over
    each = margins.reshape(*ahead.shape, CELLS)
    least = each @ (np.arange(CELLS) / (CELLS // 2) - 1.0)
    draws = each.sum(axis=2)
    slack = 1e-9 * (1.0 + draws)  # our sums are exact; others' were rounded
    wrong = least > ahead + slack
    # Over the largest of all others, draw by draw, it is ahead by no more than that.
    wrong[:, :-1] |= (least + draws / (CELLS // 2) < ahead - slack)[:, :-1]
    mislaid: np.ndarray = wrong.any(axis=1)
    return mislaid


def check_chosen_apart(votes: "Votes", selection: "Votes") -> None:
    """Refuse margins of other classes, or of draws that chose the classes.

    Raises:
        InputError: As said.
    """
    if votes.margins is None or votes.rivals is None:
        return
    if (
        selection.margins is None
        or selection.rivals is None
        or not np.array_equal(votes.rivals, selection.rivals)
    ):
        raise InputError(
            "the draws that choose the class must have margins of the same rivals as "
            "those that bound it"
        )
    manifest, drawn = votes.manifest, votes.drawn
    if manifest is None or manifest.margins is None or drawn is None:
        return
    pilot = manifest.margins.pilot
    if drawn.blocks.start * drawn.block < pilot:
        raise InputError(
            f"the first {pilot:,} draws of this run chose the class and its rivals, "
            f"so none may bound the margins: set them apart, with selection={pilot}"
        )
