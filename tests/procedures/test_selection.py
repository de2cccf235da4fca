"""Choosing the top two classes from the draws that bound them: exact false-claim rates.

For hard votes every outcome of n draws over a few classes is enumerated, with the
certificate it would get. A certificate is false if it names another class than the
best, or if one of the two bounds it rests on does not hold. Nothing is simulated.
"""

import itertools

import numpy as np
import pytest
from scipy.special import gammaln, xlogy

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper


def compositions(total, classes):
    """Every way to share ``total`` votes among ``classes``."""
    bars = itertools.combinations(range(total + classes - 1), classes - 1)
    cuts = np.array(list(bars)).reshape(-1, classes - 1)
    ends = np.pad(cuts, [(0, 0), (1, 1)], constant_values=((0, 0), (-1, 0)))
    ends[:, -1] = total + classes - 1
    return np.diff(ends, axis=1) - 1


def adversaries(classes, steps):
    """Class distributions, best class first: a lattice that contains all the ties."""
    shares = compositions(steps, classes)
    return shares[np.all(np.diff(shares, axis=1) <= 0, axis=1)] / steps


def false_claim_rate(classes, draws, alpha, steps):
    """Largest probability of a false certificate over the adversaries."""
    counts = compositions(draws, classes)
    ranked = np.sort(counts, axis=1)[:, ::-1]
    half = alpha / 2
    e0 = clopper_pearson_lower(ranked[:, 0], trials=draws, alpha=half)
    e1 = clopper_pearson_upper(ranked[:, 1], trials=draws, alpha=half)
    e1 = np.minimum(e1, 1 - e0)
    certified = e0 > e1
    counts, e0, e1 = counts[certified], e0[certified], e1[certified]
    ways = gammaln(draws + 1) - gammaln(counts + 1).sum(axis=1)
    top = counts.argmax(axis=1)
    worst = 0.0
    for shares in adversaries(classes, steps):
        mass = np.exp(ways + xlogy(counts, shares).sum(axis=1))
        wrong_class = shares[top] < shares[0]
        if shares[1] == shares[0]:  # a tie: no class is the best, all claims are false
            wrong_class[:] = True
        bound_fails = (e0 > shares[0]) | (e1 < shares[1])
        worst = max(worst, mass[wrong_class | bound_fails].sum())
    return worst


def test_compositions_are_complete():
    assert compositions(2, 2).tolist() == [[0, 2], [1, 1], [2, 0]]
    assert len(compositions(10, 4)) == 286
    assert np.all(compositions(10, 4).sum(axis=1) == 10)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    ("classes", "draws", "steps"), [(2, 40, 60), (3, 30, 40), (4, 12, 24), (5, 10, 20)]
)
def test_false_claims_are_rarer_than_alpha(classes, draws, steps, alpha):
    assert false_claim_rate(classes, draws, alpha, steps) <= alpha


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.001, 0.02, 0.2])
def test_false_claims_are_rarer_than_alpha_with_many_draws(alpha):
    assert false_claim_rate(3, 90, alpha, 60) <= alpha


def test_the_rate_is_not_idle():
    # Two equal classes come close to alpha: half of it would not do.
    assert false_claim_rate(2, 30, 0.1, 2) > 0.09
