"""Two bounds on the top two classes, and nothing else: no rule for naming.

``simultaneous`` names fewer classes than that. So what a test shows of these holds of
it, while a test that must see a procedure fail sees nothing where the rule hides it.
"""

import numpy as np

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.procedures import Intervals, Procedure
from simplicert.procedures.protocol import top_two


def bounds_alone(times=1.0, name="bounds_alone"):
    """Clopper-Pearson's, each bound at so many times its half of alpha."""

    def intervals(votes, alpha):
        top, runner_up = top_two(votes.counts)
        rows, draws = np.arange(len(votes)), votes.draws
        first, second = votes.counts[rows, top], votes.counts[rows, runner_up]
        each = {"trials": draws, "alpha": min(alpha * times / 2, 1 - 1e-9)}
        return Intervals(
            top=top,
            runner_up=runner_up,
            e0=first / draws,
            e1=second / draws,
            e0_lower=clopper_pearson_lower(first, **each),
            e1_upper=clopper_pearson_upper(second, **each),
        )

    return Procedure(
        name=name, statistic="multinomial", intervals=intervals, columns=("counts",)
    )
