"""Procedures whose draws both choose the top two classes and bound them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simplicert.arguments import Reals
from simplicert.procedures.protocol import Intervals, Procedure, top_two
from simplicert.votes import Votes

__all__ = ["Bound", "Seen", "simultaneous"]

ROWS = 4096
"""Images at a time where every class is bounded: no second table in memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What some classes' draws added up to.

    Attributes:
        sums: Votes or scores.
        squares: Squared scores, where the procedure reads them.
        trials: Draws; broadcasts against the others.
    """

    sums: np.ndarray
    squares: np.ndarray | None
    trials: np.ndarray


Bound = Callable[[Seen, float], Reals]
"""One-sided, at the alpha it is given, for each entry on its own."""


def simultaneous(
    *,
    name: str,
    statistic: str,
    columns: tuple[str, ...],
    lower: Bound,
    upper: Bound,
    naming: float | None = None,
) -> Procedure:
    """Two bounds at half of alpha each, on the top two classes of the same draws.

    Theorem 1 of ``docs/bounds.md`` needs an upper bound of *every* other class. Where
    ``upper`` grows with the sum alone, the observed runner-up's is the largest. Where
    it does not, say ``naming``: then every class is bounded, and a class is named only
    if the bounds at ``naming * alpha / classes`` separate it from each of the others,
    which makes the proof complete for any number of classes (Theorem 3 there).

    Args:
        name: Of the procedure.
        statistic: What it counts.
        columns: What it reads: sums first, then squares if it needs them.
        lower: Lower bound.
        upper: Upper bound.
        naming: Share of alpha that naming a wrong class may take.
    """

    def intervals(votes: Votes, alpha: float) -> Intervals:
        sums, *squares = (votes.columns[column] for column in columns)
        top, runner_up = top_two(sums)
        rows, trials = np.arange(len(votes)), votes.draws
        # Others' sums of scores may have been rounded up on the way.
        first = np.minimum(sums[rows, top], trials)
        second = np.minimum(sums[rows, runner_up], trials)
        if naming is None:
            leading = Seen(sums=first, squares=None, trials=trials)
            following = Seen(sums=second, squares=None, trials=trials)
            e0_lower = lower(leading, alpha / 2)
            e1_upper = upper(following, alpha / 2)
        else:
            pair = np.empty((2, len(votes)))
            for start in range(0, len(votes), ROWS):
                part = slice(start, start + ROWS)
                seen = Seen(
                    sums=np.minimum(sums[part], trials[part, None]),
                    squares=squares[0][part] if squares else None,
                    trials=trials[part, None],
                )
                pair[:, part] = _every_class(seen, top[part], alpha)
            e0_lower, e1_upper = pair
        return Intervals(
            top=top,
            runner_up=runner_up,
            e0=first / trials,
            e1=second / trials,
            e0_lower=e0_lower,
            e1_upper=e1_upper,
        )

    def _every_class(
        seen: Seen, top: np.ndarray, alpha: float
    ) -> tuple[np.ndarray, np.ndarray]:
        assert naming is not None
        classes = seen.sums.shape[1]
        low, high = _best_and_rest(seen, top, alpha * (1.0 - naming) / 2)
        sure_low, sure_high = _best_and_rest(seen, top, alpha * naming / classes)
        # Where nothing may be named a lower bound may be lowered, an upper one raised:
        # to 1/2, since ``certify`` takes 1 - e0_lower for the upper one if smaller.
        sure, half = sure_low > sure_high, np.minimum(low, 0.5)
        return np.where(sure, low, half), np.where(sure, high, np.maximum(half, high))

    def _best_and_rest(
        seen: Seen, top: np.ndarray, alpha: float
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(top))
        others = upper(seen, alpha)
        others[rows, top] = 0.0
        return lower(seen, alpha)[rows, top], others.max(axis=1)

    return Procedure(
        name=name, statistic=statistic, intervals=intervals, columns=columns
    )
