"""The paper's Algorithm 2: mean softmax scores, by Hoeffding (Eq. 4).

The bounds are the paper's. Means that are too close name no class: besides it.
"""

from simplicert.bounds import hoeffding_lower, hoeffding_spare, hoeffding_upper
from simplicert.procedures.simultaneous import simultaneous

hoeffding = simultaneous(
    name="hoeffding",
    statistic="softmax",
    columns=("score_sums",),
    lower=lambda seen, alpha: hoeffding_lower(
        seen.sums / seen.trials, trials=seen.trials, alpha=alpha
    ),
    upper=lambda seen, alpha: hoeffding_upper(
        seen.sums / seen.trials, trials=seen.trials, alpha=alpha
    ),
    spare=hoeffding_spare,
)
