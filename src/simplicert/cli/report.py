"""``simplicert report``: runs → one HTML page, and the paper's figures and tables."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.cli.beside import (
    VerifiedFile,
    VerifiedNetwork,
    VerifiedNorm,
    VerifiedUnit,
    verified_given,
)
from simplicert.cli.printing import say
from simplicert.cli.types import (
    Framework,
    Radii,
    Whole,
    a_mechanism,
    a_procedure,
    one_of,
)
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.figures import FIGURES
from simplicert.figures.style import FigureFormat
from simplicert.report import write
from simplicert.report.load import features_of_runs


def report_command(
    runs: list[Path],
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    alpha: float | None = None,
    framework: Framework | None = None,
    procedure: Annotated[str | None, a_procedure("the framework's")] = None,
    mechanism: Annotated[
        str | None, a_mechanism("The mechanism that page and figures begin with")
    ] = None,
    radii: Radii | None = None,
    partial: bool = False,
    asymptotic: bool = False,
    verified: VerifiedFile = None,
    verified_norm: VerifiedNorm = None,
    verified_unit: VerifiedUnit = None,
    verified_network: VerifiedNetwork = None,
    data: str | None = None,
    split: str | None = None,
    size: Whole | None = None,
    figures: Path | None = None,
    figure: Annotated[
        tuple[str, ...] | None,
        one_of(FIGURES.names, "Only these figures; repeatable", "all of them"),
    ] = None,
    format: tuple[FigureFormat, ...] | None = None,  # noqa: A002 - the option's name
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
        procedure: Bound the expectations by this procedure only.
        mechanism: The mechanism that the page opens with.
        radii: At which to say the certified accuracy.
        partial: Report on the finished images of unfinished runs.
        asymptotic: Let the procedure be one that is asymptotic, for comparison: what it
            gives are no certificates.
        verified: What a verifier proved of the base classifier, of one run.
        verified_norm: The norm of its balls.
        verified_unit: What its radii are in.
        verified_network: Whose they are.
        data: The dataset that was sampled, to show its inputs: pictures, features,
            waveforms or texts.
        split: The part of it that was sampled. Default: test.
        size: The side to which its photographs were cut, where the run does not say.
        figures: Write the paper's figures into this directory too.
        figure: Only these of them, or figures of your own.
        format: Formats of the figures. Several may be given. Default: png.
        tables: Write the paper's tables into this directory too.
    """
    if data is None and (split is not None or size is not None):
        raise InputError("--split and --size go with --data")
    if figures is None and (format is not None or figure is not None):
        raise InputError("--format and --figure go with --figures")
    if verified is not None and len(runs) > 1:
        raise InputError("--verified goes with one run: write a page for each network")
    proved = verified_given(
        verified, norm=verified_norm, unit=verified_unit, network=verified_network
    )
    dataset = None
    if data is not None:
        dataset = load_dataset(
            data,
            split=split or "test",
            size=size,
            known_features=features_of_runs(runs),
        )
    written = write(
        runs,
        page=out,
        figures=figures,
        tables=tables,
        alpha=alpha,
        framework=framework,
        procedure=procedure,
        mechanism=mechanism,
        radii=radii,
        partial=partial,
        asymptotic=asymptotic,
        verified=proved,
        dataset=dataset,
        only=figure,
        formats=format or ("png",),
    )
    say(f"page: {written.page}")
    if figures is not None:
        say(f"figures: {len(written.figures)} in {figures}")
    if tables is not None:
        say(f"tables: {len(written.tables)} in {tables}")
