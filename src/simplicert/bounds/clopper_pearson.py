"""Exact bounds on a proportion from a count (Clopper and Pearson 1934)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincc, betainccinv, betaincinv

from simplicert.arguments import (
    Reals,
    checked_alpha,
    checked_counts,
    checked_probabilities,
    checked_trials,
)
from simplicert.errors import InputError

FIRST_STEP = 2.0**-36
"""Relative step outwards; nearly always enough. ``betaincinv`` errs by up to 4e-11."""

EVALUATION = 2.0**-36
"""Five times the largest relative error of ``betainc`` that we measured, 3e-12."""

MOST_TRIALS, LEAST_ALPHA = 10**10, 1e-220
"""Within these. Beyond, it errs by more than any margin is for."""


def clopper_pearson_lower(
    successes: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Reals:
    """Lower bound that is at most the true proportion with probability >= 1 - alpha.

    The guarantee is one-sided, exact for every proportion and all ``trials`` that are
    taken, and holds for each entry on its own: callers that need several at once split
    ``alpha``.

    The bound is the alpha quantile of ``Beta(k, n - k + 1)``: the proportion at which
    ``k`` or more successes have probability ``alpha``. It is rounded down.

    Args:
        successes: How often the event occurred, ``k``: whole numbers, 0 to ``trials``.
        trials: Number of independent trials ``n``, 1 to 10**10; broadcasts.
        alpha: Probability with which the bound may fail, in [1e-220, 1).

    Returns:
        Bounds in [0, 1), of the broadcast shape; exactly 0 at no successes, never NaN.

    Raises:
        InputError: Counts that are fractional, negative or above ``trials``; trials or
            ``alpha`` out of range; shapes that do not broadcast.

    References:
        Clopper and Pearson 1934, Biometrika 26(4).

    Example:
        All of 100 votes agree: the bound is ``alpha**(1/100)``.

        >>> clopper_pearson_lower([0, 100], trials=100, alpha=0.001).round(6)
        array([0.      , 0.933254])
    """
    k, n = checked_counts(successes, trials)
    return _once_each(_lower, k, n, _within_reach(n, alpha))


def clopper_pearson_upper(
    successes: ArrayLike, *, trials: ArrayLike, alpha: float
) -> Reals:
    """Upper bound that is at least the true proportion with probability >= 1 - alpha.

    The mirror image of :func:`clopper_pearson_lower`, successes and failures exchanged:
    the same guarantee, one-sided, exact, for each entry on its own.

    The bound is the 1 - alpha quantile of ``Beta(k + 1, n - k)``: the proportion at
    which ``k`` or fewer successes have probability ``alpha``. It is rounded up.

    Args:
        successes: How often the event occurred, ``k``: whole numbers, 0 to ``trials``.
        trials: Number of independent trials ``n``, 1 to 10**10; broadcasts.
        alpha: Probability with which the bound may fail, in [1e-220, 1).

    Returns:
        Bounds in (0, 1], of the broadcast shape; exactly 1 at no failures, never NaN.

    Raises:
        InputError: Counts that are fractional, negative or above ``trials``; trials or
            ``alpha`` out of range; shapes that do not broadcast.

    References:
        Clopper and Pearson 1934, Biometrika 26(4).

    Example:
        None of 100 votes: the bound is ``1 - alpha**(1/100)``.

        >>> clopper_pearson_upper([0, 100], trials=100, alpha=0.001).round(6)
        array([0.066746, 1.      ])
    """
    k, n = checked_counts(successes, trials)
    return _once_each(_upper, k, n, _within_reach(n, alpha))


def clopper_pearson_counts(
    bound: ArrayLike, *, trials: int, alpha: float
) -> Int[np.ndarray, " bounds"]:
    """The largest counts whose lower bounds are at most these: the inverse.

    The bound of k is where k or more successes have probability ``alpha``; at a given
    proportion that probability falls with k, so that a bisection finds it.

    Args:
        bound: Lower bounds on a proportion, in [0, 1], one axis.
        trials: Number of independent trials.
        alpha: Probability with which the bounds may fail, in [1e-220, 1).

    Raises:
        InputError: An argument outside its range.

    Example:
        >>> lower = clopper_pearson_lower([0, 60, 100], trials=100, alpha=0.001)
        >>> clopper_pearson_counts(lower + 1e-9, trials=100, alpha=0.001)
        array([  0,  60, 100])
    """
    p = checked_probabilities(bound, argument="bound")
    whole = checked_trials(trials)
    n, alpha = int(whole), _within_reach(whole, alpha)
    fits = np.zeros(len(p), dtype=np.int64)  # the bound of 0 is 0
    too_many = np.full(len(p), n + 1)
    while (too_many - fits > 1).any():
        middle = (fits + too_many) // 2
        k = np.maximum(middle, 1)
        below = betainc(k, n - k + 1, p) >= alpha
        fits = np.where(below, middle, fits)
        # Never down to ``fits``: entries that are done wait there for the others.
        too_many = np.where(below, too_many, np.maximum(middle, fits + 1))
    return fits


def _within_reach(n: Reals, alpha: float) -> float:
    """``alpha``, where SciPy's functions are known to be what they should."""
    alpha = checked_alpha(alpha)
    if alpha < LEAST_ALPHA:
        raise InputError(
            f"Clopper-Pearson bounds cannot be computed at alpha {alpha:g}, the share "
            f"of one bound: it must be at least {LEAST_ALPHA:g}"
        )
    if (n > MOST_TRIALS).any():
        raise InputError(
            f"Clopper-Pearson bounds cannot be computed of {n.max():.6g} trials: at "
            f"most {MOST_TRIALS:.0e} can be counted"
        )
    return alpha


def _lower(k: Reals, n: Reals, alpha: float) -> Reals:
    bound = _quantile_below(k, n, alpha)
    large = bound > 0.5  # then what it lacks to 1 is the number with digits to spare
    lacking = _quantile_above((n - k)[large], n[large], alpha)
    bound[large] = np.nextafter(1 - lacking, 0.0)
    return bound


def _upper(k: Reals, n: Reals, alpha: float) -> Reals:
    bound = _quantile_above(k, n, alpha)
    large = bound > 0.5
    lacking = _quantile_below((n - k)[large], n[large], alpha)
    bound[large] = np.nextafter(1 - lacking, 1.0)
    return bound


def _quantile_below(k: Reals, n: Reals, alpha: float) -> Reals:
    """The proportion at which k or more successes have probability alpha, or less."""
    a, b = np.maximum(k, 1), n - k + 1  # k = 0 has no beta quantile; its bound is 0
    bound = _outward(
        betaincinv(a, b, alpha), lambda p: betainc(a, b, p), alpha, direction=-1
    )
    bound[k == 0] = 0.0
    return bound


def _quantile_above(k: Reals, n: Reals, alpha: float) -> Reals:
    """The proportion at which k or fewer successes have probability alpha, or more."""
    a, b = k + 1, np.maximum(n - k, 1)  # k = n has no beta quantile; its bound is 1
    bound = _outward(
        betainccinv(a, b, alpha), lambda p: betaincc(a, b, p), alpha, direction=+1
    )
    bound[k == n] = 1.0
    return bound


def _outward(
    quantile: Reals, tail: Callable[[Reals], Reals], alpha: float, *, direction: int
) -> Reals:
    """The quantile, moved outwards until its tail probability is surely <= alpha.

    The inverse function is only trusted to be a good start: the guarantee rests on the
    forward one, which is the easier to compute and to check.
    """
    quantile = np.nan_to_num(quantile, nan=0.0 if direction < 0 else 1.0)
    step = np.full_like(quantile, FIRST_STEP)
    while True:
        bound: Reals = np.clip(quantile * (1 + direction * step), 0.0, 1.0)
        doubtful = ~(tail(bound) <= alpha * (1 - EVALUATION))  # NaN is no confirmation
        if not doubtful.any():
            return bound
        step[doubtful] *= 16


def _once_each(
    solve: Callable[[Reals, Reals, float], Reals], k: Reals, n: Reals, alpha: float
) -> Reals:
    """Votes repeat from image to image: solves every distinct (k, n) once."""
    pairs, where = np.unique(k + 1j * n, return_inverse=True)
    bound = solve(pairs.real, pairs.imag, alpha)
    return np.asarray(bound[where].reshape(k.shape))
