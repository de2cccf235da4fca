import math

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import binom

from simplicert.bounds import hoeffding_lower, hoeffding_upper
from simplicert.errors import InputError

BOUNDS = [hoeffding_lower, hoeffding_upper]
ALPHAS = [1e-9, 0.0005, 0.05, 0.5, 0.9]


@pytest.mark.parametrize("trials", [1, 7, 100])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_coverage_of_scores_that_are_0_or_1(trials, alpha):
    mean = np.arange(trials + 1) / trials
    lower = hoeffding_lower(mean, trials=trials, alpha=alpha)
    upper = hoeffding_upper(mean, trials=trials, alpha=alpha)
    for p in np.concatenate([np.linspace(0, 1, 201), np.nextafter(lower, 0)]):
        mass = binom.pmf(np.arange(trials + 1), trials, p)
        assert mass[lower > p].sum() <= alpha + 1e-13
        assert mass[upper < p].sum() <= alpha + 1e-13


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(
    "weights", [[1, 1, 1], [90, 1, 9], [1, 0, 0, 0, 0, 0, 0, 0, 20], [5, 4, 3, 2, 1]]
)
def test_coverage_of_scores_that_are_not_binary(weights, alpha):
    # Scores 0, 1/m, ..., 1 with these weights; the law of the sum by convolution.
    score = np.array(weights) / sum(weights)
    steps = score.size - 1
    true_mean = score @ np.arange(steps + 1) / steps
    law = np.ones(1)
    for trials in range(1, 61):
        law = np.convolve(law, score)
        if trials in (1, 2, 10, 60):
            mean = np.arange(law.size) / (law.size - 1)
            lower = hoeffding_lower(mean, trials=trials, alpha=alpha)
            upper = hoeffding_upper(mean, trials=trials, alpha=alpha)
            assert law[lower > true_mean].sum() <= alpha + 1e-13
            assert law[upper < true_mean].sum() <= alpha + 1e-13


@pytest.mark.parametrize("trials", [1, 3, 1000, 100_000, 1_000_000, 10**12])
@pytest.mark.parametrize("alpha", [*ALPHAS, 1e-300, 1 - 1e-16])
def test_outward_of_the_formula_and_close_to_it(trials, alpha):
    for mean in (0.0, 1e-12, 0.1, 0.5, 2 / 3, 1.0):
        with mp.workdps(40):
            half_width = mp.sqrt(mp.log(1 / mp.mpf(alpha)) / (2 * trials))
            true_lower = max(mp.mpf(mean) - half_width, 0)
            true_upper = min(mp.mpf(mean) + half_width, 1)
            lower = mp.mpf(float(hoeffding_lower(mean, trials=trials, alpha=alpha)))
            upper = mp.mpf(float(hoeffding_upper(mean, trials=trials, alpha=alpha)))
            assert true_lower - 1e-14 <= lower <= true_lower
            assert true_upper <= upper <= true_upper + 1e-14


def test_by_hand():
    # ln(1 / alpha) = 2 and 2 n = 200: a half-width of 0.1
    alpha = math.exp(-2)
    assert hoeffding_lower(0.7, trials=100, alpha=alpha) == pytest.approx(0.6)
    assert hoeffding_upper(0.7, trials=100, alpha=alpha) == pytest.approx(0.8)
    # Eq. (4) of the paper, ln(2 / alpha), is the alpha / 2 of each of two bounds.
    eq_4 = math.sqrt(math.log(2 / 0.001) / (2 * 100))
    assert hoeffding_lower(0.7, trials=100, alpha=0.0005) == pytest.approx(0.7 - eq_4)


def test_arrays_of_trials_broadcast():
    for bound in BOUNDS:
        table = bound([[0.2], [0.9]], trials=[10, 20, 30], alpha=0.01)
        assert table.shape == (2, 3)
        assert table[1, 2] == bound(0.9, trials=30, alpha=0.01)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda f: f.__name__)
class TestInputs:
    def test_scalars_and_nothing(self, bound):
        single = bound(0.3, trials=5, alpha=0.1)
        assert isinstance(single, np.ndarray)
        assert single.shape == ()
        assert bound([], trials=5, alpha=0.1).shape == (0,)

    @pytest.mark.parametrize(
        ("mean", "trials", "alpha", "message"),
        [
            (1.5, 5, 0.1, r"mean must lie in \[0, 1\], got 1.5"),
            (-0.1, 5, 0.1, r"mean must lie in \[0, 1\], got -0.1"),
            ([0.5, math.nan], 5, 0.1, r"mean must lie in \[0, 1\], got nan"),
            ("0.5", 5, 0.1, "mean must hold real numbers"),
            ([[0.5], [0.5, 0.5]], 5, 0.1, "mean must be a regular array"),
            (0.5, 0, 0.1, "trials must be at least 1, got 0"),
            (0.5, 2.5, 0.1, "trials must be whole numbers, got 2.5"),
            (0.5, 5, 0, r"alpha must be in \(0, 1\), got 0"),
            (0.5, 5, 2.0, r"alpha must be in \(0, 1\), got 2.0"),
            ([0.5, 0.5], [5, 5, 5], 0.1, "broadcast"),
        ],
    )
    def test_bad_ones_are_named(self, bound, mean, trials, alpha, message):
        with pytest.raises(InputError, match=message):
            bound(mean, trials=trials, alpha=alpha)
