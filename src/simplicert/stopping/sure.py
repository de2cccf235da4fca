"""Stop as soon as the class is sure, without a radius."""

import numpy as np
from jaxtyping import Bool

from simplicert.bounds import log_sign_test
from simplicert.stopping.protocol import Rule
from simplicert.votes import Votes
from simplicert.votes.looks import shares_of

__all__ = ["is_sure", "sure"]


def is_sure(votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    """Where a two-sided binomial test tells the top two classes apart.

    Of several looks, each tests at its share of ``alpha``.

    References:
        Cohen et al. 2019, arXiv:1902.02918, section 3.2.1 (PREDICT). Lemma 2 of
        ``docs/bounds.md`` proves it for any number of classes.
    """
    second, first = np.sort(votes.counts, axis=1)[:, -2:].T
    both = np.maximum(first + second, 1)  # all draws may have voted for nobody
    with np.errstate(divide="ignore"):  # a look may have no share of alpha
        log_level = np.log(alpha * shares_of(votes.draws, votes.fixed_looks))
    return np.asarray(log_sign_test(first, trials=both) <= log_level)


sure = Rule(name="sure", decided=is_sure, parameters={})
