"""``simplicert plan``: what a stopping rule would have saved on a finished run."""

from pathlib import Path
from typing import Annotated

import pandas as pd

from simplicert.analysis import format_table
from simplicert.certificates import ALPHA
from simplicert.cli.output import print_json
from simplicert.cli.printing import say
from simplicert.cli.types import one_of
from simplicert.errors import InputError
from simplicert.interop import check_votes
from simplicert.stopping import RULES, replay, spread
from simplicert.structured import whole_number
from simplicert.votes import RunDirectory

RuleName = Annotated[str, one_of(RULES.names, "What stops an image", "named")]


def plan_command(
    run: Path,
    /,
    *,
    looks: str,
    rule: RuleName = "named",
    alpha: float = ALPHA,
    json: bool = False,
) -> None:
    """Stop the images of a finished run after the fact: draws and certificates.

    What it shows is no claim, since the looks are chosen when the votes are known.

        simplicert plan runs/s0.50 --looks 1000,3000,10000 --rule named

    Args:
        run: A finished run directory.
        looks: The numbers of draws at which an image may stop, whole blocks of the run,
            with commas between. The last has 0.6 of alpha, the others share the rest.
        rule: What stops an image at a look.
        alpha: Failure probability of each image's certificate.
        json: Print the table as JSON.
    """
    check_votes(run)
    found = replay(
        RunDirectory(run),
        RULES.find(rule),
        looks=spread(_numbers(looks)),
        alpha=alpha,
    )
    rows = [
        {
            "drawn": name,
            "draws": float(each.draws.mean()),
            "certified": float((each.radius > 0).mean()),
            "mean_radius": float(each.radius.mean()),
        }
        for name, each in (("by looks", found.by_looks), ("fixed", found.fixed))
    ]
    table = pd.DataFrame(rows)
    if json:
        print_json({"plan": table})
    else:
        say(format_table(table), end="")


def _numbers(text: str) -> list[int]:
    try:
        return [whole_number(word) for word in text.split(",")]
    except InputError:
        raise InputError(
            f"--looks {text}: whole numbers with commas between, as in 100,300,1000"
        ) from None
