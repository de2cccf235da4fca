"""Mean softmax scores, by Maurer and Pontil's bound, which looks at their variance."""

import numpy as np

from simplicert.arguments import Reals
from simplicert.bounds import empirical_bernstein_lower, empirical_bernstein_upper
from simplicert.procedures.simultaneous import Seen, simultaneous

FLOORED = 2.0**-32 + 2.0**-49
"""More than a square can have lost when it was floored, and than all rounding here."""

NAMING = 0.01
"""Share of alpha for naming a wrong class: the bounds are a thousandth wider for it."""


def sample_variance(seen: Seen) -> Reals:
    """The sample variance of each class's scores, with n - 1; never less than it is."""
    assert seen.squares is not None
    mean = seen.sums / seen.trials
    spread = np.maximum(seen.squares / seen.trials - mean * mean, 0.0) + FLOORED
    unbiased = spread * seen.trials / np.maximum(seen.trials - 1, 1)
    return np.asarray(np.minimum(unbiased, 1.0))  # it is at most 1/2


empirical_bernstein = simultaneous(
    name="empirical_bernstein",
    statistic="softmax",
    columns=("score_sums", "score_squares"),
    lower=lambda seen, alpha: empirical_bernstein_lower(
        seen.sums / seen.trials,
        variance=sample_variance(seen),
        trials=seen.trials,
        alpha=alpha,
    ),
    upper=lambda seen, alpha: empirical_bernstein_upper(
        seen.sums / seen.trials,
        variance=sample_variance(seen),
        trials=seen.trials,
        alpha=alpha,
    ),
    naming=NAMING,
)
