"""What the rows of a table of counts sum to, and what that says of its columns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from simplicert.errors import InputError
from simplicert.interop.format import Asked, stated_number
from simplicert.interop.roles import numbered
from simplicert.interop.table import Table

__all__ = ["check_constant", "draws_of", "total_column"]

_CHANCE = 1e-5
"""Of a class with exactly half of the votes in every row, to be taken for a total."""


def total_column(
    votes: Mapping[str, Int[np.ndarray, " images"]],
    asked: Asked,
    path: Path,
    *,
    named: bool,
) -> str | None:
    """The column that has the sum of all others, if it can be no class."""
    if len(votes) < 3 or (named and numbered(list(votes)) is not None):
        return None
    sums = np.stack(list(votes.values())).sum(axis=0, dtype=np.float64)
    found = [name for name, column in votes.items() if (2.0 * column == sums).all()]
    if not found or not sums.any():
        return None
    [name, *others] = found
    if asked.draws is not None:
        return name if (votes[name] == asked.draws).all() and not others else None
    # Of n draws exactly n / 2 have a class with chance sqrt(2 / (pi n)) at most.
    chance = np.exp(-0.5 * np.log(np.pi * np.maximum(sums / 2, 1)).sum())
    if others or chance > _CHANCE:
        raise InputError(
            f"{path}: column {name} has the sum of the others in every row. If it is "
            f"their total, say --ignore-column {name}; if it is a class that has half "
            f"of the votes, say --draws {sums[0]:.0f}"
        )
    return name


def draws_of(
    matrix: Int[np.ndarray, "images classes"],
    table: Table,
    asked: Asked,
    *,
    names: list[str],
    invalid: list[Int[np.ndarray, " images"]],
    totals: Mapping[str, Int[np.ndarray, " images"]],
    notes: list[str],
) -> int:
    """The draws of every image, given or as the file says, held against the rows."""
    path = table.path
    voted = matrix.sum(axis=1)
    sums = voted if not invalid else voted + np.stack(invalid).sum(axis=0)
    stated = stated_number(replace(table, named=False), "draws", asked.draws)
    said = np.full(len(sums), -1 if stated is None else int(stated))
    for name, column in totals.items():
        said = column if stated is None else said
        if (wrong := column < sums).any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}, row {row}: column {name} says {column[row]:,} draws, but the "
                f"counts sum to {sums[row]:,}: is one of the columns no class "
                "(--ignore-column)?"
            )
        if stated is not None and (wrong := column != stated).any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}, row {row}: column {name} says {column[row]:,} draws, not "
                f"{stated:,.0f}"
            )
    if stated is None and not totals:
        if asked.invalid_draws and (not invalid or np.ptp(sums)):
            raise InputError(
                f"{path} does not say how many draws there were with those that gave "
                "no class: give --draws"
            )
        said = np.full(len(sums), sums[0])
    if said[0] < 1 or (said != said[0]).any():
        row = int(np.argmax(said != said[0]))
        if said[0] < 1:
            raise InputError(f"{path}, row 0: the counts sum to {sums[0]:,}: no votes")
        raise InputError(
            f"{path}, row {row}: {said[row]:,} draws, {said[0]:,} in row 0. Nothing "
            "says that these numbers were fixed before the first draw, and votes that "
            "stopped when they looked good would be false too often: import the "
            "images of each number apart, if it was fixed"
        )
    draws = int(said[0])
    wrong = sums != draws if not asked.invalid_draws else sums > draws
    if wrong.any():
        raise InputError(
            _advice(
                matrix, names, sums, int(np.argmax(wrong)), path=f"{path}", draws=draws
            )
        )
    if missing := int((voted < draws).sum()):
        notes.append(
            f"images with draws that gave no class, and count for none: {missing:,}"
        )
    return draws


def _advice(
    matrix: Int[np.ndarray, "images classes"],
    names: list[str],
    sums: Int[np.ndarray, " images"],
    row: int,
    *,
    path: str,
    draws: int,
) -> str:
    """What is wrong with a row that has another sum, and what it may be."""
    what = (
        f"{path}, row {row}: the counts sum to {sums[row]:,}, not to {draws:,}. "
        "Every draw votes for one class: "
    )
    spare = [
        place
        for place in range(matrix.shape[1])
        if len(sums) > 1 and len(names) > 2 and np.ptp(sums - matrix[:, place]) == 0
    ]
    if len(spare) == 1 and np.ptp(sums) > 0:
        same = sums[0] - matrix[0, spare[0]]
        return (
            f"{what}without column {names[spare[0]]} all rows sum to {same:,}: is it "
            "a label (--label-column) or something else (--ignore-column)?"
        )
    return (
        f"{what}is a column missing, or is one of them a label (--label-column) or no "
        "class (--ignore-column)? If those that are missing were drawn and gave no "
        "class (NaN outputs), say --draws and --invalid-draws. Images that stopped "
        "early cannot be imported: when they stopped decides what they prove"
    )


def check_constant(
    votes: Mapping[str, Int[np.ndarray, " images"]], draws: int, path: Path
) -> None:
    """A column of one number is no class, if the draws are round without it only."""
    for name, column in votes.items():
        value = int(column[0])
        alike: Bool[np.ndarray, " images"] = column == value
        if value and alike.all() and _round(draws - value) > _round(draws):
            raise InputError(
                f"{path}: column {name} is {value:,} in every row, and without it the "
                f"rows sum to {draws - value:,}, with it to {draws:,}. If it is the "
                f"label, say --label-column {name}; if it is no class, --ignore-column "
                f"{name}; if it is one, --draws {draws}"
            )


def _round(number: int) -> int:
    """How round a number is: its zeros at the end; a power of 2 has two."""
    if number < 1:
        return 0
    text = str(number)
    power = 2 if number >= 64 and number & (number - 1) == 0 else 0
    return max(len(text) - len(text.rstrip("0")), power)
