"""Half the gap of two quantiles, from below: exact, and no worse than two bounds."""

from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from scipy.special import gammaln, ndtr, ndtri, xlogy
from scipy.stats import binom

from simplicert.bounds import clopper_pearson_lower, half_gap_lower
from simplicert.bounds.cover import Cover, _curvatures, _curve, _widened
from simplicert.bounds.half_gap import _bound
from simplicert.bounds.staircase import Law, Staircase, order_of
from simplicert.errors import InputError

NEAR_THE_EDGE = -np.concatenate([[0.0], np.geomspace(1e-4, 4.0, 30)])
"""Where a law is on its curve, by u: two classes alone first."""


def outcomes(n):
    return np.array([(x, y) for x in range(n + 1) for y in range(n + 1 - x)])


def masses(n, seen, half_gap, u=NEAR_THE_EDGE):
    """The probability of each outcome at laws of one half gap, exactly."""
    x, y = seen.T
    rest = n - x - y
    ways = gammaln(n + 1) - gammaln(x + 1) - gammaln(y + 1) - gammaln(rest + 1)
    p, q = ndtr(u + half_gap)[:, None], ndtr(u - half_gap)[:, None]
    r = np.maximum(ndtr(-u - half_gap)[:, None] - q, 0.0)
    return np.exp(ways + xlogy(x, p) + xlogy(y, q) + xlogy(rest, r))


def false_share(n, alpha, times=1.0):
    """Largest probability, as a share of alpha, that the bound exceeds the truth.

    Over the laws just below each value of the bound, where most outcomes exceed it.
    """
    seen = outcomes(n)
    bound = half_gap_lower(*seen.T, trials=n, alpha=alpha) * times
    worst = 0.0
    for value in np.unique(bound[bound > 0]):
        truth = value * (1.0 - 1e-12)
        false = masses(n, seen, truth)[:, bound > truth].sum(axis=1)
        worst = max(worst, false.max() / alpha)
    return worst


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001, 1e-12])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12, 20])
def test_it_is_false_at_most_alpha_often_whatever_the_law(n, alpha):
    assert false_share(n, alpha) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
@pytest.mark.parametrize("n", [30, 45, 60])
def test_it_is_false_at_most_alpha_often_of_more_draws(n, alpha):
    assert 0.99 < false_share(n, alpha) <= 1.0


@pytest.mark.parametrize(("n", "alpha"), [(12, 0.05), (20, 0.001), (20, 0.4)])
def test_a_thousandth_more_would_be_false_too_often(n, alpha):
    assert false_share(n, alpha, times=1.001) > 1.0


def exact_ranks(n, alpha):
    lower = clopper_pearson_lower(np.arange(n + 1), trials=n, alpha=alpha)
    with np.errstate(divide="ignore"):
        return ndtri(lower)


@pytest.mark.parametrize("law", [(6, 3, 1), (1, 1, 8), (13, 6, 1), (997, 2, 1)])
@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_the_outcomes_that_rank_as_high_are_summed_as_in_fractions(n, law):
    weights = [Fraction(part, sum(law)) for part in law]
    floats = dict(zip(("first", "second", "rest"), map(float, weights), strict=True))
    q, order = exact_ranks(n, 0.0005), order_of(n, 0.0005)
    for first in range(1, n + 1):
        for second in range(n + 1 - first):
            exact = sum(
                comb(n, x)
                * comb(n - x, y)
                * weights[0] ** x
                * weights[1] ** y
                * weights[2] ** (n - x - y)
                for x in range(1, n + 1)
                for y in range(n + 1 - x)
                if q[x] + q[n - y] >= q[first] + q[n - second] - 1e-11
            )
            stairs = Staircase(order, first, second)
            found = stairs.probability(Law(**floats), 1e-12)
            assert exact <= found <= exact * (1 + 2e-7) + 1e-12


def summed(n, alpha, first, second, p, q):
    """The same sum by another library's functions, at any number of draws."""
    ranks = np.maximum.accumulate(exact_ranks(n, alpha))
    near = 12 * np.sqrt(n * p * (1 - p)) + 60
    x = np.arange(max(1, int(n * p - near)), min(n, int(n * p + near)) + 1)
    need = ranks[first] + ranks[n - second] - ranks[x] - 1e-11
    y = n - np.maximum(np.searchsorted(ranks, need), x)
    share = min(q / (1 - p), 1.0)
    below = np.where(y >= 0, binom.cdf(y, n - x, share), 0.0)
    return float((binom.pmf(x, n, p) * below).sum())


@pytest.mark.parametrize("tail", [0.3, 1e-2, 1e-5])
def test_what_is_left_out_of_the_sum_is_added(tail):
    order = order_of(2000, 0.0005)
    for first, second in [(1900, 50), (1200, 700), (1999, 0), (300, 20)]:
        stairs = Staircase(order, first, second)
        gap = (order.quantiles[first] + order.quantiles[2000 - second]) / 2
        for u in (-1e-3, -0.1, -0.5, -1.5):
            for r in (gap, gap + 0.15):
                p, q = ndtr(u + r), ndtr(u - r)
                exact = summed(2000, 0.0005, first, second, p, q)
                law = {"first": p, "second": q, "rest": ndtr(-u - r) - q}
                found = stairs.probability(Law(**law), tail)
                assert exact <= found * (1 + 1e-9)
                assert found <= exact * (1 + 3e-7) + 2 * tail  # of both sides
                more = stairs.probability(Law(**law, log_total=1e-3), tail)
                assert more == pytest.approx(found * np.exp(2.0), rel=1e-12)


@pytest.mark.parametrize(
    ("n", "first", "second"),
    [
        (100, 99, 0),
        (100, 85, 5),
        (1000, 999, 0),
        (1000, 450, 10),
        (1000, 300, 50),
        (5000, 2_500, 1_000),
        (5000, 5_000, 0),
    ],
)
@pytest.mark.parametrize("alpha", [0.05, 0.001, 1e-12])
def test_no_law_of_the_gap_makes_the_outcome_more_probable(n, first, second, alpha):
    """The bound of the sup, tried at many points between those that it rests on."""
    bound = float(half_gap_lower(first, second, trials=n, alpha=alpha))
    each = -np.expm1(0.5 * np.log1p(-alpha))
    laws = -np.concatenate([[1e-9], np.geomspace(1e-5, 3.0, 25)])
    found = [
        summed(n, each, first, second, ndtr(u + bound), ndtr(u - bound)) for u in laws
    ]
    assert 0.9 * alpha < max(found) <= alpha


@pytest.mark.parametrize("gap", [0.01, 0.4, 1.5, 4.0])
@pytest.mark.parametrize("width", [1e-3, 0.03, 0.12])
def test_between_two_points_no_outcome_is_more_than_the_two_allow(gap, width):
    """What Hoelder's inequality needs of each class's weight, between two points."""
    for right in -np.geomspace(1e-4, 3.0, 12):
        left = right * (1.0 + width)
        ends = np.array([right, left])
        widened = np.array(
            [
                np.log([law.first, law.second, law.rest]) + law.log_total
                for law in _widened(ends, gap)
            ]
        )
        for share in np.linspace(0.0, 1.0, 21):
            at = np.array([(1 - share) * right + share * left])
            here = np.log(_curve(at, gap))[:, 0]
            most = (1 - share) * widened[0] + share * widened[1]
            assert np.all(here <= most + 1e-12)


COVERED = [(100, 99, 0), (100, 85, 5), (400, 160, 90), (1000, 450, 10)]


def cover_of(n, first, second, alpha=0.001):
    stairs = Staircase(order_of(n, alpha / 2), first, second)
    return Cover(stairs, level=alpha, loss=0.002)


@pytest.mark.parametrize("case", COVERED)
def test_the_first_piece_and_the_last_are_bounded_whatever_is_in_them(case):
    cover = cover_of(*case)
    gap = float(half_gap_lower(*case[1:], trials=case[0], alpha=0.001))
    for end in (-1e-3, -0.03, -0.1):
        inside = [cover.probability(gap, u) for u in np.linspace(end, end / 50, 8)]
        assert max(inside) <= cover._edge(gap, end)
    last = cover._points(gap, *cover.rough(gap))[-1]
    assert binom.sf(cover.stairs.least - 1, case[0], ndtr(last + gap)) <= 0.001


@pytest.mark.parametrize("case", COVERED)
def test_a_guess_that_is_wrong_proves_nothing(case):
    """Nor does a hopeful one: the points are then so few that the pieces are wide."""
    cover = cover_of(*case)
    gap = float(half_gap_lower(*case[1:], trials=case[0], alpha=0.001))
    u, logs = cover.rough(gap * 1.004 + 1e-3)
    for guess in (logs, logs - 1.0, np.full_like(logs, -600.0)):
        assert not cover.holds(gap * 1.004 + 1e-3, (u, guess))[0]
    assert cover.holds(gap * 0.99, cover.rough(gap * 0.99))[0]


@pytest.mark.parametrize("case", COVERED)
def test_a_first_piece_that_is_too_wide_is_no_proof(case, monkeypatch):
    cover = cover_of(*case)
    gap = float(half_gap_lower(*case[1:], trials=case[0], alpha=0.001)) * 0.999
    rough = cover.rough(gap)
    points = cover._points(gap, *rough)
    monkeypatch.setattr(cover, "_points", lambda *_: points[points < points[-1] / 2])
    assert not cover.holds(gap, rough)[0]


def test_the_curvatures_are_bounds_of_second_differences():
    for gap in (0.01, 0.5, 2.0, 4.0):
        u = -np.geomspace(0.01, 4.0, 40)
        bounds = _curvatures(u, gap)
        for i, (right, left) in enumerate(pairwise(u)):
            inside = np.linspace(left, right, 9)
            step = (right - left) / 200
            log = [np.log(_curve(inside + k * step, gap)) for k in (-1, 0, 1)]
            second = (log[0] - 2 * log[1] + log[2]) / step**2
            noise = 1e-14 / step**2 * (1 + np.abs(log[1]))
            assert np.all(-second[:, 1:-1] <= bounds[:, [i]] * 1.001 + noise[:, 1:-1])


@pytest.mark.parametrize("alpha", [0.05, 0.001, 1e-6])
@pytest.mark.parametrize("n", [20, 100, 1000])
def test_it_is_never_below_two_bounds_or_one_at_all_of_alpha(n, alpha):
    """Not by more than a thousandth of sigma; the order does it, no maximum."""
    tenths = [(n * i // 12, n * j // 12) for i in range(1, 13) for j in range(i)]
    corners = [(n, 0), (n - 1, 0), (n - 1, 1), (n - 2, 1), (n // 2 + 2, 1)]
    x, y = np.array([pair for pair in {*tenths, *corners} if sum(pair) <= n]).T
    bound = half_gap_lower(x, y, trials=n, alpha=alpha)
    ranks = exact_ranks(n, -np.expm1(0.5 * np.log1p(-alpha)))
    one = ndtri(clopper_pearson_lower(x, trials=n, alpha=alpha))
    assert np.all(bound >= (ranks[x] + ranks[n - y]) / 2 - 1e-12)
    assert np.all(bound >= one - 1e-3)
    gains = bound > (ranks[x] + ranks[n - y]) / 2
    assert gains[bound > 0].all()


def test_all_votes_for_one_class_have_the_bound_of_one_class():
    for n, alpha in [(30, 0.001), (100, 0.05), (10_000, 0.001), (100_000, 1e-12)]:
        exact = ndtri(alpha ** (1 / n))
        assert half_gap_lower(n, 0, trials=n, alpha=alpha) <= exact
        np.testing.assert_allclose(
            half_gap_lower(n, 0, trials=n, alpha=alpha), exact, atol=5e-4
        )


def test_nothing_is_proved_of_ties_or_of_votes_for_others():
    assert half_gap_lower([0, 5, 3, 0], [0, 5, 7, 10], trials=10, alpha=0.4).max() == 0
    assert half_gap_lower(1, 0, trials=1, alpha=0.4) == 0.0


def test_an_outcome_is_solved_once():
    _bound.cache_clear()
    for _ in range(2):
        half_gap_lower([90, 80, 90], [5, 10, 5], trials=100, alpha=0.011)
    assert _bound.cache_info().misses == 2


def test_any_shape_is_taken_and_equal_outcomes_have_equal_bounds():
    bound = half_gap_lower([[90], [80], [90]], [5, 10], trials=[100, 200], alpha=0.01)
    assert bound.shape == (3, 2)
    assert np.array_equal(bound[0], bound[2])
    assert half_gap_lower([], [], trials=10, alpha=0.01).shape == (0,)
    assert half_gap_lower(90, 5, trials=100, alpha=0.01) == bound[0, 0]


@pytest.mark.parametrize(
    ("first", "second", "trials", "alpha", "says"),
    [
        (6, 5, 10, 0.1, "must sum to at most trials, got 6 . 5 of 10"),
        (1.5, 0, 10, 0.1, "whole"),
        (11, 0, 10, 0.1, "between 0 and trials"),
        (5, -1, 10, 0.1, "between 0 and trials"),
        (5, 0, 2**21 + 1, 0.1, "at most 2,097,152"),
        (5, 0, 10, 1e-101, "at least 1e-100"),
        (5, 0, 10, 1.0, "alpha must be in"),
        (5, 0, 10, float("nan"), "alpha must be in"),
    ],
)
def test_what_cannot_be_is_refused(first, second, trials, alpha, says):
    with pytest.raises(InputError, match=says):
        half_gap_lower(first, second, trials=trials, alpha=alpha)


@pytest.mark.parametrize("alpha", [1e-100, 1e-12, 0.5, 1 - 1e-9])
def test_the_ends_of_alpha_are_taken(alpha):
    bound = half_gap_lower([1000, 999, 600], [0, 1, 300], trials=1000, alpha=alpha)
    assert np.isfinite(bound).all()
    assert np.all(np.diff(bound) <= 0)
