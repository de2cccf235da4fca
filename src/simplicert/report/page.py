"""The page itself: data and package files → one HTML string."""

import base64
import hashlib
import os
import shlex
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from simplicert import __version__
from simplicert.analysis import false_certificates, table1
from simplicert.certificates import Certificates
from simplicert.errors import InputError
from simplicert.report.content import page_data
from simplicert.report.run import ReportRun
from simplicert.rounding import round_down

__all__ = ["MOST_IMAGES", "render_report", "write_report"]

MOST_IMAGES = 2000
"""Images of a run that the page lists; more would make it slow to open."""

SCRIPTS = ("numbers", "view", "plots", "detail", "table", "main")

FAILURE = 0.001
"""Probability with which the promise about a whole run may be wrong."""


def render_report(
    runs: Sequence[ReportRun],
    *,
    title: str | None = None,
    most_images: int = MOST_IMAGES,
) -> str:
    """One self-contained HTML page about one or more runs.

    It needs no network: scripts, styles, data and pictures are inside, and its content
    security policy forbids the browser to fetch or to run anything else.

    Args:
        runs: What to show, in this order; the first is open.
        title: Heading; names the runs by default.
        most_images: How many images of a run the page lists. Of a larger run it lists
            an even choice and the extremes, and says so; its tables are of all images.

    Raises:
        InputError: No runs, ``most_images`` below 1, or no ``report`` extra.
    """
    if not runs:
        raise InputError("there are no runs to report on")
    if most_images < 1:
        raise InputError(f"most_images must be at least 1, got {most_images!r}")
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 (an extra)
        from markupsafe import Markup  # noqa: PLC0415 (comes with jinja2)
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise InputError(
            f"the report page needs {error.name}, which is not installed: "
            "pip install 'simplicert[report]'"
        ) from error
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {
        "allow_nan": False,  # JSON.parse refuses NaN
        "separators": (",", ":"),
    }
    data = page_data(runs, most_images=most_images)
    scripts = [get_plotlyjs(), *(_asset(f"{name}.js") for name in SCRIPTS)]
    return environment.from_string(_asset("report.html.jinja")).render(
        title=title or f"Certified robustness: {', '.join(run.name for run in runs)}",
        policy=_policy(scripts),
        css=Markup(_asset("report.css") + _sheets(data.pop("sprites"))),
        scripts=[Markup(script) for script in scripts],
        data=data,
        runs=runs,
        facts=_facts(runs),
        overview=_overview(runs),
        table1=_table1(runs),
        commands=_commands(runs),
        version=__version__,
    )


def write_report(html: str, path: Path | str) -> Path:
    """Write the page so that ``path`` always holds a whole page; return the path."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory: name a file, such as report.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(html)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _asset(name: str) -> str:
    return (files("simplicert.report") / "assets" / name).read_text("utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """Only these scripts run and nothing is fetched: even unescaped HTML is inert."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _sheets(sprites: Sequence[str]) -> str:
    return "".join(
        f'\n.sheet-{i} {{ background-image: url("{sheet}"); }}'
        for i, sheet in enumerate(sprites)
    )


def _overview(runs: Sequence[ReportRun]) -> dict[str, str]:
    every = [c for run in runs for c in run.certificates]
    alpha = _same(f"{c.alpha:g}" for c in every)
    images = max(len(c) for c in every)
    worst = max(c.alpha for c in every)
    false = false_certificates(images, alpha=worst, failure=FAILURE)
    promise = (
        f"Of {images:,} such certificates some may be false: with probability "
        f"{1 - FAILURE:.1%}, at most {false:,} of them."
    )
    sigmas = _same(f"{c.sigma:g}" for c in every)
    draws = _same(_draws(c) for c in every)
    facts = [run.facts for run in runs]
    data = _same(f.get("data", "") for f in facts)
    model = _same(f.get("model", "") for f in facts)
    claim = (
        f"{_same(f'{len(c):,}' for c in every)} image{'s' if images > 1 else ''}"
        + (f" of {data}" if data else "")
        + (f", classified by {model}" if model else "")
        + f" under Gaussian noise of sigma = {sigmas}: {draws} noisy draws an image, "
        f"alpha = {alpha}."
    )
    return {"claim": claim, "alpha": alpha, "table_promise": promise}


def _same(values: Any) -> str:
    """The values, each once."""
    return ", ".join(dict.fromkeys(values))


def _draws(certificates: Certificates) -> str:
    low, high = certificates.draws.min(), certificates.draws.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _facts(runs: Sequence[ReportRun]) -> list[tuple[str, list[str]]]:
    """Rows of the table of runs: a name, and a text for each run."""
    columns = []
    for run in runs:
        first = run.certificates[0]
        columns.append(
            {
                "sigma": f"{first.sigma:g}",
                "images": f"{len(first):,}",
                "labels": "none: no accuracy" if first.labels is None else "known",
                "classes": f"{first.classes:,}",
                "draws an image": _draws(first),
                "alpha an image": _same(f"{c.alpha:g}" for c in run.certificates),
                "framework": _same(c.framework for c in run.certificates),
                "procedure": _same(c.procedure for c in run.certificates),
                "abstains": _same(
                    f"{(c.radius == 0).sum():,} ({c.framework}, {c.mechanism})"
                    for c in run.certificates
                ),
                "votes digest": run.digest,
                **run.facts,
            }
        )
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, [column.get(name, "–") for column in columns]) for name in names]


def _table1(runs: Sequence[ReportRun]) -> list[dict[str, Any]]:
    return [
        {
            "view": f"{i}-{j}",
            "title": f"{run.name}: {certificates.framework}, "
            f"sigma = {certificates.sigma:g}, alpha = {certificates.alpha:g}, "
            f"n = {_draws(certificates)}, {len(certificates):,} images, "
            f"votes {run.digest[:12]}",
            "rows": [
                {
                    "mechanism": row.mechanism,
                    "cells": [
                        _percent(row.top1),
                        f"{round_down(row.median_radius, 4):.4f}",
                        _percent(row.largest),
                        _percent(row.above),
                    ],
                }
                for row in table1(certificates)
                .rename(columns={"above_0.05": "above"})
                .itertuples()
            ],
        }
        for i, run in enumerate(runs)
        for j, certificates in enumerate(run.certificates)
    ]


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{round_down(100 * share, 1):.1f} %"


def _commands(runs: Sequence[ReportRun]) -> list[str]:
    names = [run.facts.get("run", run.name) for run in runs]
    quoted = [shlex.quote(name) for name in names]
    alpha = runs[0].certificates[0].alpha
    return [
        *(f"simplicert certify {name} --alpha {alpha:g}" for name in quoted),
        f"simplicert report {' '.join(quoted)} --alpha 0.01 -o report.html",
    ]
