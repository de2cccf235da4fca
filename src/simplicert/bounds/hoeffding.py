"""Bounds on the mean of scores in [0, 1] (Hoeffding 1963)."""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert.bounds.inputs import (
    Reals,
    checked_alpha,
    checked_mean,
    checked_trials,
    together,
)

OUTWARD = 2.0**-48


def hoeffding_lower(
    mean: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Float64[np.ndarray, "..."]:
    """..."""
    m, width = _mean_and_width(mean, trials, alpha)
    return np.asarray(np.maximum(np.nextafter(m - width, -np.inf), 0.0))


def hoeffding_upper(
    mean: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Float64[np.ndarray, "..."]:
    """..."""
    m, width = _mean_and_width(mean, trials, alpha)
    return np.asarray(np.minimum(np.nextafter(m + width, np.inf), 1.0))


def _mean_and_width(
    mean: ArrayLike, trials: ArrayLike, alpha: float
) -> tuple[Reals, Reals]:
    m, n = together(mean=checked_mean(mean), trials=checked_trials(trials))
    width = np.sqrt(-np.log(checked_alpha(alpha)) / (2.0 * n))
    return m, width * (1.0 + OUTWARD)
