"""The Neyman-Pearson radius itself, bounded exactly at all of alpha (Buehler's)."""

import numpy as np

from simplicert.bounds import half_gap_lower
from simplicert.procedures.naming import apart_by_votes
from simplicert.procedures.protocol import Intervals, Procedure, top_two
from simplicert.votes import Votes


def _intervals(votes: Votes, alpha: float) -> Intervals:
    top, runner_up = top_two(votes.counts)
    rows = np.arange(len(votes))
    first = votes.counts[rows, top].astype(np.int64)
    second = votes.counts[rows, runner_up].astype(np.int64)
    sure = apart_by_votes(first, second, alpha=alpha)
    gap = half_gap_lower(
        first,
        second,
        trials=votes.draws,
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
        radius=np.where(sure, gap, 0.0),
        refused=(gap > 0.0) & ~sure,
    )


joint = Procedure(
    name="joint",
    statistic="multinomial",
    intervals=_intervals,
    columns=("counts",),
    radius_of="neyman_pearson",
)
