"""The paper's Algorithm 1: hard votes, by Clopper-Pearson.

The bounds are the paper's. Votes that are too close name no class: besides it.
"""

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.procedures.simultaneous import simultaneous

clopper_pearson = simultaneous(
    name="clopper_pearson",
    statistic="multinomial",
    columns=("counts",),
    lower=lambda seen, alpha: clopper_pearson_lower(
        seen.sums, trials=seen.trials, alpha=alpha
    ),
    upper=lambda seen, alpha: clopper_pearson_upper(
        seen.sums, trials=seen.trials, alpha=alpha
    ),
)
