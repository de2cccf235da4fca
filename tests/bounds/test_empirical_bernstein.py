import itertools

import mpmath as mp
import numpy as np
import pytest
from scipy.special import gammaln, xlogy

from simplicert.bounds import (
    empirical_bernstein_lower,
    empirical_bernstein_upper,
    hoeffding_lower,
)
from simplicert.errors import InputError

BOUNDS = [empirical_bernstein_lower, empirical_bernstein_upper]
ALPHAS = [1e-9, 0.0005, 0.05, 0.5, 0.9]


def outcomes(trials, values):
    """Every outcome of draws of scores with these values: how often each occurred."""
    counts = itertools.product(range(trials + 1), repeat=len(values) - 1)
    table = np.array([c for c in counts if sum(c) <= trials])
    return np.concatenate([table, trials - table.sum(axis=1, keepdims=True)], axis=1)


@pytest.mark.parametrize("trials", [1, 2, 7, 60])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("values", [(0.0, 1.0), (0.0, 0.1, 1.0), (0.45, 0.5, 0.55)])
def test_coverage_by_exact_enumeration(trials, alpha, values):
    table, values = outcomes(trials, values), np.array(values)
    mean = table @ values / trials
    squares = table @ values**2 / trials - mean**2
    variance = np.maximum(squares, 0) * trials / max(trials - 1, 1)
    seen = {"variance": variance, "trials": trials, "alpha": alpha}
    lower = empirical_bernstein_lower(mean, **seen)
    upper = empirical_bernstein_upper(mean, **seen)
    ways = gammaln(trials + 1) - gammaln(table + 1).sum(axis=1)
    for shares in outcomes(10, values) / 10:
        law = np.exp(ways + xlogy(table, shares).sum(axis=1))
        true_mean = float(shares @ values)
        assert law[lower > true_mean + 1e-12].sum() <= alpha
        assert law[upper < true_mean - 1e-12].sum() <= alpha


@pytest.mark.parametrize("trials", [2, 3, 1000, 1_000_000, 10**12])
@pytest.mark.parametrize("alpha", [*ALPHAS, 1e-300, 1 - 1e-16])
def test_outward_of_the_formula_and_close_to_it(trials, alpha):
    for mean, variance in itertools.product((0.0, 1e-9, 0.3, 1.0), (0.0, 1e-12, 0.5)):
        with mp.workdps(40):
            log = mp.log(2 / mp.mpf(alpha))
            width = mp.sqrt(2 * mp.mpf(variance) * log / trials)
            width += 7 * log / (3 * (trials - 1))
            true_lower = max(mp.mpf(mean) - width, 0)
            true_upper = min(mp.mpf(mean) + width, 1)
            seen = {"variance": variance, "trials": trials, "alpha": alpha}
            lower = mp.mpf(float(empirical_bernstein_lower(mean, **seen)))
            upper = mp.mpf(float(empirical_bernstein_upper(mean, **seen)))
            assert true_lower - 1e-14 * (1 + width) <= lower <= true_lower
            assert true_upper <= upper <= true_upper + 1e-14 * (1 + width)


def test_one_value_by_hand():
    # ln(2 / alpha) = 2: sqrt(2 * 0.04 * 2 / 400) = 0.02, and 7 * 2 / (3 * 399).
    seen = {"variance": 0.04, "trials": 400, "alpha": 2 * np.exp(-2)}
    width = 0.02 + 14 / 1197
    lower, upper = (float(bound(0.5, **seen)) for bound in BOUNDS)
    assert lower == pytest.approx(0.5 - width, abs=1e-14)
    assert upper == pytest.approx(0.5 + width, abs=1e-14)


def test_narrower_than_hoeffding_where_scores_hardly_vary():
    seen = {"variance": 0.01, "trials": 10_000, "alpha": 0.0005}
    known = hoeffding_lower(0.9, trials=10_000, alpha=0.0005)
    assert empirical_bernstein_lower(0.9, **seen) > known + 0.01


def test_of_one_score_nothing_is_known():
    seen = {"variance": 0.0, "trials": 1, "alpha": 0.05}
    assert empirical_bernstein_lower([0.0, 1.0], **seen).tolist() == [0.0, 0.0]
    assert empirical_bernstein_upper([0.0, 1.0], **seen).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": 1.1}, "mean must lie in"),
        ({"mean": np.nan}, "mean must lie in"),
        ({"variance": -0.1}, "variance must lie in"),
        ({"variance": np.nan}, "variance must lie in"),
        ({"variance": ["a"]}, "variance must hold real numbers"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"trials": 1.5}, "trials must be whole"),
        ({"alpha": 0.0}, "alpha must be in"),
        ({"alpha": np.nan}, "alpha must be in"),
        ({"mean": [0.1, 0.2], "trials": [1, 2, 3]}, "broadcast"),
    ],
)
def test_bad_input_is_named(bound, changes, message):
    given = {"mean": 0.5, "variance": 0.1, "trials": 10, "alpha": 0.1} | changes
    with pytest.raises(InputError, match=message):
        bound(given.pop("mean"), **given)
