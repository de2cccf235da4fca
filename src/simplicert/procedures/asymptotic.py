"""Procedures of intervals that hold for all classes at once, in the limit alone."""

from collections.abc import Callable

import numpy as np

from simplicert.procedures.protocol import Intervals, Procedure, top_two
from simplicert.votes import Votes

__all__ = ["Limits", "asymptotic"]

ROWS = 1024
"""Images at a time: no second table in memory."""


Limits = Callable[..., tuple[np.ndarray, np.ndarray]]
"""``(counts, *, trials, alpha)`` → lower and upper ends, in [0, 1], of the expectations
of all classes at once: two tables like ``counts``. Both grow with a class's count."""


def asymptotic(*, name: str, limits: Limits) -> Procedure:
    """A procedure of hard votes by simultaneous intervals, without a guarantee.

    E0 is bounded by the lower end of the class with the most votes, every other by the
    upper end of the second, which is the largest of theirs. If all intervals held at
    once, no other class could be the best where these two ends are apart: so no rule
    for naming takes a share of alpha.

    Args:
        name: Of the procedure.
        limits: The intervals; a pure function.
    """

    def intervals(votes: Votes, alpha: float) -> Intervals:
        top, runner_up = top_two(votes.counts)
        lower, upper = np.empty(len(votes)), np.empty(len(votes))
        for start in range(0, len(votes), ROWS):
            part = slice(start, start + ROWS)
            low, high = limits(
                votes.counts[part].astype(np.int64),
                trials=votes.draws[part],
                alpha=alpha,
            )
            rows = np.arange(len(low))
            lower[part], upper[part] = low[rows, top[part]], high[rows, runner_up[part]]
        rows = np.arange(len(votes))
        return Intervals(
            top=top,
            runner_up=runner_up,
            e0=votes.counts[rows, top] / votes.draws,
            e1=votes.counts[rows, runner_up] / votes.draws,
            e0_lower=lower,
            e1_upper=upper,
        )

    return Procedure(
        name=name,
        statistic="multinomial",
        intervals=intervals,
        columns=("counts",),
        asymptotic=True,
    )
