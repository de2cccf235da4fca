import math

import numpy as np
import pytest

from simplicert.bounds import clopper_pearson_lower
from simplicert.errors import InputError
from simplicert.procedures import (
    PROCEDURES,
    clopper_pearson,
    largest_e0_lower,
    min_draws,
)
from simplicert.procedures.reach import one_hot


@pytest.mark.parametrize("alpha", [1e-9, 1e-3, 0.05, 0.3, 0.999])
def test_one_draw_fewer_cannot_separate(alpha):
    enough = min_draws(clopper_pearson, alpha=alpha)
    assert names(enough, alpha)
    assert not names(enough - 1, alpha)
    # 2 / 2**n <= alpha**2 / 4: so likely is it that draws of a fair coin agree.
    assert enough == math.floor(3 - 2 * math.log2(alpha)) + 1


def names(draws, alpha):
    """Whether any outcome of the draws names a class: all outcomes tried."""
    k = np.arange(draws + 1)
    found = clopper_pearson(one_hot(np.stack([k, draws - k], axis=1)), alpha=alpha)
    return bool((found.e0_lower > found.others_upper).any())


def test_where_the_logarithm_is_whole():
    # 2 / 2**9 is exactly alpha**2 / 4. That would do; rounding goes to the safe side.
    assert min_draws(clopper_pearson, alpha=2 * 0.5**4) == 10
    assert min_draws(clopper_pearson, alpha=2.00001 * 0.5**4) == 9


@pytest.mark.parametrize("draws", [25, 100, 100_000])
def test_unanimous_votes_are_the_best_outcome(draws):
    best = largest_e0_lower(clopper_pearson, draws=draws, alpha=0.001)
    assert best <= 0.0005 ** (1 / draws)
    assert best == pytest.approx(0.0005 ** (1 / draws), rel=1e-9)
    assert best > clopper_pearson_lower(draws - 1, trials=draws, alpha=0.0005)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, math.nan])
def test_bad_alpha(alpha):
    with pytest.raises(InputError, match="alpha must be in"):
        min_draws(clopper_pearson, alpha=alpha)
    with pytest.raises(InputError, match="alpha must be in"):
        largest_e0_lower(clopper_pearson, draws=10, alpha=alpha)


def test_a_single_draw_shows_nothing():
    assert largest_e0_lower(clopper_pearson, draws=1, alpha=0.001) == 0.0


@pytest.mark.parametrize(
    "procedure", PROCEDURES.built_in.values(), ids=lambda p: p.name
)
@pytest.mark.parametrize("alpha", [1e-9, 1e-3, 0.3])
def test_the_reach_is_asked_of_the_procedure(procedure, alpha):
    enough = min_draws(procedure, alpha=alpha)
    assert largest_e0_lower(procedure, draws=enough, alpha=alpha) > 0.5
    if enough > 1:
        assert largest_e0_lower(procedure, draws=enough - 1, alpha=alpha) == 0.0


def test_bad_draws():
    with pytest.raises(InputError, match="trials must be at least 1, got 0"):
        largest_e0_lower(clopper_pearson, draws=0, alpha=0.1)
