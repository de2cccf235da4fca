"""``simplicert certify``: stored votes in, certified radii out."""

from functools import partial as partial_of
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.analysis import accuracy_at, table1
from simplicert.cli.output import (
    against_own,
    confidences_of,
    features_of,
    print_accuracy,
    print_confidence,
    print_features,
    print_json,
    print_table1,
    stopping_tables,
)
from simplicert.cli.printing import say
from simplicert.cli.types import (
    Framework,
    Radii,
    Whole,
    Within,
    a_mechanism,
    a_procedure,
)
from simplicert.files import check_suffix
from simplicert.interop import certify_path, write_certificates
from simplicert.interop.export import CERTIFICATE_SUFFIXES


def certify_command(
    run: Path,
    /,
    *,
    alpha: float | None = None,
    framework: Framework | None = None,
    procedure: Annotated[str | None, a_procedure()] = None,
    mechanism: Annotated[
        str | None, a_mechanism("The mechanism that names the class")
    ] = None,
    selection: Whole | None = None,
    radii: Radii | None = None,
    confidence: Within | None = None,
    partial: bool = False,
    rule: str | None = None,
    asymptotic: bool = False,
    neighbours: Path | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: bool = False,
) -> None:
    """Turn a run's stored votes into certified radii. Needs no model and no GPU.

    The votes stay as they are: certify them again at another alpha, or in another way.

        simplicert certify runs/s0.50 --alpha 0.001 -o certificates.parquet
        simplicert certify runs/s0.50 --radii 0.25,0.5,1

    Args:
        run: A run directory, or an imported log.
        alpha: Failure probability of each image's certificate. Default: 0.001, or the
            log's own.
        framework: Hard votes (multinomial) or soft scores (softmax), by the paper's
            procedure of each. Default: multinomial.
        procedure: How the expectations are bounded, in place of a framework.
        mechanism: What names the class.
        selection: How many draws only choose the class, whole blocks, where the
            procedure is two_stage or margins. Default: one block, or the pilot draws of
            a run with margins.
        radii: At which to say the certified accuracy.
        confidence: Within which to say how far the class leads on average, at least, of
            each image: the expected margin that is certified. For the procedure
            margins; each radius is at alpha by itself.
        partial: Certify the finished images of an unfinished run, and of one that stops
            its images each at the look that it has come to.
        rule: The rule that stopped the images, FILE.py:NAME, where that is your own:
            code is not run because a run names it. No certificate depends on it.
        asymptotic: Let the procedure be one that is asymptotic, for comparison: what it
            gives are no certificates.
        neighbours: A run of neighbours of the images (simplicert neighbours): alpha is
            shared by all certificates of an image, and its radius is what all of their
            balls prove. It seldom pays: docs/transitive.md.
        out: Write one row an image: .parquet, .csv, or .tsv in Cohen's layout.
        json: Print the summary and every row as JSON.
    """
    if out is not None:
        check_suffix(out, CERTIFICATE_SUFFIXES)
    certified = partial_of(
        certify_path,
        run,
        alpha=alpha,
        framework=framework,
        procedure=procedure,
        mechanism=mechanism,
        selection=selection,
        partial=partial,
        asymptotic=asymptotic,
    )
    certificates = certified(rule=rule, neighbours=neighbours)
    if confidence is not None:
        certificates = certificates.with_confidence(confidence)
    if out is not None:
        write_certificates(certificates, out)
    if json:
        print_json(
            {
                "summary": table1(certificates),
                "accuracy": accuracy_at(certificates, radii),
                **features_of(certificates),
                **confidences_of(certificates),
                **stopping_tables(certificates),
                "images": certificates.table(),
            }
        )
    else:
        print_table1(certificates)
        print_accuracy(certificates, radii)
        print_features(certificates)
        print_confidence(certificates)
        if neighbours is not None:
            say(against_own(certificates, certified()))
