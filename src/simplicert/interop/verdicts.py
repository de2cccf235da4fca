"""What verifiers call what they found."""

from pathlib import Path

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.interop.roles import key

__all__ = ["FALSIFIED", "UNDECIDED", "VERIFIED", "verdicts"]

VERIFIED, FALSIFIED, UNDECIDED = "verified", "falsified", "undecided"

_WORDS = {
    VERIFIED: "verified safe holds unsat certified robust proved proven true yes 1 "
    "safeincomplete safeincompleterefined safebab safemip",
    FALSIFIED: "falsified unsafe violated sat counterexample attacked nonrobust "
    "notrobust adversarial unsafepgd unsafebab unsafemip",
    # A no to "verified" is no proof of the contrary.
    UNDECIDED: "undecided unknown timeout timedout unverified notverified notcertified "
    "error skipped misclassified incorrect false no 0 na none nan unknownmip "
    "runinstancetimeout prepareinstancetimeout prepareinstanceerror oom",
}
_MEANS = {word: verdict for verdict, words in _WORDS.items() for word in words.split()}
_MEANS[""] = UNDECIDED


def verdicts(column: pd.Series, name: str, path: Path) -> np.ndarray:
    """Each cell's word as one of the three.

    Raises:
        InputError: A word that is not known: it might mean either.

    Example:
        >>> found = pd.Series(["safe-incomplete", "unsafe-pgd", "timeout"])
        >>> verdicts(found, "status", Path("crown.csv"))
        array(['verified', 'falsified', 'undecided'], dtype='<U9')
    """
    cells = [each.strip().removesuffix(".0") for each in column.astype(str)]
    words = [key(each) if each else "" for each in cells]
    for row, word in enumerate(words):
        if word not in _MEANS:
            raise InputError(
                f"{path}, row {row}, column {name}: {cells[row]!r:.60} is no "
                "verdict that is known: write verified, falsified or unknown"
            )
    return np.array([_MEANS[word] for word in words], dtype="<U9")
