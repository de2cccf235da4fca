"""``simplicert compare``: mechanisms within a run, or two runs image by image."""

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

from cyclopts import Parameter

from simplicert.analysis import (
    TableFormat,
    compare_runs,
    comparison_summary,
    format_table,
    paired_tests,
    table2,
    write_table,
)
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.certificates.record import Framework
from simplicert.cli.output import print_json
from simplicert.errors import InputError
from simplicert.files import check_suffix
from simplicert.interop import certify_any


def compare_command(
    run: Path,
    other: Path | None = None,
    /,
    *,
    alpha: float | None = None,
    framework: Framework = "multinomial",
    mechanism: str | None = None,
    baseline: str | None = None,
    partial: Annotated[bool, Parameter(negative=())] = False,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    format: TableFormat | None = None,  # noqa: A002 - the option's name
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Compare the mechanisms on one run, or two runs on the same images.

    One run gives the paper's Table 2: how much larger than the baseline's each radius
    is. Two runs give the images that gained and lost, and whether that is chance.

        simplicert compare runs/s0.25
        simplicert compare runs/plain runs/macer -o images.csv

    Args:
        run: A run directory or an imported log.
        other: Another one, of the same images.
        alpha: Failure probability of each image's certificate. Default: 0.001, or the
            log's own.
        framework: Hard votes (multinomial) or soft scores (softmax).
        mechanism: What two runs are compared by; with one run, one more to compare: a
            built-in one, or FILE.py:FUNCTION. Default: neyman_pearson, or the log's
            own.
        baseline: What the mechanisms of one run are compared with. Default: cohen.
        partial: Compare the finished images of unfinished runs.
        out: Write the whole comparison: .csv, .parquet, .md, .tex or .txt.
        format: How to print the tables. Default: text.
        json: Print everything as JSON.
    """
    if json and format is not None:
        raise InputError("give only one of --format and --json")
    if other is not None and baseline is not None:
        raise InputError("--baseline goes with one run; OTHER is compared with RUN")
    if out is not None:
        check_suffix(out, TABLE_SUFFIXES)
    first, *second = [
        certify_any(
            path,
            alpha=alpha,
            framework=framework,
            mechanism=mechanism,
            partial=partial,
        )
        for path in (run, other)
        if path is not None
    ]
    if second:
        whole = compare_runs(first, *second)
        tables = {"summary": comparison_summary(whole), "tests": paired_tests(whole)}
    else:
        whole = table2(first, baseline=baseline or "cohen")
        tables = {"table2": whole}
    if out is not None:
        write_table(whole, out)
    if json:
        print_json(tables if other is None else {**tables, "images": whole})
    else:
        width = get_terminal_size().columns if sys.stdout.isatty() else None
        shown = [
            format_table(t, format or "text", width=width) for t in tables.values()
        ]
        print("\n".join(shown), end="")
