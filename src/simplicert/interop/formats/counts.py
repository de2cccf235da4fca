"""Tables of counts: a row an image, and a column of counts a class."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from simplicert.errors import InputError
from simplicert.interop.classes import check_start, class_order, labels_of
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
from simplicert.interop.table import SOFT, Table, is_number, numbers, shown, whole
from simplicert.structured import whole_number

__all__ = [
    "MOST_CELLS",
    "MOST_CLASSES",
    "OPTIONS",
    "counts",
    "image_numbers",
    "label_column",
    "read_columns",
    "the_one",
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
    advice = "say which with --label-column, and leave the others"
    return the_one(table, found, "the labels", advice) if found else None


def the_one(table: Table, names: list[str], what: str, advice: str) -> str:
    """The first of several columns that hold the same.

    Raises:
        InputError: They differ.
    """
    cells = [table.frame[name] for name in names]
    if not all(each.equals(cells[0]) for each in cells):
        raise InputError(
            f"{table.path}: {what} may be in any of {shown(names)}: {advice} out with "
            "--ignore-column"
        )
    return names[0]


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
    columns = _divided(table, label, asked, notes)
    roles, classes, known = columns.roles, columns.classes, columns.known
    label, indices = columns.label, columns.indices
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
            "classes" + (f"; {shown(known)} are called like others" if known else "")
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
    labels = None
    if label is not None:
        labels = labels_of(frame[label], class_names, table, classes=len(names))
        check_start(labels, matrix, path)
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
        labels=labels,
        class_names=None if all(map(is_number, names)) else class_names,
        sigma=stated_number(table, "sigma", asked.sigma),
        noise=noise_of(table, asked),
        notes=tuple(notes),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Columns:
    """What the columns are: ``known`` ones are no classes, nor label or index."""

    roles: dict[str, list[str]]
    classes: list[str]
    known: list[str]
    label: str | None
    indices: Int[np.ndarray, " images"]


def _divided(
    table: Table, label: str | None, asked: Asked, notes: list[str]
) -> _Columns:
    """Which columns are classes, as ``read_columns`` says."""
    path, frame = table.path, table.frame
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
    if table.named and (others := _outside_the_series(frame, classes, path)):
        classes = [name for name in classes if name not in others]
        known += others
    _check_names(classes, path)
    # Totals and invalid draws are held against the sums below.
    checked = roles.get("invalid", [])
    if not _unequal(frame, classes):
        checked = [*checked, *roles.get("draws", []), *own]
    _check_others(
        frame,
        classes,
        [name for name in (*own, *index, *known) if name not in checked],
        confirmed=asked.draws is not None
        and bool((_sums(frame, classes) == asked.draws).all()),
        path=path,
    )
    if not table.named and _counts_rows(frame, classes):
        indices = whole(frame[classes[0]], classes[0], path)
        notes.append("the first column counts the rows: it is their index")
        classes = classes[1:]
    return _Columns(
        roles=roles, classes=classes, known=known, label=label, indices=indices
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
    sums = _sums(frame, names)
    return bool(np.any(sums != sums[0]))


def _sums(frame: pd.DataFrame, names: list[str]) -> Float[np.ndarray, " images"]:
    sums: Float[np.ndarray, " images"] = np.zeros(len(frame))
    for name in names:
        sums += numbers(frame[name])
    return sums


def _letters(names: list[str]) -> list[str]:
    """The columns of an alphabet, if the classes are its letters: n and y, too."""
    letters = [name for name in names if len(name) == 1 and name.isalpha()]
    codes = sorted(map(ord, letters))
    in_turn = codes == list(range(codes[0], codes[0] + len(codes))) if codes else False
    return letters if in_turn and len(codes) >= _ALPHABET else []


def _outside_the_series(
    frame: pd.DataFrame, classes: list[str], path: Path
) -> dict[str, None]:
    """Columns that are not numbered as the others are, which have one sum without them.

    (They may still be classes: ``_check_others`` asks.)

    Raises:
        InputError: They are counts of one sum as well.
    """
    series = _series(frame, classes)
    if _unequal(frame, series):
        return {}
    mine = set(series)
    others = [name for name in classes if name not in mine]
    second = _series(frame, others)
    alike = len(second) == len(series) and _are_whole(frame, second)
    if alike and not _unequal(frame, second):
        raise InputError(
            f"{path} holds two tables of counts, of {shown(series[:2])} … and of "
            f"{shown(second[:2])} …: import them from a file each"
        )
    return dict.fromkeys(others)


def _check_names(classes: list[str], path: Path) -> None:
    if classes and all(map(_SHARES.search, classes)):
        raise InputError(f"{path}: columns {shown(classes)} are no counts: {SOFT}")


_SHARES = re.compile(
    r"(?i)%|(?<![a-z])(pct|percent|percentage|prob|probability|fraction|logit)s?(?![a-z])"
)


def _check_others(
    frame: pd.DataFrame,
    classes: list[str],
    others: list[str],
    *,
    confirmed: bool,
    path: Path,
) -> None:
    """No column is left out that could be a class as well.

    Args:
        frame: The table.
        classes: What was taken for classes.
        others: What was not.
        confirmed: Whether the classes' sum is known to be that of all draws.
        path: For messages.

    Raises:
        InputError: One could: its numbers are counts, and with it the rows have one
            sum.
    """
    if not classes:
        return
    sums = _sums(frame, classes)
    even = bool((sums == sums[0]).all())
    if even and confirmed:
        return
    without = f"to {sums[0]:,.0f}" if even else "to no one number"
    for name in others:
        found = numbers(frame[name])
        both = sums + found
        few = found.max() < len(classes)  # labels, which stay below
        if not few and (both == both[0]).all() and not (found == sums).all():
            raise InputError(
                f"{path}: column {name} may be a class or not: with it the rows sum to "
                f"{both[0]:,.0f}, without it {without}. If it is none, say "
                f"--ignore-column {name}; if it is one, call it otherwise"
            )


def _series(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """The most names that differ in a number only; all, where there are no such.

    Whole numbers come first: shares may stand beside them.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        if found := re.fullmatch(r"(.*?)[0-9]{1,9}([^0-9]*)", name):
            groups.setdefault((found[1], found[2]), []).append(name)
    several = [each for each in groups.values() if len(each) > 1]
    if not several:
        return list(names)
    return max(several, key=lambda each: (_are_whole(frame, each), len(each)))


def _are_whole(frame: pd.DataFrame, names: list[str]) -> bool:
    found = np.stack([numbers(frame[name]) for name in names])
    return bool(((found >= 0) & (found == np.floor(found))).all())


def _counts_rows(frame: pd.DataFrame, names: list[str]) -> bool:
    """Whether the first column is 0, 1, 2 …, and only without it the sums are one."""
    if len(names) < 3 or len(frame) < 2 or not _unequal(frame, names):
        return False
    is_range = np.array_equal(numbers(frame[names[0]]), np.arange(len(frame)))
    return is_range and not _unequal(frame, names[1:])
