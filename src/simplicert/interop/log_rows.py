"""A log's rows in numbers, by the conventions with which the field writes them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from simplicert.errors import InputError
from simplicert.interop.recover import printed_units
from simplicert.interop.reported import broken_row
from simplicert.interop.table import LARGEST_WHOLE, Table, numbers

__all__ = ["LogRows", "log_rows", "truths", "units_of"]

_ABSTAINS = ("abstain", "abstained", "none", "nan", "", "reject", "rejected")
_TRUTHS = {"true": "1", "yes": "1", "false": "0", "no": "0"}


@dataclass(frozen=True, kw_only=True, eq=False)
class LogRows:
    """A log's rows in numbers, as its conventions mean them."""

    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"]
    predicted: Int[np.ndarray, " images"]
    radius: Float[np.ndarray, " images"]
    unit: Float[np.ndarray, " images"]


def log_rows(table: Table, columns: dict[str, str], notes: list[str]) -> LogRows:
    """A log's rows, and what there is to say of them in ``notes``.

    A row that abstains does so whatever its radius; a class that is named with a radius
    that is no ball (-1, NaN, infinite) is not certified.

    Raises:
        InputError: A row that no certification can have written.
    """
    frame, path = table.frame, table.path
    if "index" in columns and not _are_names(frame[columns["index"]]):
        indices = _integers(frame, columns["index"], table)
    else:
        indices = np.arange(len(frame))
        notes.append("no column says which images these are: they are numbered by row")
    labels = _integers(frame, columns["label"], table)
    predicted = _predicted(frame, columns["predict"], table)
    radius, unit = _radii(frame, columns, table)
    broken = broken_row(indices, labels)
    if broken is not None:
        row, rule = broken
        raise InputError(f"{path}, row {row} (idx {indices[row]}): {rule}")
    abstains = predicted < 0
    if "correct" in columns:
        sure = abstains | ((radius > 0) & np.isfinite(radius))
        notes += _correct_notes(
            frame[columns["correct"]], predicted == labels, sure, path
        )
    without_ball = ~abstains & ~((radius >= 0) & np.isfinite(radius))
    if "radius" in columns and without_ball.any():
        notes.append(
            "rows that name a class with a radius that is negative, missing or "
            f"infinite, where nothing is certified: {int(without_ball.sum()):,}"
        )
    if above := int((abstains & (radius > 0)).sum()):
        notes.append(
            f"rows that abstain with a radius above 0, which is ignored: {above:,}"
        )
    certified = ~abstains & (radius > 0) & np.isfinite(radius)
    return LogRows(
        indices=indices,
        labels=labels,
        predicted=predicted,
        radius=np.where(certified, radius, 0.0),
        unit=np.where(certified, unit, 0.0),
    )


def _are_names(column: pd.Series) -> bool:
    return bool(np.isnan(numbers(column)).all()) and not column.astype(str).eq("").any()


def _integers(
    frame: pd.DataFrame, name: str, table: Table
) -> Int[np.ndarray, " images"]:
    found = numbers(frame[name])
    # Not NaN, not infinite, and exact as a float.
    bad = ~((found == np.floor(found)) & (np.abs(found) < LARGEST_WHOLE))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{table.path}, row {row}: {name} {str(frame[name].iloc[row])!r} is not a "
            "whole number"
        )
    return found.astype(np.int64)


def _predicted(
    frame: pd.DataFrame, name: str, table: Table
) -> Int[np.ndarray, " images"]:
    """The named classes; -1 for each of the ways in which logs abstain."""
    texts = frame[name].astype(str).str.strip().str.casefold()
    plain = frame.assign(**{name: frame[name].mask(texts.isin(_ABSTAINS), -1)})
    found: Int[np.ndarray, " images"] = np.maximum(_integers(plain, name, table), -1)
    return found


def _radii(
    frame: pd.DataFrame, columns: dict[str, str], table: Table
) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, " images"]]:
    """As printed, with the unit of the last digit; NaN where there is none."""
    name = columns.get("radius")
    if name is None:
        nothing = np.full(len(frame), np.nan)
        return nothing, nothing
    column = frame[name]
    radius = numbers(column)
    texts = column.astype(str).str.strip().str.casefold()
    bad = np.isnan(radius) & ~texts.isin((*_ABSTAINS, "-nan", "-")).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        comma = " (a decimal comma? write points)" if "," in texts.iloc[row] else ""
        raise InputError(
            f"{table.path}, row {row}: radius {str(column.iloc[row])!r} is not a "
            f"distance{comma}"
        )
    return radius, units_of(column, radius)


def units_of(
    column: pd.Series, number: Float[np.ndarray, " images"]
) -> Float[np.ndarray, " images"]:
    """The unit of each number's last printed digit; 0 where it is not positive."""
    unit = np.zeros(len(number))
    positive = (number > 0) & np.isfinite(number)
    if positive.any():
        unit[positive] = printed_units(column[positive].astype(str).tolist())
    if column.dtype.kind == "f":  # a float of few bits may be off by more than it shows
        few = np.abs(np.spacing(column.to_numpy())).astype(np.float64)
        unit[positive] = np.maximum(unit, few)[positive]
    return unit


def truths(column: pd.Series) -> Float[np.ndarray, " images"]:
    """0 and 1, however they are written; NaN for what is neither."""
    texts = column.astype(str).str.strip().str.casefold()
    return numbers(texts.replace(_TRUTHS).astype(object))


def _correct_notes(
    column: pd.Series,
    correct: Bool[np.ndarray, " images"],
    sure: Bool[np.ndarray, " images"],
    path: object,
) -> list[str]:
    """``correct`` is redundant, and wrong in a way that is known in published logs.

    Where nothing is certified of a named class (not ``sure``) it may say either.
    """
    stated = truths(column)
    differs = (stated != correct) & (sure | ~np.isin(stated, (0.0, 1.0)))
    if not differs.any():
        return []
    if np.array_equal(stated, np.cumsum(correct)):
        return [
            "column correct is a running total, a known bug of published logs: it was "
            "ignored and correct taken from predict and label"
        ]
    row = int(np.argmax(differs))
    raise InputError(
        f"{path}, row {row}: correct is {str(column.iloc[row])!r} but predict "
        f"{'is' if correct[row] else 'is not'} the label, and the column is no running "
        "total either: the log contradicts itself"
    )
