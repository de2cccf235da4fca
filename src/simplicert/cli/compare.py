"""``simplicert compare``: mechanisms of a run; two runs, or a verifier's results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from simplicert.analysis import (
    TableFormat,
    accuracy_at,
    compare_runs,
    comparison_summary,
    format_table,
    has_baseline,
    paired_tests,
    table2,
    usual_radii,
    write_table,
)
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.analysis.published import AS_PRINTED
from simplicert.certificates.record import Certificates
from simplicert.cli.beside import (
    VerifiedFile,
    VerifiedNetwork,
    VerifiedNorm,
    VerifiedUnit,
    print_beside,
    verified_given,
)
from simplicert.cli.output import heading, notes, print_json, stopping_tables, width
from simplicert.cli.printing import say
from simplicert.cli.types import Framework, Radii, a_mechanism, a_procedure
from simplicert.errors import InputError
from simplicert.files import check_suffix
from simplicert.interop import LogEvidence, open_evidence
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.mechanisms.protocol import Mechanism
from simplicert.paper import BASELINE
from simplicert.votes.chosen import draws_in_words


def compare_command(
    run: Path,
    other: Path | None = None,
    /,
    *,
    alpha: float | None = None,
    framework: Framework | None = None,
    procedure: Annotated[str | None, a_procedure()] = None,
    mechanism: Annotated[
        str | None,
        a_mechanism("What two runs are compared by; with one run, one more to compare"),
    ] = None,
    baseline: str | None = None,
    radii: Radii | None = None,
    partial: bool = False,
    asymptotic: bool = False,
    verified: VerifiedFile = None,
    verified_norm: VerifiedNorm = None,
    verified_unit: VerifiedUnit = None,
    verified_network: VerifiedNetwork = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    as_: Annotated[TableFormat | None, Parameter(name="--as")] = None,
    json: bool = False,
) -> None:
    """Compare mechanisms on one run, two runs, or a run with what a verifier proved.

    One run gives what each mechanism certifies and, where there are several, the
    paper's Table 2: how much larger than the baseline's each radius is. Two runs give
    the images that gained and lost, and whether that is chance. A run and a verifier's
    file give two certificates an image, side by side: they are of two classifiers.

        simplicert compare runs/s0.25
        simplicert compare runs/plain runs/macer -o images.csv
        simplicert compare runs/s0.25 --verified crown.csv --verified-norm linf

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
        radii: At which to say the certified accuracy.
        partial: Compare the finished images of unfinished runs.
        asymptotic: Let the procedure be one that is asymptotic, for comparison: what it
            gives are no certificates.
        verified: What a verifier proved of the base classifier.
        verified_norm: The norm of its balls.
        verified_unit: What its radii are in.
        verified_network: Whose they are.
        out: Write the whole comparison: .csv, .parquet, .md, .tex or .txt.
        as_: How to print the tables. Default: text.
        json: Print everything as JSON.
    """
    _check_options(other, baseline, verified, out=out, both=json and as_ is not None)
    proved = verified_given(
        verified, norm=verified_norm, unit=verified_unit, network=verified_network
    )
    evidence = [open_evidence(path, partial=partial) for path in (run, other) if path]
    found: str | Mechanism | None = mechanism
    if mechanism is not None and not any(isinstance(e, LogEvidence) for e in evidence):
        found = find_mechanism(mechanism)  # once, for both runs
    first, *_ = certificates = [
        each.certify(
            alpha=alpha,
            framework=framework,
            procedure=procedure,
            mechanism=found,
            asymptotic=asymptotic,
        )
        for each in evidence
    ]
    if proved is not None:
        print_beside(first, proved, radii=radii, out=out, as_=as_, json=json)
        return
    tables, whole = _compared(certificates, baseline=baseline)
    accuracy = _accuracy((run, other), certificates, radii)
    tables = {"accuracy": accuracy, **tables}
    if whole is None:
        whole = accuracy.assign(**first.facts)
    if out is not None:
        write_table(whole, out)
    if json:
        facts = [each.facts for each in certificates]
        images = {} if other is None else {"images": whole}
        stopped = [stopping_tables(each) for each in certificates]
        stopping = {"stopping": stopped} if any(stopped) else {}
        print_json({"facts": facts, **tables, **stopping, **images})
        return
    text = as_ in (None, "text")  # other formats are for other programs
    if text:
        for path, each in zip((run, other), certificates, strict=False):
            line = heading(each)
            say(line if other is None else f"{path}: {line}")
    printed = (tables if text else _marked(tables, first)).values()
    shown = [format_table(each, as_ or "text", width=width()) for each in printed]
    say("\n".join(shown), end="")
    if text:
        for remark in dict.fromkeys(n for each in certificates for n in notes(each)):
            say(f"note: {remark}")
        if other is not None and any(each.stops_early for each in certificates):
            say(f"note: {_unequal(certificates)}")


def _check_options(
    other: Path | None,
    baseline: str | None,
    verified: Path | None,
    *,
    out: Path | None,
    both: bool,
) -> None:
    """Refuse what does not go together, before anything is read."""
    if both:
        raise InputError("give only one of --as and --json")
    if other is not None and baseline is not None:
        raise InputError("--baseline goes with one run; OTHER is compared with RUN")
    if verified is not None and (other is not None or baseline is not None):
        raise InputError("--verified goes with one run, without OTHER and --baseline")
    if out is not None:
        check_suffix(out, TABLE_SUFFIXES)


def _marked(
    tables: dict[str, pd.DataFrame], certificates: Certificates
) -> dict[str, pd.DataFrame]:
    """Tables without a heading, which say themselves if they are no certificates'."""
    if not certificates.asymptotic:
        return tables
    return {name: table.assign(asymptotic=True) for name, table in tables.items()}


def _unequal(certificates: Sequence[Certificates]) -> str:
    """Two runs of which one stopped its images: nothing that spoils the comparison."""
    first, second = (draws_in_words(each.draws) for each in certificates)
    return (
        f"{first} an image in the first run and {second} in the second: each "
        "certificate holds at its own look's share of alpha, and the tests compare "
        "what was certified, not what it cost"
    )


def _compared(
    certificates: Sequence[Certificates], *, baseline: str | None
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None]:
    """Tables of the differences, and the whole; of one mechanism there are none."""
    first, *second = certificates
    if second:
        images = compare_runs(first, *second)
        summary, tests = comparison_summary(images), paired_tests(images)
        return {"summary": summary, "tests": tests}, images
    if baseline is None and not has_baseline(first):
        return {}, None
    table = table2(first, baseline=baseline or BASELINE)
    return {"table2": table}, table.assign(**first.facts)


def _accuracy(
    paths: Sequence[Path | None],
    certificates: Sequence[Certificates],
    radii: Sequence[float] | None,
) -> pd.DataFrame:
    """Of one run every mechanism's; of two each run's own, and what was printed."""
    at = usual_radii(*certificates) if radii is None else radii
    tables = [accuracy_at(each, at) for each in certificates]
    if len(tables) == 1:
        return tables[0]
    rows = []
    for path, each, table in zip(paths, certificates, tables, strict=True):
        own = table[table["mechanism"].isin([each.mechanism, AS_PRINTED])]
        rows.append(own.assign(run=str(path))[["run", *table.columns]])
    return pd.concat(rows, ignore_index=True)
