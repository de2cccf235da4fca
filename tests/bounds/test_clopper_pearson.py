"""Coverage by exact enumeration, and outward rounding against 40 digits."""

import itertools
import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from scipy.special import betainc
from scipy.stats import binom

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.errors import InputError

BOUNDS = [clopper_pearson_lower, clopper_pearson_upper]


@pytest.mark.parametrize("trials", [1, 2, 7, 40, 100])
@pytest.mark.parametrize("alpha", [1e-9, 0.0005, 0.05, 0.5, 0.9])
def test_coverage_is_at_least_nominal_for_every_proportion(trials, alpha):
    # Exact, not simulated: sum the binomial mass of every outcome whose bound holds.
    k = np.arange(trials + 1)
    lower = clopper_pearson_lower(k, trials=trials, alpha=alpha)
    upper = clopper_pearson_upper(k, trials=trials, alpha=alpha)
    # Coverage is worst where a bound is about to hold: beside the bounds themselves.
    proportions = np.concatenate(
        [np.linspace(0, 1, 201), np.nextafter(lower, 0), np.nextafter(upper, 1)]
    )
    mass = binom.pmf(k, trials, proportions[:, np.newaxis])
    holds_below = lower <= proportions[:, np.newaxis]
    holds_above = proportions[:, np.newaxis] <= upper
    assert np.all((mass * ~holds_below).sum(axis=1) <= alpha + 1e-13)
    assert np.all((mass * ~holds_above).sum(axis=1) <= alpha + 1e-13)


def failure_in_rationals(k, trials, proportion):
    """P(k or more successes), exactly."""
    p = Fraction(proportion)
    return sum(
        math.comb(trials, j) * p**j * (1 - p) ** (trials - j)
        for j in range(k, trials + 1)
    )


@pytest.mark.parametrize("trials", [1, 5, 12])
@pytest.mark.parametrize("alpha", [1e-9, 0.0005, 0.05, 0.5])
def test_the_guarantee_holds_for_the_returned_float_as_a_real_number(trials, alpha):
    k = np.arange(trials + 1)
    lower = clopper_pearson_lower(k, trials=trials, alpha=alpha)
    upper = clopper_pearson_upper(k, trials=trials, alpha=alpha)
    for j in range(1, trials + 1):
        assert failure_in_rationals(j, trials, lower[j]) <= Fraction(alpha)
        missed = failure_in_rationals(j, trials, 1 - Fraction(upper[trials - j]))
        assert missed <= Fraction(alpha)


def tail(k, n, p):
    """P(k or more of n), by summing it up: neither a beta function nor its inverse."""
    with mp.workdps(40):
        p = mp.mpf(p)
        log_first = (
            mp.loggamma(n + 1)
            - mp.loggamma(k + 1)
            - mp.loggamma(n - k + 1)
            + k * mp.log(p)
            + (n - k) * mp.log1p(-p)
        )
        odds = p / (1 - p)
        total = term = mp.mpf(1)
        for j in range(k, n):
            term *= odds * (n - j) / (j + 1)
            total += term
            if term < total * mp.mpf(10) ** -25:
                break
        return mp.exp(log_first) * total


def inwards(bound):
    return 1e-9 * min(bound, 1 - bound) + (4e-16 if bound > 0.5 else 0.0)


LARGE = [
    (k, n, alpha)
    for n, alpha in itertools.product([10, 1_000, 100_000, 1_000_000], [1e-9, 5e-4])
    for k in sorted({1, 2, n // 100 + 1, n // 2, n - n // 1000 - 1, n})
] + [
    *[(30_000, 100_000, 0.3), (3, 1_000_000, 0.9), (999_990, 1_000_000, 1e-9)],
    # Here scipy's inverse errs by more than the first step outwards.
    *[(15, 8_811_693, 0.9), (8_381_139, 8_381_140, 5e-4)],
]


@pytest.mark.parametrize(("k", "n", "alpha"), LARGE)
def test_outward_of_the_true_bound_and_close_to_it(k, n, alpha):
    lower = float(clopper_pearson_lower(k, trials=n, alpha=alpha))
    assert tail(k, n, lower) <= alpha
    with mp.workdps(40):
        # Inwards by 1e-9 of the distance to the nearer end, and a few roundings of a
        # float below 1, the guarantee is lost.
        lost = mp.mpf(lower) + inwards(lower)
        assert tail(k, n, lost) > alpha
        # An upper bound is a lower bound on failures.
        upper = float(clopper_pearson_upper(n - k, trials=n, alpha=alpha))
        assert tail(k, n, 1 - mp.mpf(upper)) <= alpha
        lost = mp.mpf(upper) - inwards(upper)
        assert tail(k, n, 1 - lost) > alpha


@pytest.mark.parametrize("bits", range(20, 34))
def test_close_to_one_the_last_rounding_is_outwards_too(bits):
    # 1 - bound has few digits here: half a unit in its last place is up to 1e-3 of it.
    for trials in (2**bits, 3 ** (bits // 2)):
        lower = float(clopper_pearson_lower(trials, trials=trials, alpha=5e-4))
        upper = float(clopper_pearson_upper(0, trials=trials, alpha=5e-4))
        with mp.workdps(40):
            assert mp.mpf(lower) ** trials <= 5e-4
            assert (1 - mp.mpf(upper)) ** trials <= 5e-4


@pytest.mark.parametrize("trials", [1, 10, 100_000])
@pytest.mark.parametrize("alpha", [1e-220, 1e-9, 0.001, 0.5, 1 - 1e-16])
def test_exact_at_the_ends_and_never_nan(trials, alpha):
    k = np.unique([0, 1, trials // 3, trials - 1, trials])
    lower = clopper_pearson_lower(k, trials=trials, alpha=alpha)
    upper = clopper_pearson_upper(k, trials=trials, alpha=alpha)
    assert lower[0] == 0
    assert upper[-1] == 1
    assert np.all((lower >= 0) & (lower < 1))
    assert np.all((upper > 0) & (upper <= 1))
    if alpha > 1e-100:  # the inverse of so little may be refused: then all is given up
        assert np.all(np.diff(lower) >= 0)
        assert np.all(np.diff(upper) >= 0)
    unanimous = alpha ** (1 / trials)
    assert lower[-1] <= unanimous
    assert lower[-1] == pytest.approx(unanimous, rel=1e-9, abs=1e-15)


def test_arrays_of_trials_broadcast():
    k, n = np.array([[0], [3]]), np.array([3, 4, 500])
    for bound in BOUNDS:
        table = bound(k, trials=n, alpha=0.01)
        assert table.shape == (2, 3)
        for i, j in np.ndindex(2, 3):
            assert table[i, j] == bound(int(k[i, 0]), trials=int(n[j]), alpha=0.01)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda f: f.__name__)
class TestInputs:
    def test_scalars_and_nothing(self, bound):
        single = bound(3, trials=5, alpha=0.1)
        assert isinstance(single, np.ndarray)
        assert single.shape == ()
        assert bound([], trials=5, alpha=0.1).shape == (0,)

    @pytest.mark.parametrize(
        ("successes", "trials", "alpha", "message"),
        [
            (2.5, 5, 0.1, "successes must be whole numbers, got 2.5"),
            (math.nan, 5, 0.1, "successes must be whole numbers, got nan"),
            ([1, 6], 5, 0.1, "successes must lie between 0 and trials, got 6 of 5"),
            (-1, 5, 0.1, "successes must lie between 0 and trials, got -1 of 5"),
            (0, 0, 0.1, "trials must be at least 1, got 0"),
            (0, -3, 0.1, "trials must be at least 1, got -3"),
            (0, 7.5, 0.1, "trials must be whole numbers, got 7.5"),
            (0, math.inf, 0.1, "trials must be whole numbers, got inf"),
            (1, 5, 0.0, r"alpha must be in \(0, 1\), got 0.0"),
            (1, 5, 1.0, r"alpha must be in \(0, 1\), got 1.0"),
            (1, 5, math.nan, r"alpha must be in \(0, 1\), got nan"),
            ("3", 5, 0.1, "successes must hold real numbers"),
            ([1, 2], [5, 5, 5], 0.1, "broadcast"),
            (53, 70, 1e-221, r"cannot be computed at alpha 1e-221.* at least 1e-220"),
            (5, [9, 10**10 + 1], 0.1, r"of 1e\+10 trials: at most 1e\+10 can"),
        ],
    )
    def test_bad_ones_are_named(self, bound, successes, trials, alpha, message):
        with pytest.raises(InputError, match=message):
            bound(successes, trials=trials, alpha=alpha)


# Where SciPy's functions begin to fail: within, the guarantee still holds.
EDGES = [
    (k, n, 1e-220)
    for n in (10, 70, 445, 10_000)
    for k in (1, 2, n // 3, (n + 1) // 2, (3 * n) // 4, n - 1, n)
] + [(5, 10**10, 1e-220), (10**10 - 5, 10**10, 5e-4), (5 * 10**9, 10**10, 1e-220)]
NEAR_HALF = [((n + 1) // 2, n, 5e-4) for n in (2**31 - 1, 10**10 - 1)]


@pytest.mark.parametrize(
    ("k", "n", "alpha"),
    EDGES + [pytest.param(*case, marks=pytest.mark.slow) for case in NEAR_HALF],
)
def test_the_guarantee_holds_to_the_end_of_the_range(k, n, alpha):
    lower = float(clopper_pearson_lower(k, trials=n, alpha=alpha))
    assert tail(k, n, lower) <= alpha
    with mp.workdps(40):
        upper = float(clopper_pearson_upper(n - k, trials=n, alpha=alpha))
        assert tail(k, n, 1 - mp.mpf(upper)) <= alpha


def test_what_cannot_be_evaluated_is_no_confirmation(monkeypatch):
    # As betainc is at a quantile of far more trials than are taken.
    unknown = "simplicert.bounds.clopper_pearson.betainc"
    true, asked = betainc, []

    def nan_at_first(a, b, p):
        asked.append(p)
        return np.full(np.shape(p), np.nan) if len(asked) < 4 else true(a, b, p)

    monkeypatch.setattr(unknown, nan_at_first)
    lower = float(clopper_pearson_lower(30, trials=100, alpha=0.0005))
    monkeypatch.undo()
    assert len(asked) >= 4
    assert lower < clopper_pearson_lower(30, trials=100, alpha=0.0005)
