"""Delimited text of any make → a table: encoding, separator, header, odd lines."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.interop.table import GROUPED, Line, Table, is_number

__all__ = ["decoded", "text_table"]

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_COMMENT = ("#", "//", "%", "sep=")
"""The last is a spreadsheet's."""

_WRAPPED = re.compile(
    r"\b(?:tensor|array|(?:np|numpy|torch)\.\w+)\(\s*([^\s(),]+?)\s*(?:,[^()]*)?\)"
)
"""How Python shows a number that is still in an array."""

_VALUE = re.compile(
    r"(?ai)true|false|none|na|n/a|-+|\d+:\d+(:[\d.]+)?|[\d.]+%|" + GROUPED
)
"""What a row may have in a column of numbers, and no header has for a name."""

_SUMMARY = {
    *("accuracy", "acr", "all", "average", "certified", "mean", "median", "overall"),
    *("result", "results", "std", "sum", "summary", "total", "totals"),
}
_STATED = re.compile(r"(?<![\w.])([A-Za-z]\w*)\s*[=:\s]\s*([\w.+-]+)")
_DIGITS = 15
"""Up to which a whole number is a float of its own."""

_LOOKED_AT = 200
"""Lines, to find the separator."""


def decoded(content: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and what there is to say of its encoding.

    Raises:
        InputError: It is no text.
    """
    mark = next((mark for mark in _MARKS if content.startswith(mark)), None)
    if mark is not None:
        tried = [_MARKS[mark]]
    elif b"\x00" in content[:4]:  # UTF-16 without its mark, of ASCII characters
        tried = ["utf-16-be" if content[:1] == b"\x00" else "utf-16-le"]
    else:
        tried = ["utf-8", "latin-1"]
    for encoding in tried:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            break
        notes: tuple[str, ...] = ()
        if encoding not in ("utf-8", "utf-8-sig"):
            notes = (f"the text is not UTF-8: it was read as {encoding.upper()}",)
        return text, notes
    raise InputError(
        f"{path} is not text, nor a .npy, .npz, .parquet or JSON file, nor one of "
        "these compressed as .gz, .bz2 or .xz"
    )


def text_table(text: str, path: Path) -> Table:
    """The table that a text holds; lines that fit no row are kept apart."""
    text, wrapped = _WRAPPED.subn(r"\1", text)
    notes = []
    if wrapped:
        notes.append(f"numbers printed as tensor(…) or the like: {wrapped:,}")
    numbered = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    lines = [(number, line.strip(" ")) for number, line in numbered if line.strip()]
    comments = [each for each in lines if each[1].startswith(_COMMENT)]
    rows = [each for each in lines if not each[1].startswith(_COMMENT)]
    if not rows:
        return _no_table(path, text, " is empty: it holds no rows")
    separator = _separator([line for _, line in rows[:_LOOKED_AT]])
    cells = [(number, line, _fields(line, separator)) for number, line in rows]
    title = _take_title(cells)
    if title:
        notes.append(f"line {title[0]}, {title[1][:60]!r}, is left out: it is a title")
        comments.insert(0, title)
    names = _take_names(cells)
    if names is None:
        names = _commented_names(comments, cells, separator)
    elif repeated := [each for each in cells if each[2] == names]:
        cells = [each for each in cells if each[2] != names]
        notes.append(f"lines that repeat the header, left out: {len(repeated):,}")
    width = len(names or cells[0][2])
    expected = f"{width} as {'the header has' if names else 'in the first line'}"
    odd, kept = [], []
    for number, line, fields in cells:
        if len(fields) == width and fields[0].casefold() not in _SUMMARY:
            kept.append(fields)
        else:
            odd.append(Line(number, line, len(fields), expected))
    texts = any(fields[0][:1].isalpha() for fields in kept)
    summaries = [line for line in odd if _is_summary(line, texts=texts)]
    if summaries and kept:
        odd = [line for line in odd if line not in summaries]
        notes.append(
            f"lines that are no rows, left out: {len(summaries):,}, the first is "
            f"{summaries[0].text[:60]!r}"
        )
    frame = _frame(kept, names, width)
    return Table(
        path=path,
        frame=frame,
        named=names is not None,
        text=text,
        odd=tuple(odd),
        stated=_stated(line for _, line in comments),
        notes=tuple(notes),
    )


def _is_summary(line: Line, *, texts: bool) -> bool:
    """Whether a line that fits no row is one of text, where rows start with numbers."""
    word = re.match(r"[A-Za-z]+", line.text)
    return word is not None and (not texts or word[0].casefold() in _SUMMARY)


def _no_table(path: Path, text: str, why: str) -> Table:
    return Table(path=path, frame=pd.DataFrame(), text=text, broken=why)


def _separator(lines: list[str]) -> str:
    """The one that divides most lines into the most, equally many fields."""
    best, most = " ", 0
    for separator in "\t,;| ":
        widths = Counter(len(_fields(line, separator)) for line in lines)
        width, times = widths.most_common(1)[0]
        if width > 1 and width * times > most:
            best, most = separator, width * times
    return best


def _fields(line: str, separator: str) -> list[str]:
    if line.count('"') % 2:  # cut within a cell: 1e-5 may have become 1
        return [line]
    if separator == " ":
        line = " ".join(line.split())
    try:
        [fields] = csv.reader([line], delimiter=separator, skipinitialspace=True)
    except csv.Error:  # a field of more than 128 KB: not of a table of numbers
        return [line]
    return [field.strip() for field in fields]


Cells = list[tuple[int, str, list[str]]]


def _take_title(cells: Cells) -> tuple[int, str] | None:
    """A first line that is in one piece, above others that are not."""
    if len(cells) < 2 or not len(cells[0][2]) == 1 < len(cells[1][2]):
        return None
    if is_number(cells[0][2][0]):
        return None
    number, line, _ = cells.pop(0)
    return number, line


def _take_names(cells: Cells) -> list[str] | None:
    """The header, if the first line is one.

    It is one if it has text where the rows below have values. (Class names may be
    numbers, so it may have these too.)
    """
    first = cells[0][2]
    below = [fields for _, _, fields in cells[1 : _LOOKED_AT + 1]]
    below = [fields for fields in below if len(fields) == len(first)]
    for place, cell in enumerate(first):
        if _is_value(cell):
            continue
        if not below or any(_is_value(fields[place]) for fields in below):
            return cells.pop(0)[2]
    # pandas numbers columns without a name, and gives its index none.
    numbers = first if first[0] else first[1:]
    in_turn = [list(map(str, range(k, k + len(numbers)))) for k in (0, 1)]
    return cells.pop(0)[2] if len(numbers) > 1 and numbers in in_turn else None


def _is_value(cell: str) -> bool:
    return not cell or is_number(cell) or _VALUE.fullmatch(cell) is not None


def _commented_names(
    comments: list[tuple[int, str]], cells: Cells, separator: str
) -> list[str] | None:
    """``np.savetxt`` writes its header as a comment; another comment is a remark."""
    number, _, first = cells[0]
    for place, line in comments:
        names = _fields(line.lstrip("#/% "), separator)
        if place > number or len(names) != len(first) or len(set(names)) < len(names):
            continue
        # "sigma 0.5" above two columns names none of them.
        if not all(map(is_number, names)) and not _stated([line]):
            return names
    return None


def _frame(rows: list[list[str]], names: list[str] | None, width: int) -> pd.DataFrame:
    columns = [_cells(list(column)) for column in zip(*rows, strict=True)]
    frame = pd.DataFrame(dict(enumerate(columns)), columns=range(width))
    frame.columns = pd.Index(names or list(map(str, range(width))), dtype=object)
    # A separator at the end of every line makes a column of nothing.
    unnamed = width > 2 and (names is None or not names[-1])
    if unnamed and not any(fields[-1] for fields in rows):
        frame = frame.iloc[:, :-1]
    return frame


def _cells(column: list[str]) -> np.ndarray:
    """Text, as digits are evidence; but numbers where they would print the same."""
    joined = "".join(column)
    if joined.isascii() and joined.isdigit():
        lengths = set(map(len, column))
        padded = any(cell[:1] == "0" and cell != "0" for cell in column)
        if 0 not in lengths and max(lengths) <= _DIGITS and not padded:
            return np.array(list(map(int, column)), dtype=np.int64)
    cells = np.empty(len(column), dtype=object)
    cells[:] = column
    return cells


def _stated(lines: Iterator[str] | list[str]) -> dict[str, frozenset[str]]:
    """``sigma=0.5``, ``alpha: 0.001``, ``N 100000`` in comments, by those words."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for word, value in _STATED.findall(line):
            if word in _WORDS:
                found.setdefault(_WORDS[word], set()).add(value.rstrip("."))
    return {
        word: frozenset(map(str, values))
        for word, values in found.items()
        if all(map(is_number, values)) or word in ("noise", "norm")
    }


_WORDS = {
    **dict.fromkeys(("sigma", "noise_sd", "noise_std"), "sigma"),
    **dict.fromkeys(("N", "n", "draws", "num_samples"), "draws"),
    "alpha": "alpha",
    **dict.fromkeys(("noise", "noise_type", "transtype"), "noise"),
    "norm": "norm",
}
