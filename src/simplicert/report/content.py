"""Runs → plain data for the page's script: lists, numbers and strings, no HTML."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from simplicert.analysis import certified_accuracy, curve_radii
from simplicert.analysis.accuracy import Distances
from simplicert.certificates.record import Certificates
from simplicert.figures.style import mechanism_styles
from simplicert.mechanisms import BUILT_IN
from simplicert.report.run import ReportRun
from simplicert.simplex import boundaries, simplex_grid
from simplicert.units import Unit

__all__ = ["page_data", "shown_rows"]

REGION_RESOLUTION = 60
"""Points a side of the grid that finds the regions: smooth on a screen, in 0.1 s."""


def page_data(
    runs: Sequence[ReportRun], *, most_images: int, radii: Distances = ()
) -> dict[str, Any]:
    """Everything the script draws from.

    Of a run with more than ``most_images`` images only ``shown_rows`` are listed;
    ``curves`` is of all of them. Confidences are within each of ``radii``.
    """
    sprites: list[str] = []
    portraits: list[dict[str, Any]] = []
    names = dict.fromkeys(m for r in runs for c in r.certificates for m in c.radii)
    styles = mechanism_styles(names)
    return {
        "runs": [_run(run, most_images, sprites, portraits, radii) for run in runs],
        "sprites": sprites,
        "portraits": portraits,
        "styles": {
            name: {"color": style["color"], "dash": _dash(style["linestyle"])}
            for name, style in styles.items()
        },
    }


def shown_rows(certificates: Certificates, most: int) -> Int[np.ndarray, " rows"]:
    """Rows to list: all, or an even choice and each mechanism's extremes.

    The extremes are the smallest and largest radius of a right class and the largest
    of a wrong one, so that what the page calls the least robust is that of all images.
    """
    count = len(certificates)
    if count <= most:
        return np.arange(count)
    rows = set(np.linspace(0, count - 1, most).round().astype(int).tolist())
    labels = certificates.labels
    right = np.ones(count, bool) if labels is None else certificates.top == labels
    for radius in certificates.radii.values():
        good = np.flatnonzero(right & (radius > 0))
        bad = np.flatnonzero(~right & (radius > 0))
        if good.size:
            rows |= {int(good[radius[good].argmin()]), int(good[radius[good].argmax()])}
        if bad.size:
            rows.add(int(bad[radius[bad].argmax()]))
    return np.array(sorted(rows))


def _run(
    run: ReportRun,
    most: int,
    sprites: list[str],
    portraits: list[dict[str, Any]],
    radii: Distances,
) -> dict[str, Any]:
    rows = np.unique(np.concatenate([shown_rows(c, most) for c in run.certificates]))
    first = run.certificates[0]
    return {
        "name": run.name,
        "data": _data_identity(run),
        "images": len(first),
        "classNames": list(run.class_names) if run.class_names else None,
        "inputs": first.inputs,
        "portraits": _portraits(run, first.indices[rows], sprites, portraits),
        "views": [_view(each, rows, radii) for each in run.certificates],
    }


def _data_identity(run: ReportRun) -> str:
    """Equal where image numbers mean the same images."""
    if "data digest" in run.facts:
        return run.facts["data digest"]
    first = run.certificates[0]
    parts = [first.indices] if first.labels is None else [first.indices, first.labels]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def _portraits(
    run: ReportRun,
    indices: Int[np.ndarray, " rows"],
    sprites: list[str],
    portraits: list[dict[str, Any]],
) -> list[int]:
    """What is shown of the inputs, as places in ``portraits``: runs may share one."""
    places = []
    for each in run.portraits:
        shown = each.show(indices)
        if "sheet" in shown:
            if shown["sheet"] not in sprites:
                sprites.append(shown["sheet"])
            shown["sheet"] = sprites.index(shown["sheet"])
        if shown not in portraits:
            portraits.append(shown)
        places.append(portraits.index(shown))
    return places


def _view(
    certificates: Certificates, rows: Int[np.ndarray, " rows"], radii: Distances
) -> dict[str, Any]:
    """Columns as in ``Certificates.table()``; numbers keep every digit."""
    labels = certificates.labels
    columns = {
        name: _list(getattr(certificates, name)[rows])
        for name in ("top", "runner_up", "draws", "e0", "e1", "e0_lower", "e1_upper")
    }
    return {
        "framework": certificates.label,
        "norm": certificates.norm,
        "radius_name": certificates.in_words("radius"),
        "unit": _unit(certificates.unit),
        "facts": certificates.facts,
        "mechanism": certificates.mechanism,
        "members": list(certificates.members),
        "image": certificates.indices[rows].tolist(),
        "label": None if labels is None else labels[rows].tolist(),
        **columns,
        "looks": _looks(certificates, rows),
        "too_close": _marked(certificates.refused, rows),
        "radii": _columns(certificates.radii, rows),
        "largest": certificates.largest[rows].tolist(),
        "confidence": _confidence(certificates, rows, radii),
        "decisions": _columns(certificates.outcome, rows),
        "curves": _curves(certificates),
        "regions": _regions(certificates.members),
    }


def _unit(unit: Unit | None) -> dict[str, Any] | None:
    """As it is stored: equal where radii are distances of one kind."""
    return None if unit is None else asdict(unit)


def _looks(
    certificates: Certificates, rows: Int[np.ndarray, " rows"]
) -> dict[str, list[Any]]:
    """The columns that ``Certificates.table`` has of several looks."""
    share = certificates.share_of_alpha
    if share is None:
        return {}
    return _columns({"look": certificates.look, "share_of_alpha": share}, rows)


def _confidence(
    certificates: Certificates, rows: Int[np.ndarray, " rows"], radii: Distances
) -> list[dict[str, Any]]:
    """Within each radius, of each row; nothing where no margin is bounded."""
    if certificates.votes is None or not len(radii):
        return []
    listed = certificates[rows].with_confidence(radii)
    return [
        {"radius": radius, "least": least.tolist()}
        for radius, least in listed.confidences.items()
    ]


def _columns(
    columns: Mapping[str, np.ndarray], rows: Int[np.ndarray, " rows"]
) -> dict[str, list[Any]]:
    return {name: values[rows].tolist() for name, values in columns.items()}


def _list(column: np.ndarray) -> list[Any]:
    """JSON has no NaN; imported logs have estimates that nobody knows."""
    return [None if math.isnan(value) else value for value in column.tolist()]


def _marked(
    mask: Bool[np.ndarray, " images"] | None, rows: Int[np.ndarray, " rows"]
) -> list[int]:
    """Positions among the rows; they are few."""
    return [] if mask is None else np.flatnonzero(mask[rows]).tolist()


def _curves(certificates: Certificates) -> dict[str, Any]:
    radii = curve_radii(certificates)
    table = certified_accuracy(certificates, radii)
    shares = {
        str(name): {
            column: part[column].round(6).tolist()
            for column in ("share", "share_lower", "share_upper")
        }
        for name, part in table.groupby("mechanism")
    }
    return {"radius": radii.tolist(), "shares": shares}


@cache
def _regions(members: tuple[str, ...]) -> dict[str, Any]:
    """Where on the simplex each ensemble member wins: the curves between, and names."""
    known = [BUILT_IN[member] for member in members if member in BUILT_IN]
    if len(known) < 2:
        return {"curves": [], "names": []}
    grid = simplex_grid(known, resolution=REGION_RESOLUTION)
    return {
        "curves": [
            {"e0": curve.e0.round(5).tolist(), "e1": curve.e1.round(5).tolist()}
            for curve in boundaries(grid)
        ],
        "names": [
            {"name": name, "e0": e0, "e1": e1}
            for name, (e0, e1, _) in grid.region_centres().items()
            if name in members
        ],
    }


def _dash(linestyle: Any) -> str:
    """Matplotlib's dashes, in line widths, as Plotly's, in pixels."""
    if linestyle == "solid":
        return "solid"
    return ",".join(f"{2 * length:g}px" for length in linestyle[1])
