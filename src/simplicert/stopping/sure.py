"""Stop as soon as the class is sure, without a radius."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import betainc

from simplicert.stopping.protocol import Rule
from simplicert.votes import Votes

__all__ = ["is_sure", "sure"]


def is_sure(votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    """Where a two-sided binomial test tells the top two classes apart.

    Of several looks, each tests at its share of ``alpha``.

    References:
        Cohen et al. 2019, arXiv:1902.02918, section 3.2.1 (PREDICT).
    """
    second, first = np.sort(votes.counts, axis=1)[:, -2:].T
    # Twice P[Binomial(first + second, 1/2) >= first]; at 0 votes nothing is known.
    p_value = np.where(first > 0, 2.0 * betainc(first, second + 1, 0.5), 1.0)
    return np.asarray(p_value <= alpha * _shares(votes))


def _shares(votes: Votes) -> Float[np.ndarray, " images"]:
    looks = votes.fixed_looks
    at = np.searchsorted([look.draws for look in looks], votes.draws)
    shares: np.ndarray = np.array([look.share for look in looks])[at]
    return shares


sure = Rule(name="sure", decided=is_sure, parameters={})
