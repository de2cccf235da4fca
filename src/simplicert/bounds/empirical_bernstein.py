"""Bounds on the mean of scores in [0, 1] that look at their variance."""

import numpy as np
from numpy.typing import ArrayLike

from simplicert.arguments import (
    Reals,
    checked_alpha,
    checked_probabilities,
    checked_trials,
    together,
)
from simplicert.bounds.hoeffding import ABSOLUTE, RELATIVE


def empirical_bernstein_lower(
    mean: ArrayLike, *, variance: ArrayLike, trials: ArrayLike, alpha: float
) -> Reals:
    """Lower bound that is at most the true mean with probability >= 1 - alpha.

    The guarantee is one-sided, holds for independent scores in [0, 1] of any
    distribution and every ``trials``, and for each entry on its own: callers that need
    several at once split ``alpha``.

    ``mean - sqrt(2 v ln(2 / alpha) / n) - 7 ln(2 / alpha) / (3 (n - 1))``, clipped at 0
    and rounded down. Narrower than Hoeffding's where the variance ``v`` is well below
    its largest value, 1/4.

    Args:
        mean: Mean of the observed scores, in [0, 1].
        variance: Their sample variance, with ``n - 1``; not less than it is, in [0, 1].
        trials: Number of independent scores ``n``, at least 1; broadcasts.
        alpha: Probability with which the bound may fail, in (0, 1).

    Returns:
        Bounds in [0, 1), of the broadcast shape; 0 for one score, never NaN.

    Raises:
        InputError: A mean or variance outside [0, 1], trials that are not whole and
            positive, ``alpha`` outside (0, 1), or shapes that do not broadcast.

    References:
        Maurer and Pontil 2009, arXiv:0907.3740, Theorem 4.

    Example:
        With ``ln(2 / alpha) = 2``, ``sqrt(2 * 0.01 * 2 / 101)`` and ``14 / 300``.

        >>> seen = {"variance": 0.01, "trials": 101, "alpha": 2 * np.exp(-2)}
        >>> empirical_bernstein_lower([0.5], **seen).round(6)
        array([0.433433])
    """
    centre, half_width = _centre_and_half_width(mean, variance, trials, alpha)
    return np.asarray(np.maximum(centre - half_width, 0.0))


def empirical_bernstein_upper(
    mean: ArrayLike, *, variance: ArrayLike, trials: ArrayLike, alpha: float
) -> Reals:
    """Upper bound that is at least the true mean with probability >= 1 - alpha.

    The mirror image of :func:`empirical_bernstein_lower`: the same guarantee, for each
    entry on its own; clipped at 1 and rounded up.

    Args:
        mean: Mean of the observed scores, in [0, 1].
        variance: Their sample variance, with ``n - 1``; not less than it is, in [0, 1].
        trials: Number of independent scores ``n``, at least 1; broadcasts.
        alpha: Probability with which the bound may fail, in (0, 1).

    Returns:
        Bounds in (0, 1], of the broadcast shape; 1 for one score, never NaN.

    Raises:
        InputError: As :func:`empirical_bernstein_lower`.

    References:
        Maurer and Pontil 2009, arXiv:0907.3740, Theorem 4.

    Example:
        >>> seen = {"variance": 0.01, "trials": 101, "alpha": 2 * np.exp(-2)}
        >>> empirical_bernstein_upper([0.5], **seen).round(6)
        array([0.566567])
    """
    centre, half_width = _centre_and_half_width(mean, variance, trials, alpha)
    return np.asarray(np.minimum(centre + half_width, 1.0))


def _centre_and_half_width(
    mean: ArrayLike, variance: ArrayLike, trials: ArrayLike, alpha: float
) -> tuple[Reals, ...]:
    log = np.log(2.0) - np.log(checked_alpha(alpha))
    v, n = together(
        variance=checked_probabilities(variance, argument="variance"),
        trials=checked_trials(trials),
    )
    with np.errstate(divide="ignore"):  # of one score nothing is known: infinite
        width = np.sqrt(2.0 * v * log / n) + 7.0 * log / (3.0 * (n - 1.0))
    return together(
        mean=checked_probabilities(mean, argument="mean"),
        half_width=np.asarray(width * (1.0 + RELATIVE) + ABSOLUTE),
    )
