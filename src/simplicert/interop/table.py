"""A table as it was found in a file: cells by column, and what the file says beside."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from simplicert.errors import InputError

__all__ = [
    "GROUPED",
    "LARGEST_WHOLE",
    "SOFT",
    "Line",
    "Table",
    "is_number",
    "numbers",
    "shown",
    "whole",
]

LARGEST_WHOLE = 2**53
"""Below it every whole number is a float of its own."""

# ASCII: Python would take digits of any script, and underscores among them.
_NUMBER = re.compile(
    r"(?ai)\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity))\s*"
)
GROUPED = r"\d{1,3}([.,' \xa0\u202f]\d{3})+"
"""A number with a mark between its thousands; or with a decimal comma, who knows."""

_MISSING = ("", "nan", "none", "null", "na", "n/a", "<na>", "nat")
SOFT = (
    "means, probabilities and sums of soft scores are not counts: a confidence bound "
    "for counts does not hold for them, and rounding does not make them votes"
)
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Line:
    """A line of text that is no row.

    Attributes:
        number: Its number in the file, from 1.
        text: As it is.
        fields: How many fields it has.
        expected: How many a row has, in words.
    """

    number: int
    text: str
    fields: int
    expected: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows and columns of a file, before anything is known of what they mean.

    Attributes:
        path: The file.
        frame: Cells; of text, as text: how many digits were printed is evidence.
        named: Whether the columns have names; if not, they are called by position.
        text: The whole text; ``None`` where the file is none.
        odd: Lines of another number of fields than the rows.
        stated: What comments and the like say, by the names that they use.
        notes: What was left out or converted.
        encoding: Those of them that are of the text, not of its rows.
        broken: Why there is no table to speak of; ``None`` if there is one.
    """

    path: Path
    frame: pd.DataFrame
    named: bool = True
    text: str | None = None
    odd: tuple[Line, ...] = ()
    stated: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    encoding: tuple[str, ...] = ()
    broken: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [str(name) for name in self.frame.columns]

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def check_whole(self) -> None:
        """Refuse what is no table, or has lines that fit no row.

        Raises:
            InputError: Says which line and why.
        """
        if self.broken is not None:
            raise InputError(f"{self.path}{self.broken}")
        if self.odd:
            line = self.odd[0]
            raise InputError(
                f"{self.path}, line {line.number}: {line.fields} fields, not "
                f"{line.expected}"
            )
        if self.frame.empty:
            raise InputError(f"{self.path} holds no rows")
        names = self.names
        # A first column without a name is an index: pandas writes it so.
        if "" in names[1:] or len(set(names)) < len(names):
            raise InputError(
                f"{self.path}: columns need names that differ, its are: {shown(names)}"
            )


def shown(names: Iterable[str]) -> str:
    """Names for a message: all, or the first and how many more."""
    names = [name if name.strip() else repr(name) for name in names]
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def is_number(value: object) -> bool:
    """Whether a cell is a number, as a table has it: ASCII, and nothing beside it."""
    return _NUMBER.fullmatch(str(value)) is not None


def numbers(column: pd.Series) -> Float[np.ndarray, " rows"]:
    """The column as floats; NaN where a cell is no number."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy(np.float64)
    if column.dtype.kind in "iuf":  # of pandas' own, which know what is missing
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    found = pd.to_numeric(column.astype(str).astype(object), errors="coerce")
    return found.to_numpy(np.float64)


def whole(
    column: pd.Series, name: str, path: Path, *, counts: bool = True
) -> Int[np.ndarray, " rows"]:
    """The column as whole numbers that are not negative.

    Args:
        column: Cells of any kind.
        name: What messages call it.
        path: Its file, likewise.
        counts: Whether it is one of counts, which are told from soft scores.

    Raises:
        InputError: The first row in which it is none, and why.
    """
    found = numbers(column)
    for row in map(int, np.flatnonzero(np.isnan(found))):
        value = column.iloc[row]
        is_missing = str(value).strip().casefold() in _MISSING
        if not is_missing and not is_number(value):
            grouped = re.fullmatch(GROUPED, str(value)) is not None
            raise InputError(
                f"{path}, row {row}, column {name}: {value!r} is not a number"
                + " (write its digits without separators)" * grouped
            )
    for rule, broken in (
        ("is missing", np.isnan(found)),
        ("is negative", found < 0),
        ("is too large", found >= LARGEST_WHOLE),
        ("is not a whole number" + f": {SOFT}" * counts, found != np.floor(found)),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            value = str(column.iloc[row]).strip() or "a number"
            raise InputError(f"{path}, row {row}, column {name}: {value} {rule}")
    return found.astype(np.int64)
