"""Tables of counts: a row an image, and a column of counts a class."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from simplicert.errors import InputError
from simplicert.interop.classes import class_order, labels_of
from simplicert.interop.format import (
    Asked,
    Counts,
    Format,
    Match,
    noise_of,
    stated_number,
)
from simplicert.interop.roles import numbered, roles_of
from simplicert.interop.row_sums import check_constant, draws_of, total_column
from simplicert.interop.table import Table, is_number, numbers, shown, whole
from simplicert.structured import whole_number

__all__ = [
    "MOST_CELLS",
    "MOST_CLASSES",
    "OPTIONS",
    "counts",
    "image_numbers",
    "label_column",
    "read_columns",
    "without",
]

OPTIONS = frozenset(
    [
        "sigma",
        "draws",
        "noise",
        "norm",
        "label_column",
        "ignore_column",
        "invalid_draws",
    ]
)
"""What every format takes that becomes votes."""

MOST_CLASSES = 2**20
"""More than any data set has, and than a small file should make."""

MOST_CELLS = 2**27
"""Images × classes of a table that is made here: 1 GiB."""

_LOOKED_AT = 200
_ALPHABET = 14
"""Columns of one letter, in turn, that are classes: up to n, which is else a total."""


def _match(table: Table, asked: Asked) -> Match:  # noqa: ARG001 (a format's)
    """Anything may be a table of counts; it is one if its rows have one sum."""
    if len(table.frame) < 2:
        return Match(2)
    head = replace(table, frame=table.frame.head(_LOOKED_AT), odd=())
    try:
        _read(head, Asked())
    except InputError:
        return Match(2)
    return Match(4)


def _read(table: Table, asked: Asked) -> Counts:
    table.check_whole()
    table = without(table, asked.ignore_column)
    return read_columns(table, label_column(table, asked.label_column), asked)


counts = Format("counts", "a table of counts", OPTIONS, _match, _read)


def without(table: Table, ignored: tuple[str, ...]) -> Table:
    """The table without the columns that are to be ignored.

    Raises:
        InputError: It has no such column.
    """
    if not ignored:
        return table
    dropped = [_named(table, column, "to ignore") for column in ignored]
    return replace(
        table,
        frame=table.frame.drop(columns=dropped),
        notes=(*table.notes, f"ignored, as asked: {shown(dropped)}"),
    )


def _named(table: Table, column: str, what: str) -> str:
    """A column's name, from that or, where there are no names, from its position."""
    if column in table.names:
        return column
    with suppress(InputError):  # it is no position
        position = whole_number(column)
        if not table.named and -len(table.names) <= position < len(table.names):
            return table.names[position]
    raise InputError(
        f"{table.path} has no column {column!r} {what}; its columns: "
        f"{shown(table.names)}"
    )


def label_column(table: Table, asked: str | None) -> str | None:
    """The column of labels: as given, or the one that is called so.

    Raises:
        InputError: There is none that was given, or several that differ are called so.
    """
    if asked is not None and (asked != "label" or asked in table.names):
        return _named(table, asked, "for the labels")
    found = roles_of(table.names).get("label", []) if table.named else []
    different = [
        n for n in found[1:] if not table.frame[n].equals(table.frame[found[0]])
    ]
    if different:
        raise InputError(
            f"{table.path}: the labels may be in any of {shown(found)}: say which with "
            "--label-column, and leave the others out with --ignore-column"
        )
    return found[0] if found else None


def read_columns(table: Table, label: str | None, asked: Asked) -> Counts:
    """The votes in a table of classes, and of other columns that are known by name.

    A column is a class only if nothing else explains it. Known are labels, indices,
    totals, draws that gave no class, and what logs have; a column that has the sum of
    the others in every row is a total whatever its name.

    Args:
        table: A row an image.
        label: The column of labels; ``None``: there is none.
        asked: What was given.

    Raises:
        InputError: The columns contradict each other; or one may be a class or not.
    """
    path, frame, notes = table.path, table.frame, [*table.notes]
    roles = roles_of(table.names) if table.named else {}
    given = [label] if label is not None else []
    same = [n for n in roles.pop("label", []) if n not in given]
    known = [name for names in roles.values() for name in names] + same
    known = [name for name in known if name not in given]
    indices, index = image_numbers(table, [*roles.get("index", [])], given, notes)
    classes = [n for n in table.names if n not in (*known, *given, *index)]
    known = [name for name in known if name not in index]
    own = given if asked.label_column is None else []
    if letters := _letters([*classes, *known, *own, *index]):
        classes, index = letters, [name for name in index if name not in letters]
        known = [name for name in known if name not in letters]
        label = None if label in letters else label
    if table.named and (others := _outside_the_series(frame, classes)):
        classes = [name for name in classes if name not in others]
        known += others
    verified = [n for role in ("draws", "invalid") for n in roles.get(role, [])]
    _check_others(frame, classes, [n for n in known if n not in verified], asked, path)
    if not table.named and _counts_rows(frame, classes):
        indices = whole(frame[classes[0]], classes[0], path)
        notes.append("the first column counts the rows: it is their index")
        classes = classes[1:]
    votes = {name: whole(frame[name], name, path) for name in classes}
    invalid = [whole(frame[n], n, path) for n in roles.get("invalid", []) if n in known]
    if any(each.any() for each in invalid) and not asked.invalid_draws:
        raise InputError(
            f"{path}: column {roles['invalid'][0]} seems to count draws that gave no "
            "class (NaN outputs). If so, say --invalid-draws: they count for none. If "
            "it is a class, call it otherwise"
        )
    totals = {n: whole(frame[n], n, path) for n in roles.get("draws", []) if n in known}
    if total := total_column(votes, asked, path, named=table.named):
        totals[total] = votes.pop(total)
        notes.append(f"column {total} has the sum of the others: it is no class")
    if len(votes) < 2:
        raise InputError(
            f"{path} has {len(votes)} count columns, needs one for each of at least 2 "
            "classes"
        )
    left = [n for n in known if n not in totals and n not in roles.get("invalid", [])]
    if left:
        notes.append(f"columns left out, as they are no counts: {shown(left)}")
    names = list(votes)
    names = [names[place] for place in class_order(names)]
    if names != list(votes):
        notes.append("the classes' columns were put in the order of their numbers")
    matrix = np.stack([votes[name] for name in names], axis=1)
    draws = draws_of(
        matrix,
        table,
        asked,
        names=names,
        invalid=invalid,
        totals=totals,
        notes=notes,
    )
    if asked.draws is None and not totals and "draws" not in table.stated:
        check_constant(votes, draws, path)
    class_names = names if table.named else None
    ids = numbered(names)
    if ids is not None and table.named and sorted(ids) != list(range(len(ids))):
        notes.append(
            f"the classes' numbers are {ids[0]} … {ids[-1]} in the file, and 0 … "
            f"{len(ids) - 1} here"
        )
    return Counts(
        counts=matrix,
        draws=draws,
        indices=indices,
        labels=None
        if label is None
        else labels_of(frame[label], class_names, table, classes=len(names)),
        class_names=None if all(map(is_number, names)) else class_names,
        sigma=stated_number(table, "sigma", asked.sigma),
        noise=noise_of(table, asked),
        notes=tuple(notes),
    )


def image_numbers(
    table: Table, candidates: list[str], given: list[str], notes: list[str]
) -> tuple[Int[np.ndarray, " images"], list[str]]:
    """Each image's index, and the columns that say it.

    Names of images are no numbers: their rows are counted instead.
    """
    frame = table.frame
    found = [name for name in candidates if name not in given]
    texts = [name for name in found if _has_text(frame[name])]
    whole_ones = [name for name in found if name not in texts]
    if not table.named and not given and _has_text(frame["0"]):
        texts = ["0"]
    if texts:
        notes.append(
            f"column {_shown(texts[0])} names the images: they are numbered by row"
        )
    if not whole_ones:
        return np.arange(len(frame)), texts
    name = whole_ones[0]
    return whole(frame[name], _shown(name), table.path, counts=False), [*texts, name]


def _shown(name: str) -> str:
    return name or "without a name"


def _has_text(column: pd.Series) -> bool:
    """Whether the cells are no numbers, but names that differ."""
    if not all(isinstance(value, str) for value in column):
        return False
    texts = column.astype(str)
    return bool(texts.is_unique and not any(map(is_number, texts))) and bool(
        texts.str.contains(r"[A-Za-z]").all()
        and not texts.isin(["True", "False"]).any()
    )


def _unequal(frame: pd.DataFrame, names: list[str]) -> bool:
    """Whether the rows of these columns have not one sum; so where they have none."""
    if not names:
        return True
    sums = np.stack([numbers(frame[name]) for name in names]).sum(axis=0)
    return bool(np.any(sums != sums[0]))


def _letters(names: list[str]) -> list[str]:
    """The columns of an alphabet, if the classes are its letters: n and y, too."""
    letters = [name for name in names if len(name) == 1 and name.isalpha()]
    codes = sorted(map(ord, letters))
    in_turn = codes == list(range(codes[0], codes[0] + len(codes))) if codes else False
    return letters if in_turn and len(codes) >= _ALPHABET else []


def _outside_the_series(frame: pd.DataFrame, classes: list[str]) -> list[str]:
    """Columns that are not numbered as the others are, which have one sum without them.

    (They may still be classes: ``_check_others`` asks.)
    """
    series = _series(classes)
    return [] if _unequal(frame, series) else [n for n in classes if n not in series]


def _check_others(
    frame: pd.DataFrame,
    classes: list[str],
    others: list[str],
    asked: Asked,
    path: Path,
) -> None:
    """No column is left out that could be a class as well.

    Raises:
        InputError: One could: its numbers are counts, and with it the rows have one
            sum, too.
    """
    if not classes or _unequal(frame, classes):
        return
    sums = np.stack([numbers(frame[name]) for name in classes]).sum(axis=0)
    for name in others:
        found = numbers(frame[name])
        may_be = (found == np.floor(found)).all() and found.max() >= len(classes)
        if not may_be or _unequal(frame, [*classes, name]) or (found == sums).all():
            continue
        if asked.draws is None or asked.draws != sums[0]:
            raise InputError(
                f"{path}: column {name} may be a class or not: with it the rows sum to "
                f"{sums[0] + found[0]:,.0f}, without it to {sums[0]:,.0f}. If it is "
                f"none, say --ignore-column {name}; if it is one, call it otherwise"
            )


def _series(names: list[str]) -> list[str]:
    """The most names that differ in a number only; all, where there are no such."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        if found := re.fullmatch(r"(.*?)[0-9]{1,9}([^0-9]*)", name):
            groups.setdefault((found[1], found[2]), []).append(name)
    most = max(groups.values(), key=len, default=[])
    return most if len(most) > 1 else names


def _counts_rows(frame: pd.DataFrame, names: list[str]) -> bool:
    """Whether the first column is 0, 1, 2 …, and only without it the sums are one."""
    if len(names) < 3 or len(frame) < 2 or not _unequal(frame, names):
        return False
    is_range = np.array_equal(numbers(frame[names[0]]), np.arange(len(frame)))
    return is_range and not _unequal(frame, names[1:])
