"""``simplicert report``: runs → one HTML page, and the paper's figures and tables."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert import mechanisms
from simplicert.analysis import against_draws, certificates_by_draws, times
from simplicert.certificates.record import Framework
from simplicert.cli.types import Whole
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.figures.paper import write_figures, write_tables
from simplicert.figures.style import FigureFormat
from simplicert.interop import is_reported_log
from simplicert.report import load_runs, render_report, write_report


def report_command(
    runs: list[Path],
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    alpha: float | None = None,
    framework: Framework | None = None,
    mechanism: str | None = None,
    partial: Annotated[bool, Parameter(negative=())] = False,
    data: str | None = None,
    split: str | None = None,
    size: Whole | None = None,
    figures: Path | None = None,
    format: Annotated[  # noqa: A002 - the option's name
        tuple[FigureFormat, ...] | None, Parameter(negative=())
    ] = None,
    tables: Path | None = None,
) -> None:
    """Write one self-contained HTML page about one or more runs.

    Needs no model and no GPU, and the page no network: it opens from disk.

        simplicert report runs/s0.25 runs/s0.50 --data digits -o report.html

    Args:
        runs: Run directories or imported logs, in the order of the page.
        out: The page to write.
        alpha: Failure probability of each image's certificate. Default: 0.001, or what
            a log reports.
        framework: Certify in one framework only. Default: each that the votes allow.
        mechanism: The mechanism that the page opens with: a built-in one, or
            FILE.py:FUNCTION, then in figures and tables too. Default: neyman_pearson,
            or a log's own.
        partial: Report on the finished images of unfinished runs.
        data: The dataset that was sampled, to show its pictures.
        split: The part of it that was sampled. Default: test.
        size: The side to which its photographs were cut.
        figures: Write the paper's figures into this directory too.
        format: Figure formats. Several may be given. Default: png.
        tables: Write the paper's tables into this directory too.
    """
    if data is None and (split is not None or size is not None):
        raise InputError("--split and --size go with --data")
    if figures is None and format is not None:
        raise InputError("--format goes with --figures")
    dataset = None
    if data is not None:
        dataset = load_dataset(data, split=split or "test", size=size)
    loaded = load_runs(
        runs,
        alpha=alpha,
        framework=framework,
        mechanism=mechanism,
        partial=partial,
        dataset=dataset,
    )
    every = {f"{r.name}-{c.framework}": c for r in loaded for c in r.certificates}
    print(f"page: {write_report(render_report(loaded), out)}")
    if figures is None and tables is None:
        return
    reached, taken = {}, {}
    for run, path in zip(loaded, runs, strict=True):
        if partial or is_reported_log(path):
            continue
        for c in run.certificates:
            # Certificates know a mechanism of the user's own by its column only.
            built_in = c.mechanism in mechanisms.__all__
            opening = c.mechanism if built_in else mechanism or c.mechanism
            several = certificates_by_draws(
                path, alpha=c.alpha, framework=c.framework, mechanism=opening
            )
            name = f"{run.name}-{c.framework}"
            reached[name] = against_draws(several)
            taken[name] = times(several, mechanism=opening)
    if figures is not None:
        written = write_figures(
            every,
            figures,
            against_draws=reached,
            times=taken,
            formats=format or ("png",),
        )
        print(f"figures: {len(written)} in {figures}")
    if tables is not None:
        written = write_tables(every, tables, against_draws=reached, times=taken)
        print(f"tables: {len(written)} in {tables}")
