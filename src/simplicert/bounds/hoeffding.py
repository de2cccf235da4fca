"""Bounds on the mean of scores in [0, 1], whatever their distribution (Hoeffding)."""

import numpy as np
from numpy.typing import ArrayLike

from simplicert.arguments import (
    Reals,
    checked_alpha,
    checked_probabilities,
    checked_trials,
    together,
)

RELATIVE, ABSOLUTE = 2.0**-48, 2.0**-51
"""More than the half-width can lose by rounding, and than mean and result can."""

RELATIVE_SPARE = 2.0**-40
"""More than the few logarithms of ``hoeffding_spare`` can lose."""


def hoeffding_lower(mean: ArrayLike, *, trials: ArrayLike, alpha: float) -> Reals:
    """Lower bound that is at most the true mean with probability >= 1 - alpha.

    The guarantee is one-sided, holds for independent scores in [0, 1] of any
    distribution and every ``trials``, and for each entry on its own: callers that need
    several at once split ``alpha``.

    ``mean - sqrt(ln(1 / alpha) / (2 n))``, clipped at 0 and rounded down, also for a
    mean that is itself rounded to the nearest float.

    Args:
        mean: Mean of the observed scores, in [0, 1].
        trials: Number of independent scores ``n``, at least 1; broadcasts.
        alpha: Probability with which the bound may fail, in (0, 1).

    Returns:
        Bounds in [0, 1), of the broadcast shape; never NaN.

    Raises:
        InputError: A mean outside [0, 1], trials that are not whole and positive,
            ``alpha`` outside (0, 1), or shapes that do not broadcast.

    References:
        Hoeffding 1963, J. Am. Stat. Assoc. 58(301), Theorem 2; Cullen et al. 2024,
        eq. (4), whose ln(2 / alpha) is the alpha / 2 of each of two bounds.

    Example:
        ``sqrt(ln(1 / exp(-2)) / (2 * 100))`` is 0.1.

        >>> hoeffding_lower([0.05, 0.7], trials=100, alpha=np.exp(-2)).round(6)
        array([0. , 0.6])
    """
    centre, half_width = together(
        mean=checked_probabilities(mean, argument="mean"),
        trials=_half_width(trials, alpha),
    )
    return np.asarray(np.maximum(centre - half_width, 0.0))


def hoeffding_upper(mean: ArrayLike, *, trials: ArrayLike, alpha: float) -> Reals:
    """Upper bound that is at least the true mean with probability >= 1 - alpha.

    The mirror image of :func:`hoeffding_lower`: the same guarantee, for each entry on
    its own. ``mean + sqrt(ln(1 / alpha) / (2 n))``, clipped at 1 and rounded up.

    Args:
        mean: Mean of the observed scores, in [0, 1].
        trials: Number of independent scores ``n``, at least 1; broadcasts.
        alpha: Probability with which the bound may fail, in (0, 1).

    Returns:
        Bounds in (0, 1], of the broadcast shape; never NaN.

    Raises:
        InputError: A mean outside [0, 1], trials that are not whole and positive,
            ``alpha`` outside (0, 1), or shapes that do not broadcast.

    References:
        Hoeffding 1963, J. Am. Stat. Assoc. 58(301), Theorem 2.

    Example:
        >>> hoeffding_upper([0.05, 0.95], trials=100, alpha=np.exp(-2)).round(6)
        array([0.15, 1.  ])
    """
    centre, half_width = together(
        mean=checked_probabilities(mean, argument="mean"),
        trials=_half_width(trials, alpha),
    )
    return np.asarray(np.minimum(centre + half_width, 1.0))


def hoeffding_spare(alpha: float) -> float:
    """Logarithm of how much less than alpha two bounds at alpha / 2 surely fail.

    Hoeffding's inequality is never tight: a bound at ``a`` fails with probability at
    most ``a - a**2 c``, ``c = (1 - a) exp(-a (2 ln(1/a) + 1) / (1 - a))``, for every
    distribution and number of scores (Lemma 4 of ``docs/bounds.md``). So two of them
    leave ``2 a**2 c``, nearly ``alpha**2 / 2`` if alpha is small. It is rounded down;
    a logarithm, because it may be below any float.

    Args:
        alpha: Failure probability of both bounds together, in (0, 1).

    Raises:
        InputError: ``alpha`` outside (0, 1).

    Example:
        >>> round(float(np.exp(hoeffding_spare(0.001)) / (0.001**2 / 2)), 3)
        0.991
    """
    a = checked_alpha(alpha) / 2.0
    log_a = np.log(a)
    log_c = np.log1p(-a) - a * (1.0 - 2.0 * log_a) / (1.0 - a)
    return float(np.log(2.0) + 2.0 * log_a + log_c - RELATIVE_SPARE)


def _half_width(trials: ArrayLike, alpha: float) -> Reals:
    width = np.sqrt(-np.log(checked_alpha(alpha)) / (2.0 * checked_trials(trials)))
    return np.asarray(width * (1.0 + RELATIVE) + ABSOLUTE)
