"""The sign test of votes and of scores: exact in whole numbers, never too small."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp

from simplicert.bounds import hoeffding_spare, least_lead, log_sign_test
from simplicert.bounds.sign_test import TILT
from simplicert.errors import InputError


def tail(n, k, p):
    """P(Bin(n, p) >= k), as a fraction."""
    p = Fraction(p)
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def test_it_is_the_p_value_and_never_less():
    for n in range(1, 60):
        k = np.arange(n + 1)
        found = log_sign_test(k, trials=n)
        for each, log in zip(k.tolist(), found.tolist(), strict=True):
            exact = mp.log(mp.mpf(2 * int(tail(n, each, Fraction(1, 2)) * 2**n)) / 2**n)
            assert exact <= log <= exact + 2e-6


@pytest.mark.parametrize("n", [1000, 10**5, 10**7, 10**10])
@pytest.mark.parametrize("deviations", [1, 4, 7.5, 11, 29, 33, 60])
def test_with_many_trials_it_is_never_less(n, deviations):
    k = min(math.ceil(n / 2 + deviations * n**0.5 / 2), n)
    with mp.workdps(60):
        log_mass = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
        terms, term, i = mp.mpf(1), mp.mpf(1), k
        while term > terms * mp.mpf(10) ** -15 and i < n and i < k + 20_000:
            term *= mp.mpf(n - i) / (i + 1)
            terms, i = terms + term, i + 1
        if i < n:  # a geometric series bounds the rest
            terms += term * mp.mpf(n - i) / (i + 1) / (1 - mp.mpf(n - i) / (i + 1))
        exact = log_mass - n * mp.log(2) + mp.log(2 * terms)
        # With 10**10 trials, the few terms summed here are a bound from above.
        found = mp.mpf(float(log_sign_test(k, trials=n)))
        summed_up = i >= n or term <= terms * mp.mpf(10) ** -15
        assert not summed_up or found >= exact
        loose = 0.01 if exact > -450 else 8  # Chernoff's bound, below any float
        assert found <= exact + loose


def test_below_any_float_it_still_tells():
    found = log_sign_test([5000, 4999, 10**10], trials=[5000, 5000, 10**10])
    exact = np.log(2) - np.array([5000, 5000, 1e10]) * np.log(2)
    assert np.all(found >= exact)
    assert found[0] == pytest.approx(exact[0], abs=1e-3)
    assert found[2] == pytest.approx(exact[2], rel=1e-9)


def test_half_or_less_says_nothing():
    assert np.all(log_sign_test([0, 0, 5, 3], trials=[1, 10, 10, 10]) > 0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"successes": 11, "trials": 10}, "between 0 and trials"),
        ({"successes": -1, "trials": 10}, "between 0 and trials"),
        ({"successes": 0.5, "trials": 10}, "whole numbers"),
        ({"successes": 0, "trials": 0}, "at least 1"),
        ({"successes": 5, "trials": 10**11}, "at most 1e\\+10"),
    ],
)
def test_bad_counts(given, says):
    with pytest.raises(InputError, match=says):
        log_sign_test(given["successes"], trials=given["trials"])


# --- scores -----------------------------------------------------------------------

ATOMS = {
    "votes": [(1, 0), (0, 1)],
    "votes, and a third class": [(1, 0), (0, 1), (0, 0)],
    "sure, or torn": [(1, 0), (0.25, 0.75), (0, 0.5)],
    "never sure": [(0.5, 0.25), (0.25, 0.5), (0.375, 0.375)],
}


@pytest.mark.parametrize("atoms", ATOMS.values(), ids=ATOMS)
@pytest.mark.parametrize("alpha", [0.4, 0.05, 0.001])
def test_a_class_that_is_not_larger_seldom_leads(atoms, alpha):
    """Every outcome of n draws, for laws under which the first mean is not larger."""
    checked = 0
    for n, steps in ((5, 10), (24, 8)):
        cells = itertools.product(range(n + 1), repeat=len(atoms) - 1)
        table = np.array([(*c, n - sum(c)) for c in cells if sum(c) <= n])
        first, second = (
            table @ np.array(atoms).T[0] / n,
            table @ np.array(atoms).T[1] / n,
        )
        lead = least_lead(first + second, trials=n, log_alpha=math.log(alpha))
        leads = table[first - second >= lead].tolist()
        ways = [math.factorial(n) // math.prod(map(math.factorial, c)) for c in leads]
        shares = itertools.product(range(steps + 1), repeat=len(atoms) - 1)
        for law in ((*s, steps - sum(s)) for s in shares if sum(s) <= steps):
            mean = [
                sum(p * Fraction(a[i]) for p, a in zip(law, atoms, strict=True))
                for i in (0, 1)
            ]
            if mean[0] <= mean[1]:
                mass = sum(
                    w * math.prod(p**k for p, k in zip(law, c, strict=True))
                    for w, c in zip(ways, leads, strict=True)
                )
                assert Fraction(mass, steps**n) <= Fraction(alpha)
                checked += 1
    assert checked > 10


def test_the_lead_is_its_formula_rounded_up():
    with mp.workdps(40):
        for both, n, log in (
            (1.0, 7, -0.5),
            (0.3, 10**5, -17.25),
            (0.0, 10**10, -900.0),
        ):
            exact = mp.sqrt(mp.mpf(-log) / (2 * n)) * (1 / mp.mpf(TILT) + TILT * both)
            found = float(least_lead(both, trials=n, log_alpha=log))
            assert exact <= found <= exact * (1 + mp.mpf(10) ** -9) + mp.mpf(10) ** -14
    with pytest.raises(InputError, match="log_alpha must be negative"):
        least_lead([0.5], trials=10, log_alpha=0.0)


@pytest.mark.parametrize("alpha", [1e-12, 1e-3, 0.05, 0.5, 0.999])
def test_what_hoeffding_leaves_is_its_formula_rounded_down(alpha):
    with mp.workdps(40):
        a = mp.mpf(alpha) / 2
        c = (1 - a) * mp.exp(-a * (2 * mp.log(1 / a) + 1) / (1 - a))
        exact = mp.log(2 * a * a * c)
        assert exact - 1e-11 <= hoeffding_spare(alpha) < exact


@pytest.mark.parametrize("a", [0.45, 0.25, 0.1, 0.025, 0.0005])
def test_hoeffding_leaves_that_much(a):
    """Lemma 4: scores of 0 and 1, which spread most, and a third value between."""
    spare = math.exp(hoeffding_spare(2 * a)) / 2
    assert 0 < spare < a * a
    for n in (1, 2, 5, 17, 60, 400):
        width = math.sqrt(math.log(1 / a) / (2 * n))
        for p in np.linspace(0.0, 1.0, 201):
            k = np.arange(n + 1)
            mass = (
                np.exp(
                    [
                        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
                        for i in k
                    ]
                )
                * p**k
                * (1 - p) ** (n - k)
            )
            assert mass[k / n - p >= width].sum() <= a - spare
