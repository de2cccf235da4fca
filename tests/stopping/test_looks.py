"""The plan of a run that stops its images."""

import math

import pytest

from simplicert.errors import InputError
from simplicert.procedures import clopper_pearson, min_draws
from simplicert.stopping import looks_for, spread
from simplicert.votes import Look


@pytest.mark.parametrize(
    ("horizon", "draws"),
    [
        (1, [1]),
        (20, [20]),
        (37, [37]),
        (50, [30, 50]),
        (51, [30, 51]),
        (100, [30, 40, 70, 100]),
        (1000, [30, 40, 70, 100, 150, 230, 350, 500, 750, 1000]),
    ],
)
def test_looks_of_small_horizons(horizon, draws):
    assert [look.draws for look in looks_for(horizon)] == draws


@pytest.mark.parametrize("horizon", [1, 20, 99, 1234, 10_000, 100_000, 2**31, 10**9])
@pytest.mark.parametrize("first", [1, 4, 20, 30, 50, 10**6])
def test_looks_rise_to_the_horizon_in_whole_tens(horizon, first):
    looks = looks_for(horizon, first=first)
    draws = [look.draws for look in looks]
    assert draws == sorted(set(draws))
    assert draws[-1] == horizon
    for look in draws[:-1]:
        assert look % (10 if look < 300 else 50) == 0
        assert 0 < look < 0.9 * horizon
    assert all(isinstance(look, int) for look in draws)
    assert len(looks) < 60


@pytest.mark.parametrize("looks", range(1, 101))
def test_shares_never_sum_to_more_than_1(looks):
    plan = spread(range(1, looks + 1))
    total = math.fsum(look.share for look in plan)
    assert 1.0 - 1e-15 <= total <= 1.0
    assert len({look.share for look in plan[:-1]}) <= 1
    assert looks == 1 or math.isclose(plan[-1].share, 0.6)


def test_the_second_look_can_name_a_class():
    second = looks_for(100_000)[1]
    assert second.draws >= min_draws(clopper_pearson, alpha=0.001 * second.share)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"horizon": 0}, "at least 1, got 0"),
        ({"horizon": 100, "first": 0}, "at least 1, got 0"),
        ({"horizon": -3}, "at least 1, got -3"),
    ],
)
def test_a_plan_needs_whole_numbers(values, says):
    with pytest.raises(InputError, match=says):
        looks_for(**values)


def test_shares_are_spread():
    assert (Look(20, 0.2), Look(60, 0.2), Look(120, 0.6)) == spread([20, 60, 120])
    assert spread([5]) == (Look(5, 1.0),)
    for draws in ([], [5, 5], [0, 3]):
        with pytest.raises(InputError, match=r"looks must|a look needs"):
            spread(draws)
