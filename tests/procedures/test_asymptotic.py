"""Goodman's and Sison and Glaz's intervals: values, oracles, edges, and no claim."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.special import gammaln, xlogy
from scipy.stats import poisson

from simplicert import certify
from simplicert.errors import InputError
from simplicert.procedures import PROCEDURES, goodman, largest_e0_lower, sison_glaz
from simplicert.procedures.goodman import goodman_limits
from simplicert.procedures.protocol import Intervals, Procedure
from simplicert.procedures.reach import one_hot
from simplicert.procedures.sison_glaz import (
    Cells,
    _distance,
    _truncated,
    sison_glaz_limits,
)

BOTH = [goodman, sison_glaz]
LIMITS = [goodman_limits, sison_glaz_limits]


def limits_of(limits, counts, *, alpha, lost=0):
    counts = np.atleast_2d(counts)
    return limits(counts, trials=counts.sum(axis=1) + lost, alpha=alpha)


# Goodman


def test_goodman_by_hand():
    # Two classes at 0.1: q = 1.959964**2 = 3.841459, Wilson's interval at 95 %. So
    # (2 * 8 + q ± sqrt(q * (q + 4 * 8 * 2 / 10))) / (2 * (10 + q))
    # = (19.841459 ± 6.272334) / 27.682918.
    low, high = limits_of(goodman_limits, [8, 2], alpha=0.1)
    assert low[0] == pytest.approx([0.490162, 0.056682], abs=1e-6)
    assert high[0] == pytest.approx([0.943318, 0.509838], abs=1e-6)


def test_goodman_as_others_print_it():
    # R's CoinMinD, GM(c(44, 55, 43, 32, 67, 78), 0.05).
    low, high = limits_of(goodman_limits, [44, 55, 43, 32, 67, 78], alpha=0.05)
    printed = [0.09468368, 0.12376893, 0.09208527, 0.06412671, 0.15637944, 0.18692732]
    assert low[0] == pytest.approx(printed, abs=1e-8)
    printed = [0.1966413, 0.2350489, 0.1931040, 0.1535697, 0.2760670, 0.3130119]
    assert high[0] == pytest.approx(printed, abs=1e-7)


def test_goodman_s_ends_solve_the_quadratic_also_where_a_difference_would_not():
    low, _ = limits_of(goodman_limits, [10**9 - 1, 1], alpha=0.001)
    # 1/n votes: the ends' product is x**2 / (n (n + q)), and the upper one known.
    q = 12.115665  # of alpha / 2 = 0.0005, chi-squared with one degree of freedom
    upper = (q + 2 + np.sqrt(q * (q + 4 * (1 - 1e-9)))) / (2 * (1e9 + q))
    assert low[0, 1] == pytest.approx(1 / (1e9 * (1e9 + q) * upper), rel=1e-6)


# Sison and Glaz


def as_second_sample(counts, within):
    """That no count of a second sample is further from these, added up: an oracle."""
    draws = sum(counts)
    near = [range(max(x - within, 0), min(x + within, draws) + 1) for x in counts[:-1]]
    every = np.array(list(product(*near)))
    every = np.column_stack([every, draws - every.sum(axis=1)])
    last = every[:, -1]
    every = every[(last >= 0) & (np.abs(last - counts[-1]) <= within)]
    ways = gammaln(draws + 1) - gammaln(every + 1).sum(axis=1)
    chances = np.array(counts) / draws
    return np.exp(ways + xlogy(every, chances).sum(axis=1)).sum()


@pytest.mark.parametrize("counts", [(5, 3, 2), (10, 7, 3), (20, 20, 20), (50, 30, 20)])
def test_the_probability_is_that_of_a_second_sample(counts):
    cells = Cells.of(np.array([counts]), np.array([sum(counts)]))
    assert np.exp(cells.log_outcome()) == pytest.approx(
        as_second_sample(counts, 0), rel=1e-12
    )
    for within in range(1, 12):
        [found] = np.exp(cells.log_inside(np.array([within])))
        assert found == pytest.approx(as_second_sample(counts, within), abs=0.005)


def test_the_distance_is_where_that_comes_to_one_less_alpha():
    counts, alpha = (50, 30, 20), 0.05
    exact = [as_second_sample(counts, within) for within in range(30)]
    whole = next(c for c in range(30) if exact[c + 1] >= 1 - alpha)
    broken = (1 - alpha - exact[whole]) / (exact[whole + 1] - exact[whole])
    low, high = limits_of(sison_glaz_limits, counts, alpha=alpha)
    assert low[0] == pytest.approx((np.array(counts) - whole) / 100, abs=1e-12)
    upper = (np.array(counts) + whole + 2 * broken) / 100
    assert high[0] == pytest.approx(upper, abs=0.3 / 100)  # v is approximated


def test_sison_and_glaz_as_others_print_it():
    # R's MultinomialCI, multinomialCI(c(56, 72, 73, 59, 62, 87, 58), 0.05).
    low, _ = limits_of(sison_glaz_limits, [56, 72, 73, 59, 62, 87, 58], alpha=0.05)
    printed = [0.07922912, 0.11349036, 0.11563169, 0.08565310, 0.09207709, 0.14561028]
    assert low[0, :6] == pytest.approx(printed, abs=1e-8)


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3])
def test_it_is_the_first_such_distance(alpha):
    # The expansion is not monotone; every distance is tried, from the first.
    random = np.random.default_rng(0)
    chances = random.dirichlet([0.2] * 4, size=60)
    counts = np.array([random.multinomial(120, each) for each in chances])
    cells = Cells.of(counts, np.full(60, 120))
    first = np.full(60, 121)
    for within in range(120, 0, -1):
        enough = np.exp(cells.log_inside(np.full(60, within))) >= 1 - alpha
        first[enough] = within
    first[np.exp(cells.log_outcome()) >= 1 - alpha] = 1
    whole, broken = _distance(cells, 1 - alpha)
    np.testing.assert_array_equal(whole, first - 1)
    assert ((broken >= 0) & (broken <= 1)).all()


@pytest.mark.parametrize(("mean", "within"), [(1, 1), (5, 2), (5, 9), (1000, 50)])
def test_moments_of_what_is_left_of_a_poisson_variable(mean, within):
    values = np.arange(max(mean - within, 0), mean + within + 1)
    mass = poisson.pmf(values, mean)
    law = mass / mass.sum()
    m = (law * values).sum()
    second, third, fourth = ((law * (values - m) ** k).sum() for k in (2, 3, 4))
    wanted = [np.log(mass.sum()), m - mean, second, third, fourth - 3 * second**2]
    found = [each[0] for each in _truncated(np.array([mean]), np.array([within]))]
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-10)


def test_a_table_is_its_rows_one_by_one():
    random = np.random.default_rng(1)
    counts = random.multinomial(50, random.dirichlet([0.3] * 5, size=40))
    low, high = limits_of(sison_glaz_limits, counts, alpha=0.01)
    for row, each in enumerate(counts):
        one_low, one_high = limits_of(sison_glaz_limits, each, alpha=0.01)
        np.testing.assert_allclose(low[row], one_low[0], rtol=1e-12)
        np.testing.assert_allclose(high[row], one_high[0], rtol=1e-12)


def test_a_thousand_classes_and_many_draws_take_few_steps(monkeypatch):
    steps = []
    inside = Cells.log_inside

    def counted(self, within):
        steps.append(len(within))
        return inside(self, within)

    monkeypatch.setattr(Cells, "log_inside", counted)
    random = np.random.default_rng(2)
    counts = random.multinomial(100_000, random.dirichlet([0.3] * 1000, size=3))
    limits_of(sison_glaz_limits, counts, alpha=1e-3)
    limits_of(sison_glaz_limits, [[100_000, *[0] * 999]] * 2, alpha=1e-3)
    limits_of(sison_glaz_limits, [[50_000, 50_000]], alpha=1e-15)  # never enough
    assert len(steps) < 300  # and no more with the number of draws than its logarithm


# Edges


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("alpha", [1e-12, 1e-3, 0.05, 0.5, 0.999])
@pytest.mark.parametrize(
    "counts",
    [[1, 0], [0, 1, 0], [7, 0, 0], [100, 0], [99, 1], [1, 1], [100_000, 0], [0, 0, 3]],
)
def test_no_bound_is_closer_than_unanimous_votes_show(limits, alpha, counts):
    draws = sum(counts)
    low, high = limits_of(limits, counts, alpha=alpha)
    assert ((low >= 0) & (low < 1) & (high > 0) & (high <= 1) & (low <= high)).all()
    if limits is sison_glaz_limits:
        assert low.max() <= alpha ** (1 / draws) * (1 + 1e-12)
        assert high.min() >= (1 - alpha ** (1 / draws)) * (1 - 1e-9)
    for each in BOTH:
        found = each(one_hot(np.array([counts])), alpha=alpha)
        radius = (
            certify(
                one_hot(np.array([counts] * 2)),
                alpha=alpha,
                procedure=each,
                asymptotic=True,
            ).radius
            if found.named[0]
            else np.zeros(1)
        )
        assert np.isfinite(radius).all()


def test_sison_and_glaz_as_published_would_reach_without_limit():
    """What the cap is for: unanimous votes are at distance 0, a bound of exactly 1."""
    whole, broken = _distance(Cells.of(np.array([[100, 0]]), np.array([100])), 0.95)
    assert whole == broken == 0
    assert largest_e0_lower(sison_glaz, draws=100, alpha=0.05) == pytest.approx(
        0.05**0.01, rel=1e-12
    )


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("alpha", [0.0, 1.0, np.nan, -1])
def test_bad_alpha(limits, alpha):
    with pytest.raises(InputError, match=r"alpha must be in \(0, 1\)"):
        limits_of(limits, [8, 2], alpha=alpha)


@pytest.mark.parametrize("limits", LIMITS)
def test_draws_that_voted_for_nobody_are_lost_to_all(limits):
    counts, alpha = [60, 30], 0.05
    low, high = limits_of(limits, counts, alpha=alpha, lost=10)
    whole_low, whole_high = limits_of(limits, [*counts, 10], alpha=alpha)
    if limits is sison_glaz_limits:  # they are a class of their own
        np.testing.assert_allclose(low, whole_low[:, :2])
        np.testing.assert_allclose(high, whole_high[:, :2])
    assert low[0, 0] < 0.6 < high[0, 0]
    assert low[0, 0] < limits_of(limits, counts, alpha=alpha)[0][0, 0]


@pytest.mark.parametrize("limits", LIMITS)
def test_ends_grow_with_the_votes(limits):
    low, high = limits_of(limits, [50, 30, 20, 0, 0], alpha=0.01)
    assert (np.diff(low[0]) <= 0).all()
    assert (np.diff(high[0]) <= 0).all()


# As procedures


@pytest.mark.parametrize("procedure", BOTH, ids=lambda each: each.name)
def test_the_procedure_is_the_ends_of_the_top_two(procedure):
    counts = np.array([[3, 60, 37], [98, 1, 1]])
    found = procedure(one_hot(counts), alpha=0.05)
    limits = dict(zip(BOTH, LIMITS, strict=True))[procedure]
    low, high = limits_of(limits, counts, alpha=0.05)
    assert found.top.tolist() == [1, 0]
    assert found.runner_up.tolist() == [2, 1]
    assert found.e0_lower.tolist() == [low[0, 1], low[1, 0]]
    assert found.e1_upper.tolist() == [high[0, 2], high[1, 1]]
    assert procedure.asymptotic
    assert not PROCEDURES.find("clopper_pearson").asymptotic


def estimates(votes, alpha):
    """No bounds at all: false nearly always."""
    found = goodman.intervals(votes, alpha)
    return replace(found, e0_lower=found.e0 * 0.999, e1_upper=found.e1)


def theirs(intervals, **facts):
    return Procedure(
        name="theirs",
        statistic="multinomial",
        columns=("counts",),
        intervals=intervals,
        **facts,
    )


def test_one_of_yours_claims_no_level_and_has_the_form_of_all():
    with pytest.raises(InputError, match="certifies falsely with probability"):
        PROCEDURES.find(theirs(estimates))
    assert PROCEDURES.find(theirs(estimates, asymptotic=True)).asymptotic

    def broken(votes, alpha) -> Intervals:
        return replace(estimates(votes, alpha), e0_lower=np.full(len(votes), 2.0))

    with pytest.raises(InputError, match="e0_lower must be one float64 an image"):
        PROCEDURES.find(theirs(broken, asymptotic=True))
