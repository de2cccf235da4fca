"""A test of a mean: how a gambler fares who bets, before the draws, that it is more."""

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from simplicert.arguments import Reals, checked_alpha, checked_trials
from simplicert.errors import InputError

__all__ = ["log_capital", "stake_of"]

SLACK = 2.0**-40
"""More than all rounding of a sum of as many logarithms as there are levels."""

MOST = 0.95
"""Of the capital, that one draw can lose."""


def log_capital(
    histogram: Int[np.ndarray, " levels"], gains: ArrayLike, *, stake: ArrayLike
) -> Reals:
    """Logarithm of what 1 has become: at least ``ln(1 / alpha)`` with little chance.

    If the mean gain is at most 0, that has probability at most ``alpha``, for every
    number of draws and each bet on its own. Each draw multiplies the capital by
    ``1 + stake * gain``, which is at most 1 on average; so the product of independent
    ones is, too, and Markov's inequality says the rest. No order of the draws matters.

    Args:
        histogram: How many draws had each level.
        gains: The gain at each level, ``bets × levels``.
        stake: Of each bet; chosen before the draws, so that no gain loses everything.

    Returns:
        A number for each bet, rounded down.

    Raises:
        InputError: Stakes that are negative or can lose all there is.

    References:
        Waudby-Smith and Ramdas 2024, arXiv:2010.09686, for bets that are not fixed.

    Example:
        Three draws that double, and one that loses half.

        >>> log_capital(np.array([1, 3]), [[-1.0, 2.0]], stake=[0.5]).round(4)
        array([1.3863])
    """
    gain, bet = np.asarray(gains, np.float64), np.asarray(stake, np.float64)[:, None]
    factors = bet * gain
    if not ((bet >= 0) & (factors > -1.0)).all():
        raise InputError("a stake must not be negative, or lose all there is")
    terms = np.log1p(factors) * histogram
    return np.asarray(terms.sum(axis=1) - SLACK * (1.0 + np.abs(terms).sum(axis=1)))


def stake_of(
    expected: Float[np.ndarray, " levels"],
    gains: Float[np.ndarray, "bets levels"],
    *,
    trials: int,
    alpha: float,
) -> Reals:
    """A stake with which so many draws come far, if they are as expected.

    ``sqrt(2 ln(1 / alpha) / (n E[gain**2]))``, at which capital of ``1 / alpha`` needs
    the least luck, as far as ``ln(1 + x)`` is ``x - x**2 / 2``.

    Args:
        expected: Probability of each level, by other draws.
        gains: As ``log_capital``; some are negative.
        trials: Number of draws.
        alpha: As ``log_capital``.
    """
    n, log = int(checked_trials(trials)), -np.log(checked_alpha(alpha))
    # Not a matrix product: a stake is not to depend on how many others are computed.
    second = (gains * gains * expected).sum(axis=1)
    most = MOST / np.maximum(-gains.min(axis=1), np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(np.sqrt(2.0 * log / (n * second)), most))
