"""The benchmark says in short what the library says, and its rivals are valid."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from simplicert import stopping
from simplicert.certificates import certify
from simplicert.votes import Look, Votes

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "stopping.py"
spec = importlib.util.spec_from_file_location("stopping_benchmark", SCRIPT)
benchmark = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = benchmark  # where its dataclasses look for their module
spec.loader.exec_module(benchmark)

RANDOM = np.random.default_rng(0)
CHANCES = RANDOM.dirichlet([3.0, 1.0, 0.5], size=60)


def votes_of(counts, looks):
    return Votes(
        counts=counts,
        draws=counts.sum(axis=1),
        indices=np.arange(len(counts)),
        sigma=1.0,
        source={},
        looks=looks,
    )


def cases(plan):
    """Votes of every look but the last, and what the benchmark has of them."""
    looks = tuple(map(Look, plan.draws, plan.shares))
    for k, n in enumerate(plan.draws[:-1]):
        counts = np.random.default_rng(k).multinomial(n, CHANCES)
        yield k, votes_of(counts, looks), np.sort(counts, axis=1)[:, [-1, -2]].T


def test_radii_are_those_of_certify():
    plan = benchmark.plan(last=2000)
    for k, votes, two in cases(plan):
        made = certify(votes, alpha=benchmark.ALPHA)
        np.testing.assert_array_equal(plan.now(k, two), made.radius)


def test_decisions_are_those_of_the_rules():
    plan, radii = benchmark.plan(last=2000), [0.3, 0.7, 1.1]
    pairs = [
        (stopping.until(radii), benchmark.until(*radii)),
        (stopping.within(0.2, radius=1.0), benchmark.within(0.2, 1.0)),
    ]
    seen = set()
    for k, votes, two in cases(plan):
        now, best = plan.now(k, two), plan.best(k, two)
        for theirs, ours in pairs:
            decided = ours(now, best)
            np.testing.assert_array_equal(
                theirs.decided(votes, benchmark.ALPHA), decided
            )
            seen |= set(decided.tolist())
    assert seen == {True, False}


@pytest.mark.parametrize("horizon", [100, 1_000, 100_000])
def test_the_plan_is_the_library_s(horizon):
    plan = benchmark.plan(last=horizon)
    looks = stopping.looks_for(horizon)
    assert plan.draws == tuple(look.draws for look in looks)
    assert plan.shares == pytest.approx([look.share for look in looks])


def ever_broken(p, alpha, times, horizon):
    """Probability that the betting bound is ever above ``p``: every path added up."""
    mass, broken = np.array([1.0]), 0.0
    for n in range(1, horizon + 1):
        mass = np.convolve(mass, [1.0 - p, p])
        if n in times:
            lower = benchmark.betting_lower(np.arange(n + 1), n, alpha)
            broken += mass[lower > p].sum()
            mass[lower > p] = 0.0
    return broken


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.8, 0.99])
def test_the_betting_sequence_covers_at_all_times_at_once(p):
    times = set(range(1, 121))
    assert ever_broken(p, 0.05, times, 120) <= 0.05
    # and is no straw man
    if p == 0.5:
        assert ever_broken(p, 0.05, times, 120) > 0.01


def test_its_wealth_falls_in_the_proportion_so_that_bisection_finds_the_bound():
    for n in (1, 7, 40, 1000):
        for k in {1, n // 3, n // 2, n - 1, n} - {0}:
            p = np.linspace(1e-6, k / n, 500)[:-1]
            wealth = benchmark.log_wealth(float(k), n, p)
            assert np.all(np.diff(wealth) < 1e-9)


def test_fixed_clopper_pearson_at_each_look_would_not_cover():
    # The same count of paths sees an interval that is not made for looking often.
    from simplicert.bounds import clopper_pearson_lower

    mass, broken, p = np.array([1.0]), 0.0, 0.5
    for n in range(1, 121):
        mass = np.convolve(mass, [1.0 - p, p])
        lower = clopper_pearson_lower(np.arange(n + 1), trials=n, alpha=0.05)
        broken += mass[lower > p].sum()
        mass[lower > p] = 0.0
    assert broken > 0.1
    assert binom.sf(0, 1, p) == p  # paths are of fair draws


def test_horvath_spends_alpha_once_and_draws_afresh():
    method = benchmark.Horvath()
    assert method.spent.tolist() == [100, 1_100, 11_100, 111_100]
    all_agree = np.array([[100], [0]])
    expected = benchmark.two_sided(all_agree, 100, benchmark.ALPHA / 4)
    assert method.now(0, all_agree) == expected


def test_a_table_of_counts_is_read_as_import_reads_it(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("0,1,2\n900,60,40\n500,400,100\n")
    found = benchmark.truth(file)
    assert found.name == "mine"
    assert found.chances.tolist() == [[0.9, 0.06, 0.04], [0.5, 0.4, 0.1]]


def test_images_stop_where_they_are_decided():
    plan = benchmark.plan(last=1000)
    top = np.array([1.0, 0.5, 0.7])  # as often as expected
    votes = {n: np.rint([n * top, n * (1.0 - top)]).astype(int) for n in plan.draws}
    last = len(plan.draws) - 1
    goal = plan.now(last, votes[1000])[2]  # open until then
    draws, radii = benchmark.stopped(benchmark.Seen(plan, votes), benchmark.until(goal))
    assert draws[0] <= draws[1] < draws[2] == 1000
    assert radii[0] > radii[2] == goal > radii[1] == 0.0
