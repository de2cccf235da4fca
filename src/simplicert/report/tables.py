"""The paper's tables, and what goes with them, as files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from simplicert import analysis
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.figures import View, draws, times

__all__ = ["TABLES", "write_tables"]


def _table2(view: View) -> pd.DataFrame | None:
    if not analysis.has_baseline(view.certificates):
        return None
    return analysis.table2(view.certificates)


def _guarantee(view: View) -> pd.DataFrame | None:
    certificates = view.certificates
    if certificates.labels is None:
        return None
    steps = certificates.sigma * np.arange(0.0, 4.25, 0.25)
    return analysis.dataset_guarantee(certificates, steps)


TABLES: Mapping[str, Callable[[View], pd.DataFrame | None]] = MappingProxyType(
    {
        "table1": lambda view: analysis.table1(view.certificates),
        "table2": _table2,
        "abstentions": lambda view: analysis.abstentions(view.certificates),
        "regions": lambda view: analysis.region_shares(view.certificates),
        "per-class": lambda view: analysis.per_class(view.certificates),
        "guarantee": _guarantee,
        "draws": draws.table,
        "times": times.table,
    }
)
"""By file name, what each is of a view; ``None`` where there is no evidence for it."""


def write_tables(views: Sequence[View], directory: Path | str) -> list[Path]:
    """Write every one of ``TABLES``, of all views; return the paths.

    ``table1``, ``table2`` (of runs with a cohen column), ``abstentions``, ``regions``,
    ``per-class`` and, with labels, ``guarantee`` (the dataset-level bounds at multiples
    of sigma / 4); ``draws`` and ``times``, behind Figure 6, of runs that have votes.
    Each has a column ``run`` and the facts of its certificates, and is written in every
    format of ``write_table``.
    """
    written = []
    for title, maker in TABLES.items():
        found = []
        for view in views:
            table = maker(view)
            if table is not None and len(table):
                facts = view.certificates.facts
                added = {key: value for key, value in facts.items() if key not in table}
                whole = table.assign(run=view.stem, **added)
                found.append(whole[["run", *table.columns, *added]])
        if found:
            whole = pd.concat(found, ignore_index=True)
            written += [
                analysis.write_table(whole, Path(directory) / f"{title}{suffix}")
                for suffix in TABLE_SUFFIXES
            ]
    return written
