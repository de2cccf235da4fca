"""Shares of images with their intervals: how far other images might say otherwise."""

from collections.abc import Mapping
from math import sqrt

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.rounding import round_down

__all__ = [
    "cells",
    "difference",
    "heading",
    "interval",
    "percent",
    "reach",
    "span",
    "turned",
]

LEVEL = 0.95


def interval(count: int, total: int) -> tuple[float, float]:
    """Exact (Clopper-Pearson) two-sided 95 % interval of a proportion.

    Example:
        >>> [round(end, 4) for end in interval(81, 128)]
        [0.5431, 0.7162]
    """
    if not total:
        return 0.0, 1.0
    each = (1.0 - LEVEL) / 2.0
    hits = np.array([count])
    return (
        float(clopper_pearson_lower(hits, trials=total, alpha=each)[0]),
        float(clopper_pearson_upper(hits, trials=total, alpha=each)[0]),
    )


def difference(
    count: int, total: int, other: int, of: int
) -> tuple[float, float, float]:
    """``count / total - other / of`` and its 95 % interval, by Wilson's two intervals.

    Of independent images; where both are of the same images it is too wide.

    References:
        Newcombe 1998, Statistics in Medicine 17(8), method 10.
    """
    first, second = (
        binomtest(k, n).proportion_ci(LEVEL, method="wilson")
        for k, n in ((count, total), (other, of))
    )
    p, q = count / total, other / of
    low = sqrt((p - first.low) ** 2 + (second.high - q) ** 2)
    high = sqrt((first.high - p) ** 2 + (q - second.low) ** 2)
    return p - q, p - q - low, p - q + high


def percent(share: float, *, up: bool = False) -> str:
    """A share in per cent, rounded down, or up.

    Example:
        >>> percent(0.4329), percent(0.4329, up=True), percent(0.476)
        ('43.2', '43.3', '47.6')
    """
    scaled = float(f"{100.0 * share:.12g}")  # 0.476 is 47.6 %, not 47.599…
    if up:
        return f"{-float(round_down(-scaled, 1)):.1f}"
    return f"{float(round_down(scaled, 1)):.1f}"


def span(count: int, total: int) -> str:
    """The interval in words."""
    low, high = interval(count, total)
    return f"{percent(low)} to {percent(high, up=True)} %"


def reach(shares: Mapping[str, float], *, unit: str = "%") -> str:
    """From which to which share they go, and whose these are.

    Example:
        >>> reach({"a": 0.2, "b": 0.5, "c": 0.3})
        '20.0 % (a) to 50.0 % (b)'
    """
    order = sorted(shares, key=lambda name: shares[name])
    ends = dict.fromkeys([*order[:1], *order[-1:]])
    return " to ".join(f"{percent(shares[end])} {unit} ({end})" for end in ends)


def cells(table: pd.DataFrame) -> list[list[str]]:
    """A table's cells for people: columns whose name ends in ``%`` are shares."""
    names = [str(name) for name in table.columns]
    return [
        [_cell(name, value) for name, value in zip(names, row, strict=True)]
        for row in table.itertuples(index=False)
    ]


def heading(table: pd.DataFrame) -> list[tuple[str, bool]]:
    """Each column's name, and whether it holds numbers."""
    return [
        (str(name), bool(pd.api.types.is_numeric_dtype(table[name]))) for name in table
    ]


def turned(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column for each of its rows, as text for people."""
    names = [str(name) for name in table.columns]
    rows = zip(names[1:], *(row[1:] for row in cells(table)), strict=True)
    return pd.DataFrame(rows, columns=[names[0], *map(str, table.iloc[:, 0])])


def _cell(name: str, value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return "–" if np.isnan(value) else _number(name, float(value))
    return str(value)


def _number(name: str, value: float) -> str:
    if name.endswith("%"):
        return percent(value, up=name.endswith("upper %"))
    if name in {"sigma", "exact p"}:
        return f"{value:.2g}"
    return f"{float(round_down(value, 3)):.3f}"
