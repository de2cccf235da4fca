"""``simplicert report``: runs → one HTML page, and the paper's figures and tables."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.analysis import against_draws, certificates_by_draws, times
from simplicert.certificates import Framework
from simplicert.certification import DEFAULT_MECHANISM
from simplicert.data import load_dataset
from simplicert.plots.paper import write_figures, write_tables
from simplicert.plots.style import FigureFormat
from simplicert.report import load_runs, render_report, write_report
from simplicert.votes.imports import is_reported_log


def report_command(
    runs: list[Path],
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    alpha: float | None = None,
    framework: Framework | None = None,
    mechanism: str = DEFAULT_MECHANISM,
    partial: Annotated[bool, Parameter(negative=())] = False,
    data: str | None = None,
    split: str = "test",
    figures: Path | None = None,
    form: FigureFormat = "png",
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
        mechanism: The mechanism that the page opens with.
        partial: Report on the finished images of unfinished runs.
        data: The dataset that was sampled, to show its pictures.
        split: The part of it that was sampled.
        figures: Write the paper's figures into this directory too.
        form: Of the figures: png, svg or pdf.
        tables: Write the paper's tables into this directory too.
    """
    loaded = load_runs(
        runs,
        alpha=alpha,
        framework=framework,
        mechanism=mechanism,
        partial=partial,
        dataset=None if data is None else load_dataset(data, split=split),
    )
    every = {f"{r.name}-{c.framework}": c for r in loaded for c in r.certificates}
    print(f"page: {write_report(render_report(loaded), out)}")
    if figures is None and tables is None:
        return
    by_draws = {
        f"{run.name}-{c.framework}": certificates_by_draws(
            path, alpha=c.alpha, framework=c.framework
        )
        for run, path in zip(loaded, runs, strict=True)
        if not (partial or is_reported_log(path))
        for c in run.certificates
    }
    reached = {name: against_draws(several) for name, several in by_draws.items()}
    taken = {name: times(several) for name, several in by_draws.items()}
    if figures is not None:
        written = write_figures(
            every, figures, against_draws=reached, times=taken, form=form
        )
        print(f"figures: {len(written)} in {figures}")
    if tables is not None:
        written = write_tables(every, tables, against_draws=reached, times=taken)
        print(f"tables: {len(written)} in {tables}")
