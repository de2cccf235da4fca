"""Runs → the page, the figures and the tables, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial as later
from pathlib import Path

from simplicert.analysis.accuracy import Distances
from simplicert.data.dataset import Dataset
from simplicert.figures import FIGURES, Figure, View
from simplicert.figures.style import FigureFormat
from simplicert.figures.write import write_figures
from simplicert.files import check_folder
from simplicert.interop import Verified
from simplicert.mechanisms.protocol import Mechanism
from simplicert.procedures import Procedure
from simplicert.report.load import load_runs
from simplicert.report.page import check_page, render_report, write_report
from simplicert.report.run import ReportRun
from simplicert.report.tables import write_tables

__all__ = ["Written", "views_of", "write"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        page: The page, if one was asked for.
        figures: Files of figures.
        tables: Files of tables.
    """

    page: Path | None
    figures: list[Path]
    tables: list[Path]


def write(
    runs: Sequence[Path | str],
    *,
    page: Path | str | None = None,
    figures: Path | str | None = None,
    tables: Path | str | None = None,
    alpha: float | None = None,
    framework: str | None = None,
    procedure: str | Procedure | None = None,
    mechanism: str | Mechanism | None = None,
    partial: bool = False,
    dataset: Dataset | None = None,
    only: Sequence[str | Figure] | None = None,
    formats: Sequence[FigureFormat] = ("png",),
    radii: Distances | None = None,
    asymptotic: bool = False,
    verified: Verified | None = None,
) -> Written:
    """Certify runs once, and write what is asked for about them.

    Args:
        runs: As for ``load_runs``, like ``alpha`` to ``dataset``.
        page: File to write the page to.
        figures: Directory to write the figures into.
        tables: Directory to write the tables into.
        alpha: Failure probability of each image on its own.
        framework: One framework only.
        procedure: One procedure only.
        mechanism: The one that the page opens with.
        partial: Leave unfinished images out, instead of refusing.
        dataset: The sampled inputs, to show them.
        only: Which figures, as ``FIGURES.find`` takes them. Default: the paper's.
        formats: Of the figures' files.
        radii: At which to say the certified accuracy; by default ``usual_radii``.
        asymptotic: As for ``load_runs``.
        verified: Likewise; only the page has it.

    Raises:
        InputError: As ``load_runs``, ``write_report`` and ``write_figures``; a file
            where a directory is to be.
    """
    folders = [Path(folder) for folder in (figures, tables) if folder is not None]
    if page is not None:
        check_page(page)
        folders.append(Path(page).parent)
    for folder in folders:
        check_folder(folder)
    chosen = None if only is None else [FIGURES.find(each) for each in only]
    loaded = load_runs(
        runs,
        alpha=alpha,
        framework=framework,
        procedure=procedure,
        mechanism=mechanism,
        partial=partial,
        dataset=dataset,
        asymptotic=asymptotic,
        verified=verified,
    )
    views = views_of(loaded)
    return Written(
        page=None
        if page is None
        else write_report(render_report(loaded, radii=radii), page),
        figures=[]
        if figures is None
        else write_figures(views, figures, figures=chosen, formats=formats),
        tables=[] if tables is None else write_tables(views, tables, radii=radii),
    )


def views_of(runs: Sequence[ReportRun]) -> list[View]:
    """What figures and tables may ask of these runs, one a run and procedure."""
    return [
        View(
            name=run.name,
            certificates=certificates,
            shorter=run.shorter and later(run.shorter, certificates),
            mechanism=run.mechanisms.get(certificates.procedure),
            evidence=run.evidence,
        )
        for run in runs
        for certificates in run.certificates
    ]
