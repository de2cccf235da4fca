"""The paper's tables, and what goes with them, as files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from jaxtyping import Float

from simplicert import analysis
from simplicert.analysis.accuracy import Distances, checked_radii
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.figures import View, draws, stops, times

__all__ = ["TABLES", "write_tables"]


Radii = Float[np.ndarray, " points"]


def _table2(view: View, _: Radii) -> pd.DataFrame | None:
    if not analysis.has_baseline(view.certificates):
        return None
    return analysis.table2(view.certificates)


def _guarantee(view: View, radii: Radii) -> pd.DataFrame | None:
    if view.certificates.labels is None:
        return None
    return analysis.dataset_guarantee(view.certificates, radii)


TABLES: Mapping[str, Callable[[View, Radii], pd.DataFrame | None]] = MappingProxyType(
    {
        "table1": lambda view, _: analysis.table1(view.certificates),
        "table2": _table2,
        "accuracy": lambda view, radii: analysis.accuracy_at(view.certificates, radii),
        "abstentions": lambda view, _: analysis.abstentions(view.certificates),
        "regions": lambda view, _: analysis.region_shares(view.certificates),
        "per-class": lambda view, _: analysis.per_class(view.certificates),
        "guarantee": _guarantee,
        "draws": lambda view, _: draws.table(view),
        "times": lambda view, _: times.table(view),
        "looks": lambda view, _: stops.table(view),
    }
)
"""By file name, what each is of a view, at radii that all views share; ``None`` where
there is no evidence for it."""


def write_tables(
    views: Sequence[View], directory: Path | str, *, radii: Distances | None = None
) -> list[Path]:
    """Write every one of ``TABLES``, of all views; return the paths.

    ``table1``, ``table2`` (of runs with a cohen column), ``accuracy``, ``abstentions``,
    ``regions``, ``per-class`` and, with labels, ``guarantee`` (the dataset-level
    bounds); ``draws`` and ``times``, behind Figure 6, of runs that have votes;
    ``looks``, of runs that stopped their images. Each has a column ``run`` and the
    facts of its certificates, and is written in every format of ``write_table``.

    Args:
        views: What to write tables of.
        directory: Where to.
        radii: At which ``accuracy`` and ``guarantee`` are; by default ``usual_radii``.
    """
    every = [view.certificates for view in views]
    at = analysis.usual_radii(*every) if radii is None else checked_radii(radii)
    written = []
    for title, maker in TABLES.items():
        found = []
        for view in views:
            table = maker(view, np.unique(at))
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
