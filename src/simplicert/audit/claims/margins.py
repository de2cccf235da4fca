"""Histograms of margins: of the scores beside them, and of classes chosen before."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

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
        # A histogram has hundreds of cells: only what is asked of it is kept.
        found = [(_without_evidence(rows), *_examined(rows)) for rows in run.rows()]
    except InputError as error:
        yield Finding(check=HISTOGRAMS, outcome="not checked", says=f"{error}")
        return
    if not found:  # nothing is drawn yet
        return
    rows = VoteRows.join([each for each, _, _ in found])
    bad, other = (np.concatenate([each[at] for each in found]) for at in (1, 2))
    if bad.any():
        says = f"{int(bad.sum()):,} of {len(bad):,} blocks have margins that no scores "
        says += "with these sums have"
        yield _found(HISTOGRAMS, "falsified", says, rows, bad)
    else:
        says = f"{len(bad):,} blocks: the margins can be those of the scores"
        yield Finding(check=HISTOGRAMS, outcome="held", says=says)
    first = rows.blocks == 0
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


def _examined(
    rows: VoteRows,
) -> tuple[Bool[np.ndarray, " rows"], Bool[np.ndarray, " rows"]]:
    """Where margins are not of the scores, and where a first block chose others."""
    sums, rivals = rows.columns["score_sums"], rows.rivals
    assert rivals is not None  # a run with margins has them in every row
    wanted = choose_rivals(sums, rivals=rivals.shape[1] - 1)
    other = (rows.blocks == 0) & (wanted != rivals).any(axis=1)
    return mislaid_margins(rivals, rows.columns["margins"], sums), other


def _without_evidence(rows: VoteRows) -> VoteRows:
    return replace(rows, columns={})


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
