"""``simplicert plan``: what a stopping rule would have saved on a finished run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.analysis import format_table
from simplicert.analysis.published import usual_radii
from simplicert.certificates import ALPHA
from simplicert.cli.output import print_json, warned
from simplicert.cli.printing import say
from simplicert.cli.rules import NO_RULE, Stopping
from simplicert.cli.types import a_mechanism, a_procedure
from simplicert.errors import InputError
from simplicert.interop import check_votes
from simplicert.stopping import RULES, looks_of, replay, spread
from simplicert.structured import whole_number
from simplicert.votes import RunDirectory


def plan_command(
    run: Path,
    /,
    *,
    stopping: Annotated[Stopping, Parameter(name="*")] = NO_RULE,
    looks: str | None = None,
    alpha: float = ALPHA,
    procedure: Annotated[str | None, a_procedure("clopper_pearson")] = None,
    mechanism: Annotated[
        str | None,
        a_mechanism("The mechanism that names the class", "the tight one"),
    ] = None,
    asymptotic: bool = False,
    json: bool = False,
) -> None:
    """Stop the images of a finished run after the fact: draws and what they lose.

    What it shows is no claim, since the looks are chosen when the votes are known.

        simplicert plan runs/s0.50 --until 0.25,0.5
        simplicert plan runs/s0.50 --budget 1e6 --looks 1000,3000,10000

    Args:
        run: A finished run directory.
        stopping: What stops an image. Default: the rule named.
        looks: The numbers of draws at which an image may stop, whole blocks of the run,
            with commas between. The last has 0.6 of alpha, the others share the rest.
            Default: the run's own, or those of a run that stops its images, as near as
            whole blocks allow.
        alpha: Failure probability of each image's certificate.
        procedure: How the expectations are bounded.
        mechanism: What names the class.
        asymptotic: Let the procedure be one that is asymptotic, for comparison: what it
            gives are no certificates.
        json: Print the tables as JSON.
    """
    check_votes(run)
    how = {"mechanism": mechanism, "procedure": procedure}
    said = stopping.find(**how, asymptotic=asymptotic)
    asked = RULES.find("named") if said is None else said
    store = RunDirectory(run)
    at = looks_of(store) if looks is None else spread(_numbers(looks))
    found = replay(store, asked, looks=at, alpha=alpha, asymptotic=asymptotic, **how)
    radii = stopping.until or usual_radii(found.fixed)
    tables = {
        "plan": found.summary(),
        "radii": found.shares(radii),
        "looks": found.stops(),
    }
    remarks = warned(found.fixed)
    if json:
        print_json(tables | ({"notes": remarks} if remarks else {}))
        return
    say(format_table(tables["plan"]))
    say(f"share certified at {found.fixed.in_words('radius')}:")
    say(format_table(tables["radii"]))
    say(f"{found.fixed.inputs} that stop at a look:")
    say(format_table(tables["looks"], digits=4), end="")
    if found.ended.any():
        say(
            f"note: {found.ended.sum()} {found.fixed.inputs} would have been drawn "
            "further, and the run has no more draws of them"
        )
    for remark in remarks:
        say(f"note: {remark}")


def _numbers(text: str) -> list[int]:
    try:
        return [whole_number(word) for word in text.split(",")]
    except InputError:
        raise InputError(
            f"--looks {text}: whole numbers with commas between, as in 100,300,1000"
        ) from None
