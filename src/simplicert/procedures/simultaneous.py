"""Procedures whose draws both choose the top two classes and bound them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simplicert.arguments import Reals
from simplicert.procedures.naming import apart_by_means, apart_by_votes, named_where
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
    spare: Callable[[float], float] | None = None,
) -> Procedure:
    """Two bounds at half of alpha each, on the top two classes of the same draws.

    Theorem 1 of ``docs/bounds.md`` needs an upper bound of *every* other class. Where
    ``upper`` grows with the sum alone, the observed runner-up's is the largest. Where
    it does not, say ``naming``: then every class is bounded, and a class is named only
    if the bounds at ``naming * alpha / classes`` separate it from each of the others.
    That makes the proof complete for any bounds and number of classes (Theorem 4).

    Votes need no ``naming``: of those a class is named only if the sign test tells it
    from the second at alpha²/4 (Theorem 2). Nor do scores of which it is known what two
    bounds leave of alpha, ``spare`` (Theorem 3). Other scores without it have a proof
    for two classes only.

    Args:
        name: Of the procedure.
        statistic: What it counts.
        columns: What it reads: sums first, then squares if it needs them.
        lower: Lower bound; grows with the sum, if ``naming`` is not given.
        upper: Upper bound; likewise.
        naming: Share of alpha that naming a wrong class may take.
        spare: Of scores: alpha → the logarithm of what ``lower`` and ``upper`` together
            fail less than alpha; naming a wrong class takes that.
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
            found = named_where(
                _sure(first, second, trials, sums.shape[1], alpha),
                lower(leading, alpha / 2),
                upper(following, alpha / 2),
            )
        else:
            found = (*np.empty((2, len(votes))), np.empty(len(votes), dtype=bool))
            for start in range(0, len(votes), ROWS):
                part = slice(start, start + ROWS)
                seen = Seen(
                    sums=np.minimum(sums[part], trials[part, None]),
                    squares=squares[0][part] if squares else None,
                    trials=trials[part, None],
                )
                for whole, some in zip(
                    found, _every_class(seen, top[part], alpha), strict=True
                ):
                    whole[part] = some
        e0_lower, e1_upper, refused = found
        return Intervals(
            top=top,
            runner_up=runner_up,
            e0=first / trials,
            e1=second / trials,
            e0_lower=e0_lower,
            e1_upper=e1_upper,
            refused=refused,
        )

    def _sure(
        first: np.ndarray,
        second: np.ndarray,
        trials: np.ndarray,
        classes: int,
        alpha: float,
    ) -> np.ndarray:
        if statistic == "multinomial":
            return apart_by_votes(first, second, alpha=alpha)
        if spare is None:
            return np.ones(len(first), dtype=bool)
        return apart_by_means(
            first, second, trials=trials, rivals=classes - 1, log_alpha=spare(alpha)
        )

    def _every_class(
        seen: Seen, top: np.ndarray, alpha: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        assert naming is not None
        classes = seen.sums.shape[1]
        low, high = _best_and_rest(seen, top, alpha * (1.0 - naming) / 2)
        sure_low, sure_high = _best_and_rest(seen, top, alpha * naming / classes)
        return named_where(sure_low > sure_high, low, high)

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
