"""Counts against the number of draws: every draw votes once, or for no class."""

from collections.abc import Iterator

import numpy as np

from simplicert.audit.claims.subject import Claims
from simplicert.audit.finding import Finding

__all__ = ["sums"]

CHECK = "counts against draws"


def sums(claims: Claims) -> Iterator[Finding]:
    """Whether the votes of each image can be those of its draws."""
    counts = claims.counts
    if counts is None and claims.votes is not None:
        counts = claims.votes[:, None]
    if counts is None:
        return
    if (bad := np.asarray((counts < 0).any(axis=1))).any():
        what = "what is counted is no whole number"
        yield claims.of_rows(CHECK, "falsified", bad, what)
        return
    voted = counts.sum(axis=1)
    if claims.draws is None:
        yield from _unsaid(claims, voted)
        return
    over, under = voted > claims.draws, voted < claims.draws
    if over.any():
        worst = int(np.argmax(voted - claims.draws))
        yield claims.of_rows(
            CHECK,
            "falsified",
            over,
            f"more votes than draws, up to {voted[worst]:,} of {claims.draws[worst]:,}",
        )
    elif claims.counts is None or not under.any():
        what = "at most" if claims.counts is None else "exactly"
        says = f"{len(voted):,} rows have {what} as many votes as draws"
        yield Finding(check=CHECK, outcome="held", says=says)
    else:
        yield claims.of_rows(
            CHECK,
            "held",
            under,
            f"fewer votes than draws, down to {int(voted.min()):,}: the others were "
            "for no class, which is sound while all draws are the denominator",
        )
    if np.ptp(claims.draws):
        yield claims.of_rows(
            CHECK,
            "doubtful",
            claims.draws != claims.draws[0],
            "the number of draws is not the same in all rows, and nothing says that "
            "it was fixed before the first",
        )


def _unsaid(claims: Claims, voted: np.ndarray) -> Iterator[Finding]:
    if np.ptp(voted) and claims.counts is not None:
        yield claims.of_rows(
            CHECK,
            "doubtful",
            voted != voted.max(),
            f"the counts sum to {int(voted.min()):,} in one row and to "
            f"{int(voted.max()):,} in another, and nothing says how many draws there "
            "were: give --draws",
        )
    else:
        says = "nothing says how many draws there were: give --draws"
        yield Finding(check=CHECK, outcome="not checked", says=says)
