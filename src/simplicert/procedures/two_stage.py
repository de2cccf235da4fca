"""The paper's Algorithm 3, Cohen's: some draws choose the class, others bound it."""

import numpy as np

from simplicert.bounds import clopper_pearson_lower
from simplicert.procedures.protocol import Intervals, Procedure, top_two
from simplicert.votes import Votes


def _intervals(votes: Votes, alpha: float) -> Intervals:
    """One bound at the whole of alpha; the runner-up is bounded by ``1 - e0_lower``.

    References:
        Cohen et al. 2019, arXiv:1902.02918, section 3.2.2 (CERTIFY).
    """
    assert votes.selection is not None  # the procedure is separate
    top, _ = top_two(votes.selection.counts)
    rows = np.arange(len(votes))
    first = votes.counts[rows, top]
    others = votes.counts.astype(np.int64)
    others[rows, top] = -1
    runner_up = others.argmax(axis=1)
    return Intervals(
        top=top,
        runner_up=runner_up,
        e0=first / votes.draws,
        e1=others[rows, runner_up] / votes.draws,
        e0_lower=clopper_pearson_lower(first, trials=votes.draws, alpha=alpha),
        e1_upper=np.ones(len(votes)),
    )


two_stage = Procedure(
    name="two_stage",
    statistic="multinomial",
    intervals=_intervals,
    columns=("counts",),
    separate=True,
)
