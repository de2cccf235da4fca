"""Histograms of margins: of the scores beside them, and of classes chosen before."""

from collections.abc import Iterator

import numpy as np

from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.errors import InputError
from simplicert.votes.rivals import choose_rivals, mislaid_margins
from simplicert.votes.rows import VoteRows

__all__ = ["margins"]

HISTOGRAMS, CHOSEN = "margins beside scores", "who chose the margins"


def margins(claims: Claims) -> Iterator[Finding]:
    """Whether margins can be of the scores, and of classes that other draws chose."""
    run = claims.run
    if run is None or run.manifest.margins is None:
        return
    try:
        rows = VoteRows.join(list(run.rows()))
    except InputError as error:
        yield Finding(check=HISTOGRAMS, outcome="not checked", says=f"{error}")
        return
    sums, rivals = rows.columns["score_sums"], rows.rivals
    assert rivals is not None  # a run with margins has them in every row
    bad = mislaid_margins(rivals, rows.columns["margins"], sums)
    if bad.any():
        says = f"{int(bad.sum()):,} of {len(bad):,} blocks have margins that no scores "
        says += "with these sums have"
        yield _found(HISTOGRAMS, "falsified", says, rows, bad)
    else:
        says = f"{len(bad):,} blocks: the margins can be those of the scores"
        yield Finding(check=HISTOGRAMS, outcome="held", says=says)
    first = rows.blocks == 0
    wanted = choose_rivals(sums[first], rivals=rivals.shape[1] - 1)
    other = np.zeros_like(first)
    other[first] = (wanted != rivals[first]).any(axis=1)
    if not other.any():
        says = f"{int(first.sum()):,} images: the class and rivals that the first block"
        yield Finding(check=CHOSEN, outcome="held", says=f"{says} of draws says")
    elif run.manifest.answers_at_random:
        says = f"{int(other.sum()):,} images have margins of others than their first "
        says += "block says, which may have been drawn again, and answered otherwise"
        yield _found(CHOSEN, "doubtful", says, rows, other)
    else:
        says = f"{int(other.sum()):,} of {int(first.sum()):,} images have margins of "
        says += "others than their first block of draws says: somebody else chose, who "
        says += "may have seen the draws that count"
        yield _found(CHOSEN, "falsified", says, rows, other)


def _found(
    check: str, outcome: str, says: str, rows: VoteRows, bad: np.ndarray
) -> Finding:
    images = tuple(np.unique(rows.images[bad]).tolist())
    return Finding(
        check=check,
        outcome=outcome,  # type: ignore[arg-type]  # two of them
        says=f"{says} ({some(images)})",
        images=images,
    )
