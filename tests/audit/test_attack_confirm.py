"""The test of a candidate is exact, and there are no more than were paid for."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from simplicert.audit.attack.confirm import Confirmations, draws_to_tell, sign_test
from simplicert.audit.attack.target import Target


@pytest.mark.parametrize("trials", [1, 2, 7, 40])
def test_a_p_value_is_the_binomial_tail(trials):
    for rival in range(trials + 1):
        tail = sum(math.comb(trials, k) for k in range(rival, trials + 1)) / 2**trials
        assert sign_test(trials - rival, rival) == pytest.approx(tail, rel=1e-12)


@pytest.mark.parametrize("level", [0.05, 1e-3, 1e-9])
def test_a_class_that_is_the_likelier_one_is_rejected_no_oftener_than_the_level(level):
    # Exact: the sum over all outcomes, where both are as likely, which is the worst.
    trials = 300
    rejected = [sign_test(trials - k, k) <= level for k in range(trials + 1)]
    for share in (0.5, 0.45, 0.2):
        assert binom.pmf(np.flatnonzero(rejected), trials, share).sum() <= level


@pytest.mark.parametrize("margin", [1.0, 0.3, 0.05, 0.02])
@pytest.mark.parametrize("level", [1e-6, 1e-9])
def test_so_many_draws_are_nearly_always_enough(margin, level):
    draws = draws_to_tell(margin, level)
    power = binom.sf(binom.isf(level, draws, 0.5), draws, (1 + margin) / 2)
    assert power > 0.97


class Always(Target):
    """A target whose rival has all votes."""

    def __init__(self):
        self.seeds = []

    def fresh_seed(self):
        return len(self.seeds)

    def votes(self, points, draws, *, seed, checked):
        assert checked
        assert len(points) == 1
        self.seeds.append(seed)
        return np.array([[0, draws]])


def test_there_are_as_many_tests_as_share_the_level():
    tests, target, point = (
        Confirmations(1e-6, 3),
        Always(),
        np.zeros((1, 2, 2), np.float32),
    )

    def reject(draws):
        return tests.reject(target, point, held=0, rival=1, draws=draws)

    assert tests.each == pytest.approx(1e-6 / 3)
    assert reject(21) is None  # 2**-21 is below 1e-6, not below a third of it
    assert reject(22) == ((0, 22), 1, 2.0**-22)
    assert reject(1000) is not None
    assert reject(1000) is None  # none is left, so nothing is drawn
    assert target.seeds == [0, 1, 2]
