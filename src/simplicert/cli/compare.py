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
    table1,
    table2,
    write_table,
)
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.cli.output import heading, print_json
from simplicert.cli.printing import say
from simplicert.cli.types import Framework, MechanismName, ProcedureName
from simplicert.errors import InputError
from simplicert.files import check_suffix
from simplicert.interop import LogEvidence, open_evidence
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.mechanisms.protocol import Mechanism
from simplicert.paper import BASELINE


def compare_command(
    run: Path,
    other: Path | None = None,
    /,
    *,
    alpha: float | None = None,
    framework: Framework | None = None,
    procedure: ProcedureName | None = None,
    mechanism: MechanismName | None = None,
    baseline: str | None = None,
    partial: Annotated[bool, Parameter(negative=())] = False,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    as_: Annotated[TableFormat | None, Parameter(name="--as")] = None,
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
        framework: Hard votes (multinomial) or soft scores (softmax), by the paper's
            procedure of each. Default: multinomial.
        procedure: How the expectations are bounded, in place of a framework.
        mechanism: What two runs are compared by; with one run, one more to compare.
        baseline: What the mechanisms of one run are compared with. Default: cohen.
        partial: Compare the finished images of unfinished runs.
        out: Write the whole comparison: .csv, .parquet, .md, .tex or .txt.
        as_: How to print the tables. Default: text.
        json: Print everything as JSON.
    """
    if json and as_ is not None:
        raise InputError("give only one of --as and --json")
    if other is not None and baseline is not None:
        raise InputError("--baseline goes with one run; OTHER is compared with RUN")
    if out is not None:
        check_suffix(out, TABLE_SUFFIXES)
    evidence = [open_evidence(path, partial=partial) for path in (run, other) if path]
    found: str | Mechanism | None = mechanism
    if mechanism is not None and not any(isinstance(e, LogEvidence) for e in evidence):
        found = find_mechanism(mechanism)  # once, for both runs
    first, *second = certificates = [
        each.certify(
            alpha=alpha, framework=framework, procedure=procedure, mechanism=found
        )
        for each in evidence
    ]
    if second:
        whole = compare_runs(first, *second)
        tables = {"summary": comparison_summary(whole), "tests": paired_tests(whole)}
    else:
        whole = table2(first, baseline=baseline or BASELINE)
        tables = {"table2": whole}
        whole = whole.assign(**first.facts)
    if out is not None:
        write_table(whole, out)
    if json:
        facts = [each.facts for each in certificates]
        images = {} if other is None else {"images": whole}
        print_json({"facts": facts, **tables, **images})
    else:
        if as_ in (None, "text"):  # other formats are for other programs
            for path, each in zip((run, other), certificates, strict=False):
                line = heading(table1(each))
                say(line if other is None else f"{path}: {line}")
        width = get_terminal_size().columns if sys.stdout.isatty() else None
        shown = [format_table(t, as_ or "text", width=width) for t in tables.values()]
        say("\n".join(shown), end="")
