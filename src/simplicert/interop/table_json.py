"""Tables in JSON: an object an image, or an object of columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.interop.table import Table, is_number, shown
from simplicert.structured import parse_json

__all__ = ["expanded", "json_table"]


def json_table(text: str, path: Path) -> Table:
    """The table that a JSON text holds; numbers stay text, as they are printed.

    Objects in a list, each on a line of its own, or by index in an object; columns as
    lists or objects; or one of these in an object, beside what holds for all.

    Raises:
        InputError: It is none of these.
    """
    loaded = _loaded(text, path)
    stated = {}
    if isinstance(loaded, dict):
        rows, facts = _rows_of(loaded)
        stated = {name: frozenset([str(value)]) for name, value in facts.items()}
        loaded = rows
    if isinstance(loaded, list):
        loaded = _of_rows(loaded, path)
    return expanded(loaded, path, stated)


def _loaded(text: str, path: Path) -> Any:
    """One value, or a list of those that are in a line each."""
    try:
        return parse_json(text, path, numbers_as_text=True)
    except InputError:
        lines = [
            (n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()
        ]
        try:
            parse_json(lines[0][1], path, numbers_as_text=True)
        except InputError:
            lines = []
        if len(lines) < 2:
            raise
    return [
        parse_json(line, f"{path}, line {number}", numbers_as_text=True)
        for number, line in lines
    ]


def _rows_of(found: dict[str, Any]) -> tuple[list[Any] | pd.DataFrame, dict[str, Any]]:
    """The rows or columns in an object, and what else it says."""
    many = {name: each for name, each in found.items() if isinstance(each, list | dict)}
    facts = {name: each for name, each in found.items() if name not in many}
    objects = [each for each in many.values() if isinstance(each, dict)]
    if many and len(objects) == len(many) > 1:
        if all(is_number(key) for each in objects for key in each):  # columns, by index
            rows = [dict(zip(many, each, strict=False)) for each in _turned(objects)]
            return rows, facts
        return [{"": name, **found[name]} for name in many], facts
    lists = [each for each in many.values() if isinstance(each, list)]
    if len(many) == len(lists) == 1 and isinstance(
        next(iter(lists[0]), None), dict | list
    ):
        return lists[0], facts
    if len(lists) > 1 and len({len(each) for each in lists}) == 1 == 1 + len(objects):
        return [
            dict(zip(many, each, strict=True)) for each in zip(*lists, strict=True)
        ], facts
    return [found], {}  # one image


def _turned(objects: list[dict[str, Any]]) -> list[list[Any]]:
    keys = list(objects[0])
    if any(set(each) != set(keys) for each in objects):
        raise InputError("columns in the JSON are of different rows")
    return [[each[key] for each in objects] for key in keys]


def _of_rows(rows: Sequence[Any], path: Path) -> pd.DataFrame:
    kinds = {type(row) for row in rows}
    if kinds not in ({list}, {dict}):
        raise InputError(f"{path}: a table in JSON is a list of objects, one an image")
    names = list(rows[0]) if kinds == {dict} else list(range(len(rows[0])))
    for number, row in enumerate(rows):
        if set(row) != set(names) if kinds == {dict} else len(row) != len(names):
            raise InputError(
                f"{path}, row {number}: it does not have what the first row has, "
                f"{shown(map(str, names))}"
            )
    cells = [[row[name] for name in names] for row in rows]
    frame = pd.DataFrame(index=range(len(rows)))
    for place, name in enumerate(names):
        column = np.empty(len(rows), dtype=object)
        column[:] = [_cell(row[place]) for row in cells]
        frame[name] = column
    return frame


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return value
    return "" if value is None else str(value)


def expanded(
    frame: pd.DataFrame, path: Path, stated: Mapping[str, frozenset[str]] | None = None
) -> Table:
    """Lists and objects in cells become columns of their own.

    Raises:
        InputError: They are not alike in all rows.
    """
    named = not all(isinstance(name, int) for name in frame.columns)
    columns: dict[str, Any] = {}
    for name in frame.columns:
        cells = frame[name]
        first = cells.iloc[0] if len(cells) else None
        if not isinstance(first, list | dict | np.ndarray):
            columns[str(name)] = cells
            continue
        keys = _keys(first)
        for row, cell in enumerate(cells):
            if not isinstance(cell, type(first)) or set(_keys(cell)) != set(keys):
                raise InputError(
                    f"{path}, row {row}: {name} is not what it is in the first row, "
                    f"{len(keys)} numbers"
                )
        for key in keys:
            if str(key) in columns:
                raise InputError(f"{path}: two columns would be called {key}")
            columns[str(key)] = [_cell(cell[key]) for cell in cells]
    return Table(
        path=path, frame=pd.DataFrame(columns), named=named, stated=stated or {}
    )


def _keys(cell: Any) -> list[Any]:
    return list(cell) if isinstance(cell, dict) else list(range(len(cell)))
