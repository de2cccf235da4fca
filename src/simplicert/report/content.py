"""Runs → plain data for the page's script: lists, numbers and strings, no HTML."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import simplicert.mechanisms
from simplicert.analysis import certified_accuracy, curve_radii
from simplicert.certificates import Certificates
from simplicert.plots.style import mechanism_styles
from simplicert.report.run import ReportRun
from simplicert.report.thumbnails import sprite_sheet
from simplicert.simplex import boundaries, simplex_grid

__all__ = ["page_data", "shown_rows"]

BOUNDARY_RESOLUTION = 60


def page_data(runs: Sequence[ReportRun], *, most_images: int) -> dict[str, Any]:
    """Everything the script draws from.

    Of a run with more than ``most_images`` images only ``shown_rows`` are listed;
    ``curves`` is of all of them.
    """
    sprites: list[str] = []
    names = dict.fromkeys(m for r in runs for c in r.certificates for m in c.radii)
    return {
        "styles": {
            name: {"color": style["color"], "dash": _dash(style["linestyle"])}
            for name, style in mechanism_styles(names).items()
        },
        "boundaries": {
            framework: _boundaries(members)
            for framework, members in {
                c.framework: c.members for r in runs for c in r.certificates
            }.items()
        },
        "runs": [_run(run, most_images, sprites) for run in runs],
        "sprites": sprites,
    }


def shown_rows(certificates: Certificates, most: int) -> np.ndarray:
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


def _run(run: ReportRun, most: int, sprites: list[str]) -> dict[str, Any]:
    rows = np.unique(np.concatenate([shown_rows(c, most) for c in run.certificates]))
    first = run.certificates[0]
    return {
        "name": run.name,
        "data": run.facts.get("data digest", run.name),
        "images": len(first),
        "classNames": [str(name) for name in run.class_names or range(first.classes)],
        "thumbnails": _thumbnails(run, first.indices[rows], sprites),
        "views": [_view(certificates, rows) for certificates in run.certificates],
    }


def _thumbnails(
    run: ReportRun, indices: np.ndarray, sprites: list[str]
) -> dict[str, int] | None:
    if run.pictures is None:
        return None
    sheet, columns = sprite_sheet(run.pictures(indices))
    if sheet not in sprites:  # several runs of the same images share one
        sprites.append(sheet)
    return {"sheet": sprites.index(sheet), "columns": columns, "count": len(indices)}


def _view(certificates: Certificates, rows: np.ndarray) -> dict[str, Any]:
    """Columns as in ``Certificates.table()``; numbers keep every digit."""
    labels = certificates.labels
    columns = {
        name: getattr(certificates, name)[rows].tolist()
        for name in ("top", "runner_up", "draws", "e0", "e1", "e0_lower", "e1_upper")
    }
    return {
        "framework": certificates.framework,
        "mechanism": certificates.mechanism,
        "procedure": certificates.procedure,
        "members": list(certificates.members),
        "alpha": certificates.alpha,
        "sigma": certificates.sigma,
        "image": certificates.indices[rows].tolist(),
        "label": None if labels is None else labels[rows].tolist(),
        **columns,
        "radii": {name: r[rows].tolist() for name, r in certificates.radii.items()},
        "largest": certificates.largest[rows].tolist(),
        "curves": _curves(certificates),
    }


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


def _boundaries(members: Sequence[str]) -> list[dict[str, Any]]:
    functions = [getattr(simplicert.mechanisms, name) for name in members]
    grid = simplex_grid(functions, resolution=BOUNDARY_RESOLUTION)
    return [
        {
            "name": f"{curve.first} | {curve.second}",
            "e0": curve.e0.round(5).tolist(),
            "e1": curve.e1.round(5).tolist(),
        }
        for curve in boundaries(grid)
    ]


def _dash(linestyle: Any) -> str:
    """Matplotlib's dashes, in line widths, as Plotly's, in pixels."""
    if linestyle == "solid":
        return "solid"
    return ",".join(f"{2 * length:g}px" for length in linestyle[1])
