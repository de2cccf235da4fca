"""Exact bounds on a proportion from a count (Clopper and Pearson 1934)."""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy.special import betainccinv, betaincinv

from simplicert.bounds.inputs import checked_alpha, checked_counts

OUTWARD = 2.0**-40


def clopper_pearson_lower(
    successes: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Float64[np.ndarray, "..."]:
    """..."""
    k, n = checked_counts(successes, trials)
    # k = 0 has no beta quantile; its exact bound is 0.
    quantile = betaincinv(np.maximum(k, 1), n - k + 1, checked_alpha(alpha))
    return np.asarray(np.where(k == 0, 0.0, quantile * (1.0 - OUTWARD)))


def clopper_pearson_upper(
    successes: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Float64[np.ndarray, "..."]:
    """..."""
    k, n = checked_counts(successes, trials)
    # k = n has no beta quantile; its exact bound is 1.
    quantile = betainccinv(k + 1, np.maximum(n - k, 1), checked_alpha(alpha))
    return np.asarray(
        np.where(k == n, 1.0, np.minimum(quantile * (1.0 + OUTWARD), 1.0))
    )
