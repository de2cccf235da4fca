"""What a rule would have saved: a finished run, stopped after the fact.

Nothing stops a run while it is drawn yet; this shows what a rule is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.arguments import checked_alpha
from simplicert.certificates import Certificates, certify
from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs
from simplicert.stopping.protocol import Rule
from simplicert.votes import Look, RunDirectory, Votes
from simplicert.votes.looks import check_looks

__all__ = ["EARLY", "Replay", "replay", "spread"]

EARLY = 0.4
"""Share of alpha of all looks but the last: most images need the whole of it at the
horizon or nearly nothing before, so that most of alpha is best kept for the last."""


def spread(draws: Sequence[int]) -> tuple[Look, ...]:
    """Looks at these numbers of draws: the last has 0.6 of alpha, the others the rest.

    Raises:
        InputError: None, or they do not rise.

    Example:
        >>> [look.share for look in spread([100, 300, 1000])]
        [0.2, 0.2, 0.6]
    """
    if not draws:
        raise InputError("looks must hold at least one")
    early = len(draws) - 1
    shares = [*[EARLY / max(early, 1)] * early, 1.0 - EARLY if early else 1.0]
    looks = tuple(map(Look, draws, shares))
    check_looks(looks)
    return looks


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """What a rule would have done. It certifies nothing.

    Attributes:
        draws: How many each image would have had.
        by_looks: What would have been certified. Not a claim: to certify an early stop,
            looks must be fixed before the first draw, and these were chosen when the
            votes were known.
        fixed: What is certified with as many draws for all as the last look has.
    """

    draws: Int[np.ndarray, " images"]
    by_looks: Certificates
    fixed: Certificates


def replay(
    run: RunDirectory, rule: Rule, *, looks: Sequence[Look], alpha: float
) -> Replay:
    """Stop the images of a finished run after the fact: what a rule saves and costs.

    An image's first draws are the same however many follow, so that this is what a run
    with these looks and this rule would have drawn.

    Args:
        run: A finished run.
        rule: What stops an image.
        looks: Where it is asked, whole blocks; after the last nothing is drawn.
        alpha: Failure probability of each image's certificate, for the rule.

    Raises:
        InputError: Looks that are not whole blocks of the run, or beyond its draws; an
            unfinished run; a rule that raises or returns something else.
    """
    checked_alpha(alpha)
    check_looks(looks)
    block, most = run.manifest.block, run.manifest.draws
    for look in looks:
        if look.draws % block or look.draws > most:
            raise InputError(
                f"a look at {look.draws} draws is not to be had of {run.path}: it has "
                f"{most} draws an image, in blocks of {block}"
            )
    stopped: Votes | None = None
    for look in looks:
        here = run.read(blocks=slice(0, look.draws // block))
        here = replace(here, looks=tuple(looks))
        if stopped is None:
            stopped, active = here, np.ones(len(here), dtype=bool)
        else:
            stopped = _where(active, here, stopped)
        active[active] = ~_asked(rule, here[active], alpha)
    assert stopped is not None  # there is a look
    return Replay(
        draws=stopped.draws,
        by_looks=certify(stopped, alpha=alpha),
        fixed=certify(replace(here, looks=None), alpha=alpha),
    )


def _asked(rule: Rule, votes: Votes, alpha: float) -> np.ndarray:
    if not len(votes):
        return np.zeros(0, dtype=bool)
    with shown_as_theirs(f"rule {rule.name!r}"):
        decided = np.asarray(rule.decided(votes, alpha))
    if decided.shape != (len(votes),) or decided.dtype != np.bool_:
        raise InputError(
            f"rule {rule.name!r} returned {decided.dtype} of shape {decided.shape} for "
            f"{len(votes)} images: it must return one truth an image"
        )
    return decided


def _where(rows: np.ndarray, these: Votes, others: Votes) -> Votes:
    """Votes of the same images, each from one of two looks."""
    columns: dict[str, Any] = {
        name: np.where(rows[:, None], values, others.columns[name])
        for name, values in these.columns.items()
    }
    draws = np.where(rows, these.draws, others.draws)
    seconds = these.draw_seconds
    if seconds is not None and others.draw_seconds is not None:
        seconds = np.where(rows, seconds, others.draw_seconds)
    return replace(these, **columns, draws=draws, draw_seconds=seconds)
