"""Bets on a mean: in exact arithmetic 1 stays 1 on average, and is rounded down."""

import itertools
from fractions import Fraction
from math import factorial, log, prod

import numpy as np
import pytest

from simplicert.bounds.betting import log_capital, stake_of
from simplicert.errors import InputError


def outcomes(draws, levels):
    """Histograms of so many draws, and in how many ways each comes about."""
    for cut in itertools.product(range(draws + 1), repeat=levels - 1):
        if sum(cut) <= draws:
            histogram = (*cut, draws - sum(cut))
            yield histogram, factorial(draws) // prod(map(factorial, histogram))


@pytest.mark.parametrize("stake", [0.125, 0.5, 0.875])
def test_capital_is_1_on_average_and_a_thousandth_more_is_not(stake):
    """Of a fair game of three levels, every outcome, in whole numbers."""
    law = [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]
    gains = np.array([[-1.0, 0.0, 0.5]])
    mean = mutated = Fraction(0)
    for histogram, ways in outcomes(6, 3):
        found = log_capital(np.array(histogram), gains, stake=[stake])[0]
        exact = prod(
            (1 + Fraction(stake) * Fraction(gain)) ** times
            for gain, times in zip(gains[0].tolist(), histogram, strict=True)
        )
        assert found < log(exact)
        assert found > log(exact) - 1e-10
        weight = ways * prod(p**k for p, k in zip(law, histogram, strict=True))
        mean += weight * Fraction(np.exp(found))
        mutated += weight * Fraction(np.exp(found * 1.001))
    assert 1 - 1e-9 < mean <= 1
    assert mutated > 1


def test_a_stake_that_can_lose_all_is_refused():
    for stake in (1.0, -0.1, np.nan):
        with pytest.raises(InputError, match="a stake must not"):
            log_capital(np.array([1, 1]), [[-1.0, 1.0]], stake=[stake])


def test_stakes_are_sizes_that_one_draw_cannot_ruin():
    gains = np.array([[-2.0, 1.0], [-1e-9, 1e-9], [-1.0, 0.0]])
    expected = np.array([0.0, 1.0])
    for trials, alpha in [(1, 0.5), (10**6, 1e-12), (1000, 0.05)]:
        stakes = stake_of(expected, gains, trials=trials, alpha=alpha)
        assert (stakes > 0).all()
        assert (stakes * gains.min(axis=1) > -1).all()
    # sqrt(2 ln(20) / 1000), gains of 1
    found = stake_of(
        np.array([0.5, 0.5]), np.array([[-1.0, 1.0]]), trials=1000, alpha=0.05
    )
    assert found.round(6) == 0.077405
