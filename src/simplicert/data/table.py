"""Rows of a table as inputs: which columns are features, labels, texts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from simplicert.data.arrays import ValuesReader, floating
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_bytes
from simplicert.data.labels import label_choice, label_notes, labels_of
from simplicert.errors import InputError
from simplicert.units import PLAIN

__all__ = ["Columns", "from_frame", "has_splits", "label_among", "texts_of"]

_LABEL_COLUMNS = ("label", "labels", "target", "targets", "class", "y")
_TEXT_COLUMNS = ("text", "texts")
_SPLIT = "split"
_NUMBERING = ("id", "index")
_LONGEST_TEXT = 200
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What was said of a table's columns; ``None``: found by their usual names.

    Attributes:
        label: Holds the labels.
        features: Hold the features, in this order: numbers, or one that holds vectors.
        known: Features that a model or a run names: these alone are taken, in the
            table's order, if nothing was said and the table has all of them.
    """

    label: str | None = None
    features: Sequence[str] | None = None
    known: Sequence[str] = ()


def from_frame(
    frame: pd.DataFrame,
    *,
    where: str,
    name: str,
    split: str | None,
    columns: Columns,
    fingerprint: Callable[[], str] | None = None,
    class_names: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Dataset:
    """The rows of a table, numbered from 0 over all of its splits.

    Args:
        frame: All rows.
        where: What holds them, for messages.
        name: Of the data set.
        split: Those rows that have it in a column ``split``, if there is one; ``None``
            takes the whole table, whatever its columns.
        columns: Which to take.
        fingerprint: Computes the digest of the table. Default: one over the features
            and the labels.
        class_names: In the order of the classes, where labels are numbers of them, or
            names in another order than that of the alphabet.
        notes: What else is to be said.

    Raises:
        InputError: There are no rows or no such column; a feature holds what is no
            finite number; names the column and the row.
    """
    frame = frame.rename(columns=str)
    _check_columns(where, frame)
    label = _label_column(where, frame, columns.label)
    names, more = _features(where, frame, columns, label)
    labels, classes, strange = _labels(where, frame, label, class_names)
    chosen = _rows_of(where, frame, split)
    values = _values(where, frame, names, chosen)
    texts = next((each for each in _TEXT_COLUMNS if each in frame), None)
    if fingerprint is None:
        stored = b"" if labels is None else labels[chosen].tobytes()
        fingerprint = partial(digest_of_bytes, values, stored)
    others = [each for each in map(str, frame) if each not in {*names, label, texts}]
    others = [each for each in others if not _is_numbering(each)]
    return Dataset(
        name=name,
        split=split or "all",
        shape=values.shape[1:],
        class_names=classes,
        labels=None if labels is None else labels[chosen],
        indices=chosen,
        reader=ValuesReader(_placed(values, chosen, len(frame))),
        fingerprint=_of_column(frame, names, fingerprint),
        notes=(*notes, *more, *strange, *label_choice(label, others or names)),
        unit=PLAIN,
        features=tuple(names) if len(names) == values.shape[1] else (),
        texts=None if texts is None else texts_of(frame[texts].tolist()),
    )


def _of_column(
    frame: pd.DataFrame, names: Sequence[str], fingerprint: Callable[[], str]
) -> Callable[[], str]:
    """Also of which column holds the vectors, where several do: they have no names."""
    if sum(_holds_vectors(frame[each]) for each in frame) < 2:
        return fingerprint
    return lambda: digest_of_bytes(f"{fingerprint()} {names}".encode())


def _check_columns(where: str, frame: pd.DataFrame) -> None:
    if not len(frame) or not len(frame.columns):
        raise InputError(
            f"{where} has no rows below its names of columns"
            if len(frame.columns)
            else f"{where} is empty: it should hold names of columns, and rows of them"
        )
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(
            f"{where} has two columns that are called {twice[0]!r}: rename one"
        )


def _found(
    where: str, frame: pd.DataFrame, wanted: Sequence[str], option: str
) -> list[str]:
    """Columns that were asked for."""
    lacking = [each for each in wanted if each not in frame]
    if lacking:
        known = [*map(str, frame.columns)]
        shown = ", ".join(known[:20]) + (" …" if known[20:] else "")
        raise InputError(
            f"{where} has no column {lacking[0]!r}, but {shown}: choose of these with "
            f"{option}"
        )
    return [*wanted]


def _label_column(where: str, frame: pd.DataFrame, given: str | None) -> str | None:
    if given is not None:
        return _found(where, frame, [given], "label_column")[0]
    return label_among(frame)


def has_splits(frame: pd.DataFrame) -> bool:
    """Whether a column ``split`` names that of each row."""
    return _SPLIT in frame and not _is_numeric(frame[_SPLIT])


def label_among(frame: pd.DataFrame, given: str | None = None) -> str | None:
    """The column of labels: the one that was named, or by its usual names."""
    if given is not None:
        return given if given in frame else None
    low = {str(each).lower(): str(each) for each in reversed(frame.columns)}
    return next((low[each] for each in _LABEL_COLUMNS if each in low), None)


def _features(
    where: str, frame: pd.DataFrame, columns: Columns, label: str | None
) -> tuple[list[str], list[str]]:
    """Names of the features, and a word about what is none; all, if nothing is said."""
    given = columns.features
    if given is not None:
        if not given or len({*given}) < len(given) or label in given:
            raise InputError(
                f"feature_columns are names of columns, each once, without the label, "
                f"got {', '.join(given) or 'none'}"
            )
        return _found(where, frame, given, "feature_columns"), []
    if columns.known and {*columns.known} <= {*map(str, frame)} - {label}:
        return _those_known(frame, columns.known, label)
    split = {_SPLIT} if has_splits(frame) else set()
    names = [
        each for each in map(str, frame) if each not in {label, *_TEXT_COLUMNS, *split}
    ]
    vectors = [each for each in names if _holds_vectors(frame[each])]
    if vectors:
        beside = [each for each in names if each not in vectors]
        if len(vectors) > 1:
            raise InputError(
                f"{where} has vectors in {', '.join(vectors)}: choose one of these "
                "with feature_columns"
            )
        return vectors, [f"features are the vectors of {vectors[0]}"] + [
            f"columns beside the vectors are left out: {_shown(beside)}"
        ] * bool(beside)
    numbering = [each for each in names if _is_numbering(each)]
    names = [each for each in names if each not in numbering]
    if not names:
        raise InputError(
            f"{where} has no column of features: it has {_shown([*map(str, frame)])}"
        )
    notes = [f"features are {_shown(names)} ({len(names)})"]
    if numbering:
        left = _shown([each or "one without a name" for each in numbering])
        notes.append(f"left out, as no feature by its name: {left}")
    return names, notes


def _those_known(
    frame: pd.DataFrame, known: Sequence[str], label: str | None
) -> tuple[list[str], list[str]]:
    names = [each for each in map(str, frame) if each in {*known}]
    notes = [f"features are {_shown(names)} ({len(names)}), by their names"]
    left = [each or "one without a name" for each in map(str, frame)]
    left = [each for each in left if each not in {*names, label}]
    return names, notes + [f"left out, as no feature by its name: {_shown(left)}"] * (
        bool(left)
    )


def _is_numbering(name: str) -> bool:
    """Whether a column of this name numbers the rows."""
    return not name or name.lower() in _NUMBERING


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _is_numeric(column: "pd.Series[Any]") -> bool:
    kind = column.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(
        kind
    )


def _holds_vectors(column: "pd.Series[Any]") -> bool:
    return column.dtype == object and isinstance(
        column.iloc[0], np.ndarray | list | tuple
    )


def _rows_of(
    where: str, frame: pd.DataFrame, split: str | None
) -> Int64[np.ndarray, " rows"]:
    if split is None or not has_splits(frame):
        return np.arange(len(frame))
    parts = frame[_SPLIT].astype(str)
    rows = np.flatnonzero(parts == split)
    if not rows.size:
        raise unknown_split(where, split, sorted({*parts}))
    return rows


def _labels(
    where: str, frame: pd.DataFrame, label: str | None, class_names: Sequence[str]
) -> tuple[Int64[np.ndarray, " rows"] | None, tuple[str, ...], tuple[str, ...]]:
    """Labels of all rows, so that each split has the same classes."""
    if label is None:
        return None, tuple(class_names), ()
    stored = frame[label]
    empty = np.flatnonzero(stored.isna().to_numpy())
    if empty.size:
        raise InputError(
            f"{where}: row {empty[0]} (from 0) has no label in column {label!r} "
            f"({empty.size} such rows): fill it in, or leave that row out"
        )
    names = tuple(class_names)
    if not _is_numeric(stored):
        stored = stored.astype(object).infer_objects()  # of categories their values
    if not _is_numeric(stored):
        texts = [each for each in stored.tolist() if not isinstance(each, str)]
        if texts:
            raise InputError(
                f"{where}: labels in column {label!r} are neither numbers nor names, "
                f"such as {texts[0]!r:.60}: write one of the two"
            )
        names = names or tuple(sorted({*stored}))
    array = stored.to_numpy(object if not _is_numeric(stored) else None)
    labels = labels_of(f"{where}, column {label!r}", array, names)
    if labels is not None and (labels < 0).any():
        row = int(np.argmax(labels < 0))
        raise InputError(
            f"{where}: row {row} (from 0) has the label {labels[row]} in column "
            f"{label!r}, and classes are numbered from 0: for a scikit-learn "
            "classifier write np.searchsorted(model.classes_, labels), or names"
        )
    return labels, names, () if names else label_notes(labels)


def _values(
    where: str,
    frame: pd.DataFrame,
    names: list[str],
    rows: Int64[np.ndarray, " rows"],
) -> Float[np.ndarray, "rows features"]:
    """The features of these rows, in float64 unless float32 holds them all."""
    if len(names) == 1 and _holds_vectors(frame[names[0]]):
        return _vectors(where, frame[names[0]], rows)
    columns = [_numbers(where, frame[name].iloc[rows], rows, name) for name in names]
    return np.stack(columns, axis=1)


def _vectors(
    where: str, column: "pd.Series[Any]", rows: Int64[np.ndarray, " rows"]
) -> Float[np.ndarray, "rows features"]:
    vectors = [np.asarray(each) for each in column.iloc[rows]]
    for row, vector in zip(rows.tolist(), vectors, strict=True):
        if vector.shape != vectors[0].shape or vector.dtype.kind not in "iuf":
            raise InputError(
                f"{where}: row {row} (from 0) has in column {column.name!r} "
                f"{vector.dtype} of shape {vector.shape}, and row {rows[0]} has "
                f"{vectors[0].shape}: give all rows as many numbers"
            )
    stacked = np.stack(vectors)
    if stacked.ndim != 2 or not stacked.size:
        raise InputError(
            f"{where}: column {column.name!r} holds {stacked.shape[1:]} a row, and no "
            "vectors of numbers"
        )
    values = floating(stacked)
    _check_finite(where, values.sum(axis=1), rows, str(column.name))
    return values


def _numbers(
    where: str,
    column: "pd.Series[Any]",
    rows: Int64[np.ndarray, " rows"],
    name: str,
) -> Float[np.ndarray, " rows"]:
    if _is_numeric(column):
        whole = column.to_numpy(np.float64, na_value=math.nan)
        _check_finite(where, whole, rows, name)
        return whole.astype(np.float32) if column.dtype == np.float32 else whole
    numbers = pd.to_numeric(column.astype(object), errors="coerce")
    if pd.api.types.is_complex_dtype(numbers):
        numbers = pd.Series(np.nan, index=column.index)
    are_texts = column.map(lambda each: isinstance(each, str)).to_numpy(bool)
    wrong = np.flatnonzero(numbers.isna().to_numpy())
    bad = int(wrong[0]) if wrong.size else 0
    if wrong.size or are_texts.any():
        held = column.iloc[bad]
        if not isinstance(held, str) and pd.isna(held):
            held = math.nan
            _check_finite(where, np.array([held]), rows[bad : bad + 1], name)
        comma = "; is it a decimal comma? Write a point" * (
            isinstance(held, str) and held.count(",") == 1
        )
        raise InputError(
            f"{where}: column {name!r} holds {held!r:.60} in row {rows[bad]} (from 0), "
            f"which is no number{comma}. Correct it, or choose the columns of numbers "
            "with feature_columns (--feature-columns), and the labels' with "
            "label_column (--label-column)"
        )
    values = numbers.to_numpy(np.float64)
    _check_finite(where, values, rows, name)
    return values


def _check_finite(
    where: str,
    values: Float[np.ndarray, " rows"],
    rows: Int64[np.ndarray, " rows"],
    name: str,
) -> None:
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        held = values[wrong[0]]
        what = "a missing number" if np.isnan(held) else "an infinite number"
        raise InputError(
            f"{where}: column {name!r} holds {what} in row {rows[wrong[0]]} (from 0; "
            f"{wrong.size} such rows): fill it in, leave the row out, or choose other "
            "columns with feature_columns"
        )


def _placed(
    values: Float[np.ndarray, "rows features"],
    chosen: Int64[np.ndarray, " rows"],
    rows: int,
) -> Float[np.ndarray, "all features"]:
    """Where the rows of the split are in the whole table."""
    if len(chosen) == rows:
        return values
    placed = np.full((rows, *values.shape[1:]), np.nan, dtype=values.dtype)
    placed[chosen] = values
    return placed


def texts_of(texts: Sequence[object]) -> Callable[[int], str]:
    """What each row is in words: the first letters of its text."""
    return partial(_text, tuple(str(text)[:_LONGEST_TEXT] for text in texts))


def _text(texts: tuple[str, ...], row: int) -> str:
    return texts[row]
