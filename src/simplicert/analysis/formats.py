"""A table as text, Markdown, LaTeX, CSV or Parquet."""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Context, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import pandas as pd

from simplicert.errors import unknown_name
from simplicert.files import check_suffix, replacing
from simplicert.interop.export import csv_text
from simplicert.rounding import round_down

__all__ = ["TableFormat", "format_table", "write_table"]

TableFormat = Literal["text", "markdown", "latex", "csv"]
"""How a table may be printed."""

MISSING = "–"
PLAIN = MappingProxyType(
    {
        "sigma": "g",
        "alpha": "",  # every digit: six could name a smaller one
        "draws": ".0f",
        "statistic": ".0f",
        "seconds_per_image": ".2g",
        "share_of_draws": ".2g",
    }
)
"""Columns that claim nothing and are shown as they are."""

SUFFIXES: Mapping[str, TableFormat] = MappingProxyType(
    {".txt": "text", ".md": "markdown", ".tex": "latex", ".csv": "csv"}
)
TABLE_SUFFIXES = (*SUFFIXES, ".parquet")

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        **{special: rf"\{special}" for special in "&%$#_{}"},
    }
)
# Markdown is turned into HTML, where a class called <img …> must stay its name.
_MARKDOWN = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": r"\|", "\n": " "}
)


def format_table(
    table: pd.DataFrame,
    form: TableFormat = "text",
    *,
    digits: int = 3,
    width: int | None = None,
) -> str:
    """A table as a string that ends in a newline.

    For people (text, Markdown, LaTeX) numbers are rounded *down* to ``digits`` decimal
    places, so that no radius or accuracy is claimed that was not reached; upper bounds
    (columns named ``…_upper``) *up*; and p-values (``p_value`` or ``…_p``) up to two
    significant digits. CSV keeps every digit: reading it gives back the same floats.
    Text in it that a spreadsheet would compute (``=1+1``) begins with ``'``.

    Args:
        table: Any; its index is left out.
        form: ``"text"``, ``"markdown"``, ``"latex"`` or ``"csv"``.
        digits: Decimal places.
        width: Of the reader's terminal. Text that is wider is turned, so that each row
            becomes a column.

    Raises:
        InputError: An unknown format.

    Example:
        >>> table = pd.DataFrame({"mechanism": ["cohen"], "radius": [0.7999]})
        >>> print(format_table(table, "markdown", digits=2), end="")
        | mechanism | radius |
        | :-- | --: |
        | cohen | 0.79 |
    """
    if form not in get_args(TableFormat):
        raise unknown_name("format", form, get_args(TableFormat))
    if form == "csv":
        return csv_text(table)
    cells = [
        [_cell(str(name), value, digits) for value in table[name]] for name in table
    ]
    numeric = [pd.api.types.is_numeric_dtype(table[name]) for name in table]
    rows = [list(row) for row in zip(*cells, strict=True)]
    header = [str(name) for name in table]
    writers: dict[str, Callable[..., list[str]]] = {
        "text": _text,
        "markdown": _markdown,
        "latex": _latex,
    }
    lines = writers[form](header, rows, numeric)
    if form == "text" and width is not None and max(map(len, lines)) > width:
        first, *turned = zip(header, *rows, strict=True)
        lines = _text(
            list(first), [list(row) for row in turned], [False, *[True] * len(rows)]
        )
    return "\n".join(lines) + "\n"


def write_table(table: pd.DataFrame, path: Path | str, *, digits: int = 3) -> Path:
    """Write a table in the format that the suffix names; return the path.

    ``.txt``, ``.md``, ``.tex`` and ``.csv`` as ``format_table``, and ``.parquet``.

    Raises:
        InputError: Another suffix.
    """
    path = Path(path)
    check_suffix(path, TABLE_SUFFIXES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        if path.suffix == ".parquet":
            table.to_parquet(file, index=False)
        else:
            content = format_table(table, SUFFIXES[path.suffix], digits=digits)
            file.write_text(content, "utf-8")
    return path


def _cell(name: str, value: object, digits: int) -> str:
    if not isinstance(value, float | np.floating):
        return str(value)
    if np.isnan(value):
        return MISSING
    if name == "p_value" or name.endswith("_p"):
        return _round_up(float(value))
    number = float(value)
    if name in PLAIN:
        return format(number, PLAIN[name])
    if name.endswith("_upper"):
        return f"{-float(round_down(-number, digits)):.{digits}f}"
    return f"{float(round_down(number, digits)):.{digits}f}"


def _round_up(p_value: float) -> str:
    if p_value == 0.0:
        return "<1e-300"  # the float is exhausted, the probability is not 0
    rounded = Decimal(p_value).normalize(Context(prec=2, rounding=ROUND_CEILING))
    return f"{rounded:.2g}"


def _text(header: list[str], rows: list[list[str]], numeric: list[bool]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        parts = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return [line(header), line(["-" * width for width in widths]), *map(line, rows)]


def _markdown(
    header: list[str], rows: list[list[str]], numeric: list[bool]
) -> list[str]:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cell.translate(_MARKDOWN) for cell in cells)} |"

    rule = " | ".join("--:" if right else ":--" for right in numeric)
    return [line(header), f"| {rule} |", *map(line, rows)]


def _latex(header: list[str], rows: list[list[str]], numeric: list[bool]) -> list[str]:
    def line(cells: list[str]) -> str:
        return " & ".join(cell.translate(_LATEX) for cell in cells) + r" \\"

    alignment = "".join("r" if right else "l" for right in numeric)
    return [
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\hline",
        line(header),
        r"\hline",
        *map(line, rows),
        r"\hline",
        r"\end{tabular}",
    ]
