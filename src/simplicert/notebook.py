"""What a notebook shows of many rows: a table of the first of them and the last."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from jaxtyping import Float, Int

from simplicert.rounding import round_down

__all__ = ["rounded", "shown_rows", "table_html"]

ENDS = 5
"""Rows at each end that are shown; up to twice as many are shown whole."""

_CELL = "padding: .15em .7em; text-align: {}"
_TABLE = "border-collapse: collapse; font-variant-numeric: tabular-nums"
_RULE = "border-bottom: 1px solid currentColor"


def shown_rows(count: int) -> Int[np.ndarray, " shown"]:
    """Positions of the rows that are shown of ``count``."""
    rows = np.arange(count)
    return rows if count <= 2 * ENDS else np.r_[rows[:ENDS], rows[-ENDS:]]


def rounded(
    values: Float[np.ndarray, " shown"], digits: int = 4, *, up: bool = False
) -> list[str]:
    """Numbers as text, rounded down, or up; a dash for what is not known."""
    sign = -1.0 if up else 1.0
    return [
        "–" if np.isnan(value) else f"{value:.{digits}f}"
        for value in (sign * round_down(sign * values, digits) + 0.0).tolist()
    ]


def table_html(
    title: str, columns: Mapping[str, Sequence[object]], *, count: int
) -> str:
    """A table as HTML in which any text is only text.

    Args:
        title: What stands above it.
        columns: By heading, the cells of ``shown_rows(count)``. Columns of text stand
            to the left and of numbers to the right.
        count: Rows in all; dots stand for those that are left out.
    """
    rows = [[str(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    if len(rows) < count:
        rows.insert(ENDS, ["⋮"] * len(columns))
    sides = [
        "left" if any(cell[:1].isalpha() for cell in map(str, cells)) else "right"
        for cells in columns.values()
    ]
    head = "".join(_cell("th", *each) for each in zip(columns, sides, strict=True))
    body = "".join(
        f"<tr>{''.join(_cell('td', *each) for each in zip(row, sides, strict=True))}"
        "</tr>\n"
        for row in rows
    )
    return (
        f'<div>{escape(title)}\n<table style="{_TABLE}; margin-top: .5em">\n'
        f'<thead style="{_RULE}"><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table></div>"
    )


def _cell(tag: str, text: str, side: str) -> str:
    return f'<{tag} style="{_CELL.format(side)}">{escape(text)}</{tag}>'
