"""``simplicert certify``: stored votes in, certified radii out."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.analysis import table1
from simplicert.certificates.record import Framework
from simplicert.cli.output import print_json, print_table1
from simplicert.cli.types import Whole
from simplicert.files import check_suffix
from simplicert.interop import certify_any, write_certificates
from simplicert.interop.export import CERTIFICATE_SUFFIXES


def certify_command(
    run: Path,
    /,
    *,
    alpha: float | None = None,
    framework: Framework = "multinomial",
    mechanism: str | None = None,
    procedure: Literal["simultaneous", "two-stage"] | None = None,
    selection: Whole | None = None,
    partial: Annotated[bool, Parameter(negative=())] = False,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Turn a run's stored votes into certified radii. Needs no model and no GPU.

        simplicert certify runs/s0.50 --alpha 0.001 -o certificates.parquet

    Args:
        run: A run directory, or an imported log.
        alpha: Failure probability of each image's certificate. Default: 0.001, or the
            log's own.
        framework: Hard votes (multinomial) or soft scores (softmax).
        mechanism: What names the class: a built-in one, or FILE.py:FUNCTION. Default:
            neyman_pearson, or the log's own.
        procedure: All draws for both bounds (simultaneous), or Cohen's (two-stage):
            some draws choose the class, the others bound it. Default: simultaneous, or
            the log's own.
        selection: How many draws choose it; whole blocks. Default: one block.
        partial: Certify the finished images of an unfinished run.
        out: Write one row an image: .parquet, .csv, or .tsv in Cohen's layout.
        json: Print the summary and every row as JSON.
    """
    if out is not None:
        check_suffix(out, CERTIFICATE_SUFFIXES)
    certificates = certify_any(
        run,
        alpha=alpha,
        framework=framework,
        mechanism=mechanism,
        procedure=procedure,
        selection=selection,
        partial=partial,
    )
    if out is not None:
        write_certificates(certificates, out)
    if json:
        print_json({"summary": table1(certificates), "images": certificates.table()})
    else:
        print_table1(certificates)
