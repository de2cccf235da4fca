"""In which unit the page's sigma and radii are, in sentences and in a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simplicert.analysis.features import feature_reach
from simplicert.certificates.record import Certificates
from simplicert.noises import measured
from simplicert.report.run import ReportRun
from simplicert.rounding import round_down, significant
from simplicert.units import PIXELS

__all__ = ["ReachTable", "distance", "reach_tables", "units_said"]

MOST_FEATURES = 300
"""Rows of a table; ``simplicert certify --json`` has all."""

WITH_AXES = {"l1", "l2", "linf"}
"""Norms whose balls reach as far as the radius along each axis."""


@dataclass(frozen=True, kw_only=True)
class ReachTable:
    """What one of the unit, and the median radius, are in each feature's values.

    Attributes:
        title: The run.
        entry: What has a scale: a feature, or a channel of many values.
        unit: What one of is told.
        medians: A heading for each of its certificates.
        rows: A feature, what one is, and how far it may move within each median.
        more: Features that are left out.
    """

    title: str
    entry: str
    unit: str
    medians: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    more: int


def units_said(runs: Sequence[ReportRun]) -> list[str]:
    """On each unit but pixels, which go without saying; of which runs, if not all."""
    said: dict[str, list[str]] = {}
    for run in runs:
        said.setdefault(_said(run.certificates[0]), []).append(run.name)
    if len(said) == 1:
        return [text for text in said if text]
    return [f"{', '.join(names)}: {text}" for text, names in said.items() if text]


def _said(certificates: Certificates) -> str:
    unit = certificates.unit
    if unit is None or unit == PIXELS:
        return ""
    where = f"Sigma and radii are in {unit}"
    if not unit.is_converted:
        return f"{where}: the numbers that the classifier takes."
    if unit.entries == 1:
        return f"{where}. One is {unit.scales(1)[0]:.4g} of the classifier's values."
    entry = _entry(certificates)
    ball = "an ellipsoid" if certificates.norm == "l2" else "a stretched ball"
    return (
        f"{where}, each {entry}'s own. The distance of two inputs is the "
        f"{certificates.norm} norm of their differences, each divided by its {entry}'s "
        f"scale, which a table below has. So in the {entry}s' own values the inputs "
        f"within a radius fill {ball}, and the noise on each {entry} has the "
        "standard deviation sigma × its scale."
    )


def _entry(certificates: Certificates) -> str:
    """What an entry of an input's first axis is."""
    data = certificates.data
    return "feature" if data is None or len(data.shape) == 1 else "channel"


def distance(certificates: Certificates) -> str:
    """What a radius is, where ``units_said`` says the rest."""
    unit = certificates.unit
    if certificates.norm == "none" or unit is None or unit.entries == 1:
        return measured(certificates.norm, unit)
    return f"{certificates.norm} distance, in {unit.name}"


def reach_tables(runs: Sequence[ReportRun]) -> list[ReachTable]:
    """Of each run whose unit has a scale for every entry of an input."""
    return [
        _table(run)
        for run in runs
        for first in run.certificates[:1]
        if first.unit is not None and first.unit.entries > 1 and first.norm in WITH_AXES
    ]


def _table(run: ReportRun) -> ReachTable:
    tables = [feature_reach(certificates) for certificates in run.certificates]
    columns = [_texts(each["alone"].to_numpy()) for each in tables]
    ones = _texts(tables[0]["one_is"].to_numpy())
    names = [str(name) for name in tables[0]["feature"]]
    rows = [*zip(names, zip(ones, *columns, strict=True), strict=True)]
    return ReachTable(
        title=run.name,
        entry=_entry(run.certificates[0]),
        unit=str(run.certificates[0].unit.name),  # type: ignore[union-attr]
        medians=[
            f"{round_down(np.median(each.radius), 4):.4f} ({each.label})"
            for each in run.certificates
        ],
        rows=rows[:MOST_FEATURES],
        more=max(len(rows) - MOST_FEATURES, 0),
    )


def _texts(values: np.ndarray) -> list[str]:
    """Not rounded up."""
    return [np.format_float_positional(significant(each), trim="-") for each in values]
