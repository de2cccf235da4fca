"""The Neyman-Pearson radius itself, bounded exactly at all of alpha (Buehler's)."""

import numpy as np
from jaxtyping import Bool
from scipy.special import betainc

from simplicert.arguments import Reals
from simplicert.bounds import half_gap_lower
from simplicert.procedures.protocol import Intervals, Procedure, top_two
from simplicert.votes import Votes


def named_for_sure(
    top: np.ndarray, runner_up: np.ndarray, alpha: float
) -> Bool[np.ndarray, " images"]:
    """Where the sign test tells the first class from the second at alpha²/4.

    Then a class that is not the only best one is named with probability at most
    alpha²/4, for every number of classes (``docs/joint.md``).

    Args:
        top: The largest number of votes of each image.
        runner_up: The second largest.
        alpha: Failure probability of the whole certificate.
    """
    k, n = np.maximum(top, 1).astype(np.float64), top + runner_up
    tail = betainc(k, np.maximum(n - k, 0) + 1, 0.5)
    return np.asarray(2.0 * tail * (1.0 + 2.0**-20) <= alpha * alpha / 4.0)


def _intervals(votes: Votes, alpha: float) -> Intervals:
    top, runner_up = top_two(votes.counts)
    rows = np.arange(len(votes))
    first = votes.counts[rows, top].astype(np.int64)
    second = votes.counts[rows, runner_up].astype(np.int64)
    sure = named_for_sure(first, second, alpha)
    radius: Reals = np.zeros(len(votes))
    radius[sure] = half_gap_lower(
        first[sure],
        second[sure],
        trials=votes.draws[sure],
        alpha=alpha * (1.0 - alpha / 4.0),  # the rest is for naming
    )
    nothing = np.zeros(len(votes))
    return Intervals(
        top=top,
        runner_up=runner_up,
        e0=first / votes.draws,
        e1=second / votes.draws,
        e0_lower=nothing,
        e1_upper=nothing + 1.0,
        radius=radius,
    )


joint = Procedure(
    name="joint",
    statistic="multinomial",
    intervals=_intervals,
    columns=("counts",),
    radius_of="neyman_pearson",
)
