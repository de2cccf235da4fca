"""The page itself: data and package files → one HTML string."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # has none

from simplicert import __version__
from simplicert.analysis import usual_radii
from simplicert.analysis.accuracy import Distances, checked_radii
from simplicert.errors import InputError
from simplicert.files import check_result, write_whole
from simplicert.report.beside import beside_sections
from simplicert.report.content import page_data
from simplicert.report.overview import (
    conditions,
    fact_rows,
    origins,
    overview,
    table_groups,
)
from simplicert.report.run import ReportRun
from simplicert.report.spent import spent_by
from simplicert.report.units import reach_tables

__all__ = ["MOST_IMAGES", "render_report", "write_report"]

MOST_IMAGES = 2000
"""Images of a run that the page lists; more would make it slow to open."""

SCRIPTS = (
    *("numbers", "view", "portraits", "plots", "beside", "detail", "table", "main"),
)


def render_report(
    runs: Sequence[ReportRun],
    *,
    title: str | None = None,
    most_images: int = MOST_IMAGES,
    radii: Distances | None = None,
) -> str:
    """One self-contained HTML page about one or more runs.

    It needs no network: scripts, styles, data and pictures are inside, and its content
    security policy forbids the browser to fetch or to run anything else.

    Args:
        runs: What to show, in this order; the first is open.
        title: Heading; names the runs by default.
        most_images: How many images of a run the page lists. Of a larger run it lists
            an even choice and the extremes, and says so; its tables are of all images.
        radii: At which to say the certified accuracy, and within which the confidence;
            by default ``usual_radii``.

    Raises:
        InputError: No runs, ``most_images`` below 1, or radii that are no distances.
    """
    if not runs:
        raise InputError("there are no runs to report on")
    if most_images < 1:
        raise InputError(f"most_images must be at least 1, got {most_images!r}")
    every = [certificates for run in runs for certificates in run.certificates]
    at = usual_radii(*every) if radii is None else np.unique(checked_radii(radii))
    environment = page_environment()
    sections = beside_sections(runs, at, most_images=most_images)
    data = page_data(runs, most_images=most_images, radii=at)
    data["beside"] = [section.plot for section in sections]
    scripts = [get_plotlyjs(), *(asset(f"{name}.js") for name in SCRIPTS)]
    return environment.from_string(asset("report.html.jinja")).render(
        title=title or f"Certified robustness: {', '.join(run.name for run in runs)}",
        policy=page_policy(scripts),
        css=Markup(asset("report.css") + _sheets(data.pop("sprites"))),
        scripts=[Markup(script) for script in scripts],
        data=data,
        run_names=[run.name for run in runs],
        facts=fact_rows([conditions(run) for run in runs]),
        origins=fact_rows([origins(run) for run in runs]),
        overview=overview(runs),
        groups=table_groups(runs, at),
        reach=reach_tables(runs),
        spent=spent_by(runs),
        beside=sections,
        radii=[np.format_float_positional(radius, trim="-") for radius in at],
        commands=[command for run in runs for command in run.commands],
        version=__version__,
    )


def page_environment() -> Environment:
    """Where templates become pages: everything is escaped, and nothing left out."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {
        "allow_nan": False,  # JSON.parse refuses NaN
        "separators": (",", ":"),
    }
    return environment


def check_page(path: Path | str) -> None:
    """Refuse what cannot be a page; before any work.

    Raises:
        InputError: It is a directory; or ``check_result``.
    """
    check_result(Path(path))
    if Path(path).is_dir():
        raise InputError(f"{path} is a directory: name a file, such as report.html")


def write_report(html: str, path: Path | str) -> Path:
    """Write the page so that ``path`` always holds a whole page; return the path.

    Raises:
        InputError: As ``check_page``.
        OSError: It cannot be written.
    """
    path = Path(path)
    check_page(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, html.encode())
    return path


def asset(name: str) -> str:
    """A file of the page's: its style, its template or a script."""
    return (files("simplicert.report") / "assets" / name).read_text("utf-8")


def page_policy(scripts: Sequence[str]) -> str:
    """Only these scripts run and nothing is fetched: even unescaped HTML is inert."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    hashes = hashes or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _sheets(sprites: Sequence[str]) -> str:
    return "".join(
        f'\n.sheet-{i} {{ background-image: url("{sheet}"); }}'
        for i, sheet in enumerate(sprites)
    )
