"""Which of two classes is the larger: the sign test, of votes and of scores."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, xlogy

from simplicert.arguments import (
    Reals,
    checked_counts,
    checked_trials,
    real_numbers,
    together,
)
from simplicert.bounds.hoeffding import ABSOLUTE as ROUNDED
from simplicert.errors import InputError

RELATIVE = 2.0**-20
"""Far more than ``betainc`` at 1/2 was found to err, 3e-11, up to 10**10 trials."""

ABSOLUTE = 1e-4
"""More than Chernoff's exponent can lose by rounding at 10**10 trials."""

LEAST = 1e-200
"""A tail below this, where floats come to their end, is bounded by Chernoff."""

MOST_TRIALS = 10**10

TILT = 1.2
"""Of ``least_lead``: no other factor asks less where two means sum to 1 / 1.2²."""


def log_sign_test(successes: ArrayLike, *, trials: ArrayLike) -> Reals:
    """Logarithm of twice ``P(Bin(trials, 1/2) >= successes)``; never less than it is.

    The two-sided p-value of "a coin that is fair, or falls to the other side more
    often, came up so often". In logarithms, because it may be below any float.

    Args:
        successes: How often it came up: whole numbers, 0 to ``trials``.
        trials: How often it was thrown, 1 to 10**10; broadcasts.

    Returns:
        Logarithms of the broadcast shape, rounded up by a millionth of the p-value;
        above 0 where not more than half came up.

    Raises:
        InputError: Counts that are fractional, negative or above ``trials``; trials out
            of range; shapes that do not broadcast.

    Example:
        All of ten: ``2 / 2**10``.

        >>> np.exp(log_sign_test([10, 5], trials=10)).round(6)
        array([0.001953, 1.246095])
    """
    k, n = checked_counts(successes, trials)
    if (n > MOST_TRIALS).any():
        raise InputError(
            f"a sign test cannot be computed of {n.max():.6g} trials: at most "
            f"{MOST_TRIALS:.0e} can be counted"
        )
    tail = np.where(k > 0, betainc(np.maximum(k, 1.0), n - k + 1.0, 0.5), 1.0)
    # P(Bin(n, 1/2) >= k) <= exp(-n KL(k / n || 1/2)) from n / 2 on, Chernoff's.
    exponent = xlogy(k, 2.0 * k / n) + xlogy(n - k, 2.0 * (n - k) / n)
    log_tail = np.where(
        tail > LEAST,
        np.log(np.maximum(tail, LEAST)) + RELATIVE,
        ABSOLUTE - exponent,
    )
    return np.asarray(np.log(2.0) + log_tail)


def least_lead(both: ArrayLike, *, trials: ArrayLike, log_alpha: float) -> Reals:
    """How far a mean is above another of no smaller expectation with chance <= alpha.

    ``w (1 / c + c both)`` with ``w = sqrt(ln(1 / alpha) / (2 n))``, Hoeffding's, and
    ``c = 1.2``; rounded up. At ``c = 1`` and means that sum to 1 that is his inequality
    for the difference. Means that sum to less vary less, and need less of a lead. It
    holds for any scores that are not negative and of which the two sum to at most 1.

    Args:
        both: The sum of the two means.
        trials: Number of independent draws ``n``; broadcasts.
        log_alpha: Logarithm of the probability, negative: it may be below any float.

    Raises:
        InputError: Trials that are not whole and positive; shapes that do not
            broadcast; a logarithm that is not negative.

    References:
        Lemma 5 of ``docs/bounds.md``.

    Example:
        ``sqrt(2 / 400) * (1 / 1.2 + 1.2)``, and of rarer classes:

        >>> least_lead([1.0, 0.5], trials=400, log_alpha=-4.0).round(6)
        array([0.143778, 0.101352])
    """
    if not log_alpha < 0.0:
        raise InputError(f"log_alpha must be negative, got {log_alpha!r}")
    s, n = together(
        both=real_numbers(both, argument="both"), trials=checked_trials(trials)
    )
    width = np.sqrt(-log_alpha / (2.0 * n)) * (1.0 / TILT + TILT * s)
    return np.asarray(width * (1.0 + 2.0**-40) + 4.0 * ROUNDED)
