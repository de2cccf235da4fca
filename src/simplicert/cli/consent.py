"""Leave to spend: what a run will cost is agreed to before its first pass."""

import sys
from pathlib import Path

from simplicert.classifiers import Classifier
from simplicert.cli.printing import note
from simplicert.data import Dataset
from simplicert.errors import InputError
from simplicert.machine.refusal import was_launched_here
from simplicert.sampling.bill import Bill
from simplicert.votes import RunDirectory

__all__ = ["agreed", "bill_of", "check_agreed"]


def bill_of(
    classifier: Classifier, dataset: Dataset, out: Path, *, draws: int
) -> Bill | None:
    """What is still to be paid of a run; ``None`` where it costs nothing."""
    if classifier.passes.cost == 0:
        return None
    there = RunDirectory.manifest_at(out)
    missing = len(dataset) * draws
    if there is not None:  # if it is another run, that is said later
        missing = min(missing, RunDirectory.missing_draws(out, there))
    return Bill.of(classifier, dataset, draws=missing)


def agreed(bill: Bill | None, *, yes: bool, asks: bool, dry_run: bool) -> bool:
    """Whether to go on.

    Args:
        bill: What it will cost, if anything.
        yes: Whether that was agreed to already.
        asks: Whether this process may ask.
        dry_run: Whether only the plan is wanted, which costs what comes before it.

    Raises:
        InputError: It is not agreed to.
    """
    if bill is None or yes or was_launched_here():
        return True
    note(bill.line)
    if asks and _answers_yes("Go on? [y/N] "):
        return True
    if dry_run:
        note("nothing was asked or spent: --yes asks the model what a trial does")
        return False
    raise InputError(
        f"this would cost about {bill.total:,.6g}, and nothing has been spent yet: say "
        "--yes if it may"
    )


def check_agreed(classifier: Classifier, *, yes: bool, many: str) -> None:
    """Refuse passes of which nobody can say how many there will be, if they cost.

    Args:
        classifier: Whose.
        yes: Whether that was agreed to already.
        many: What decides how many there will be, in words.

    Raises:
        InputError: They do, and that was not agreed to.
    """
    if classifier.passes.cost and not yes:
        raise InputError(
            f"passes of {classifier.name} cost {classifier.passes.cost:g} each, and "
            f"{many}: say --yes if it may"
        )


def _answers_yes(question: str) -> bool:
    """Asked where somebody can answer; nobody is waited for elsewhere."""
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
