"""The worst stopping rules there can be: how often certificates are false then.

An image may stop at any look, for any reason. Where there are few draws, every path of
votes through the looks is added up with its probability, so that the rates are exact;
where there are many, paths are drawn, and an exact binomial test says what they show.

A claim is false if a class is named that is not the best one, or if one of the two
bounds behind the certificate does not hold (whatever mechanism reads them).
"""

import functools
import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from alone import bounds_alone
from scipy.special import gammaln, xlogy
from scipy.stats import binomtest, multinomial

from simplicert.mechanisms import neyman_pearson
from simplicert.procedures import clopper_pearson
from simplicert.stopping import spread
from simplicert.votes import Look, Votes

ALPHA = 0.05

ALONE = bounds_alone()
"""The default's bounds, without its rule for naming, which only takes claims away."""

TRUTHS = [
    (0.5, 0.5),
    (0.6, 0.4),
    (0.75, 0.25),
    (0.95, 0.05),
    (0.5, 0.5, 0.0),
    (1 / 3, 1 / 3, 1 / 3),
    (0.4, 0.4, 0.2),
    (0.45, 0.35, 0.2),
    (0.7, 0.15, 0.15),
    (0.9, 0.1, 0.0),
]
"""Ten adversaries, the best class first: ties, near ties, corners."""

PLANS = {
    2: [
        spread([8, 12, 18, 27, 40, 60]),
        tuple(Look(n, 0.2) for n in (10, 20, 40, 80, 120)),
    ],
    3: [spread([8, 12, 18, 27]), tuple(Look(n, 0.25) for n in (10, 16, 24, 32))],
}


def outcomes(draws, classes):
    """Every way that so many draws can vote."""
    bars = itertools.combinations(range(draws + classes - 1), classes - 1)
    cuts = np.array(list(bars)).reshape(-1, classes - 1)
    ends = np.pad(cuts, [(0, 0), (1, 1)], constant_values=((0, 0), (-1, 0)))
    ends[:, -1] = draws + classes - 1
    return np.diff(ends, axis=1) - 1


def bounded(counts, draws, looks, alpha):
    """Top classes and bounds of each outcome at its look."""
    votes = Votes(
        counts=counts,
        draws=np.full(len(counts), draws),
        indices=np.arange(len(counts)),
        sigma=1.0,
        source={},
        looks=looks,
    )
    return ALONE(votes, alpha=alpha)


def claimed(counts, draws, looks, truth, alpha):
    """Radius of each outcome's certificate at its look, and whether it is false.

    The radius is that of the mechanism that certifies whenever any of them does.
    """
    made, truth = bounded(counts, draws, looks, alpha), np.array(truth)
    radius = neyman_pearson(made.e0_lower, made.e1_upper, sigma=1.0)
    tie = truth[1] == truth[0]  # then no class is the best
    wrong = tie | (truth[made.top] < truth[0])
    broken = (made.e0_lower > truth[0]) | (made.e1_upper < truth[1])
    return radius, (radius > 0) & (wrong | broken)


def first_separation(path):
    """Stop as soon as anything is certified."""
    return next((each for each in path if each.radius > 0), path[-1]).false


def largest(path):
    """Draw to the end, and keep the look whose radius came out largest."""
    return max(path, key=lambda each: each.radius).false


def true_label(path):
    """Stop as soon as a wrong class is named; ask somebody who knows."""
    return next((each for each in path if each.wrong), path[-1]).false


def most_wrong(path):
    """Stop where the claim is false; nothing can be worse."""
    return any(each.false for each in path)


class At:
    """One look of one path, as rules see it."""

    def __init__(self, radius, false, wrong):
        self.radius, self.false, self.wrong = radius, false, wrong


RULES = [first_separation, largest, true_label, most_wrong]


@functools.cache
def exact_rates(truth, looks, alpha):
    """How often a claim is false under each rule, over all paths of votes.

    Of each rule the mass of the paths that it lets go on, on a grid of their votes for
    all classes but the first. A path's largest radius so far has two axes more: whether
    it is false, and which of all radii it is.
    """
    said = [on_a_grid(look, looks, truth, alpha) for look in looks]
    radii = np.unique(np.concatenate([radius.ravel() for radius, *_ in said]))
    point, before = np.ones((1,) * (len(truth) - 1)), 0
    going = dict.fromkeys(("first_separation", "true_label", "most_wrong"), point)
    best = np.zeros((2, len(radii), *point.shape))
    best[0, 0] = 1.0
    rates = dict.fromkeys(going, 0.0)
    for look, (radius, false, wrong) in zip(looks, said, strict=True):
        more, before = look.draws - before, look.draws
        stops = (radius > 0, wrong, false)
        for rule, stop in zip(going, stops, strict=True):
            mass = spread_out(going[rule], more, truth)
            rates[rule] += mass[stop & false].sum()
            going[rule] = np.where(stop, 0.0, mass)
        best = spread_out(best, more, truth)
        larger = radius > radii.reshape(-1, *point.shape)
        moved = best.sum(axis=(0, 1), where=larger)
        best[:, larger] = 0.0
        where = (false.astype(int), np.searchsorted(radii, radius))
        best[*where, *np.indices(radius.shape)] += moved
    for rule, mass in going.items():  # the end, whatever the rule would have
        rates[rule] += mass[false].sum()
    return rates | {"largest": best[1].sum()}


def on_a_grid(look, looks, truth, alpha):
    """Of each outcome at a look: the radius, whether it is false, or names a wrong."""
    here = outcomes(look.draws, len(truth))
    radii, false = claimed(here, look.draws, looks, truth, alpha)
    wrong = (radii > 0) & (here.argmax(axis=1) != 0)
    found = []
    for values in (radii, false, wrong):
        grid = np.zeros((look.draws + 1,) * (len(truth) - 1), dtype=values.dtype)
        grid[*here.T[1:]] = values
        found.append(grid)
    return found


def spread_out(mass, more, truth):
    """Where paths are after so many draws more; a grid is the last axes."""
    steps = outcomes(more, len(truth))
    axes = len(truth) - 1
    grown = [size + more for size in mass.shape[-axes:]]
    after = np.zeros((*mass.shape[:-axes], *grown))
    for step, chance in zip(steps[:, 1:], chances_of(steps, truth), strict=True):
        if chance > 0:
            ends = step + mass.shape[-axes:]
            there = map(slice, step.tolist(), ends.tolist())
            after[..., *there] += chance * mass
    return after


def chances_of(steps, truth):
    """Multinomial probabilities, exact at 0."""
    ways = gammaln(steps.sum(axis=1) + 1) - gammaln(steps + 1).sum(axis=1)
    return np.exp(ways + xlogy(steps, truth).sum(axis=1))


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_no_rule_makes_certificates_false_more_often_than_alpha(truth):
    for looks in PLANS[len(truth)]:
        rates = exact_rates(truth, looks, ALPHA)
        assert max(rates.values()) <= rates["most_wrong"] + 1e-12 <= ALPHA


@pytest.mark.parametrize("classes", PLANS)
def test_the_rule_for_naming_only_takes_claims_away(classes):
    for looks in PLANS[classes]:
        for look in looks:
            votes = Votes(
                counts=(here := outcomes(look.draws, classes)),
                draws=np.full(len(here), look.draws),
                indices=np.arange(len(here)),
                sigma=1.0,
                source={},
                looks=looks,
            )
            alone, found = (
                each(votes, alpha=ALPHA) for each in (ALONE, clopper_pearson)
            )
            named = found.e0_lower > found.others_upper
            for bound in ("top", "e0_lower", "others_upper"):
                np.testing.assert_array_equal(
                    getattr(found, bound)[named], getattr(alone, bound)[named]
                )


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_with_shares_doubled_each_rule_does(rule):
    # Looks refuse such shares; twice alpha gives every look as much.
    assert any(
        exact_rates(truth, looks, 2 * ALPHA)[rule] > ALPHA
        for truth in TRUTHS
        for looks in PLANS[len(truth)]
    )


def test_without_shares_they_do_so_at_once():
    # Every look at the whole of alpha, and a stop as soon as anything is certified.
    looks = [Look(n, 1.0) for n in (8, 12, 18, 27, 40, 60)]
    assert naive_rate((0.5, 0.5), looks) > 1.5 * ALPHA


def naive_rate(truth, looks):
    """Share of false claims at the first separation, none of which says its looks."""
    going, before, rate = {(0, 0): 1.0}, 0, 0.0
    for look in looks:
        here = outcomes(look.draws, 2)
        radii, _ = claimed(here, look.draws, None, truth, ALPHA)
        named = dict(zip(map(tuple, here.tolist()), radii > 0, strict=True))
        more = look.draws - before
        after = defaultdict(float)
        for counts, mass in going.items():
            for k in range(more + 1):
                chance = math.comb(more, k) * truth[0] ** k * truth[1] ** (more - k)
                after[counts[0] + k, counts[1] + more - k] += mass * chance
        rate += sum(mass for counts, mass in after.items() if named[counts])
        going = {counts: mass for counts, mass in after.items() if not named[counts]}
        before = look.draws
    return rate  # a tie: all are false


@pytest.mark.parametrize("truth", [(0.5, 0.5), (0.6, 0.4), (0.5, 0.3, 0.2)], ids=str)
def test_the_rates_are_those_of_all_paths_one_by_one(truth):
    looks = (Look(4, 0.3), Look(6, 0.3), Look(9, 0.4))
    alpha, rates = 0.9, dict.fromkeys((rule.__name__ for rule in RULES), 0.0)
    said = [
        {
            tuple(counts): At(radius, false, radius > 0 and np.argmax(counts) != 0)
            for counts, radius, false in zip(here.tolist(), *ends, strict=True)
        }
        for look in looks
        for here in [outcomes(look.draws, len(truth))]
        for ends in [claimed(here, look.draws, looks, truth, alpha)]
    ]
    steps = [outcomes(more, len(truth)) for more in (4, 2, 3)]
    masses = [multinomial.pmf(step, step[0].sum(), truth) for step in steps]
    for picks in itertools.product(*(range(len(step)) for step in steps)):
        mass = math.prod(float(each[i]) for each, i in zip(masses, picks, strict=True))
        rows = [step[i] for step, i in zip(steps, picks, strict=True)]
        counts = np.cumsum(rows, axis=0).tolist()
        path = [at[tuple(here)] for at, here in zip(said, counts, strict=True)]
        for rule in RULES:
            rates[rule.__name__] += mass * rule(path)
    assert exact_rates(truth, looks, alpha) == pytest.approx(rates, abs=1e-12)
    assert min(rates.values()) > 0


MANY = [
    *TRUTHS[:4],
    (0.34, 0.33, 0.33),
    (0.4, 0.4, 0.2),
    (0.5, 0.5, *[0.0] * 8),
    (0.28, *[0.08] * 9),
    (0.1,) * 10,
    (0.8, 0.1, *[0.0125] * 8),
]
"""Ten more, of up to ten classes."""

PATHS = 10_000


def paths_false(truth, alpha):
    """Of many paths through the looks of a real plan, how many a rule can make false.

    The rule knows the truth and stops where the claim is false, if it is at any look.
    """
    looks = spread([30, 40, 70, 100, 150, 230, 350, 500, 750, 1000])
    random = np.random.default_rng([len(truth), int(1000 * truth[0])])
    counts = np.zeros((PATHS, len(truth)), dtype=np.int64)
    ever, before = np.zeros(PATHS, dtype=bool), 0
    for look in looks:
        counts += random.multinomial(look.draws - before, truth, size=PATHS)
        ever |= claimed(counts, look.draws, looks, truth, alpha)[1]
        before = look.draws
    return int(ever.sum())


@pytest.mark.parametrize("truth", MANY, ids=lambda truth: str(truth[:3]))
def test_no_rule_can_with_a_real_plan(truth):
    # If the rate were alpha, so few would be false less often than once in 10**6.
    false = paths_false(truth, ALPHA)
    assert binomtest(false, PATHS, ALPHA, alternative="less").pvalue < 1e-6


def test_with_shares_doubled_a_rule_can_with_a_real_plan():
    false = paths_false((0.5, 0.5), 2 * ALPHA)
    assert binomtest(false, PATHS, ALPHA, alternative="greater").pvalue < 1e-6


def combined_rate(truth, looks, alpha):
    """How often a claim is false if all looks so far are combined, class by class.

    For each class, of the looks at which it was the top one, the largest lower and the
    smallest upper bound; whatever that certifies at any look is claimed.
    """
    classes, false, before = len(truth), 0.0, 0
    going = {((0,) * classes, ((0.0, 1.0),) * classes): 1.0}
    tie = truth[1] == truth[0]
    for look in looks:
        here = outcomes(look.draws, classes)
        found = bounded(here, look.draws, looks, alpha)
        bounds = {
            tuple(counts): bound
            for counts, *bound in zip(
                here.tolist(),
                found.top.tolist(),
                found.e0_lower.tolist(),
                found.e1_upper.tolist(),
                strict=True,
            )
        }
        steps = outcomes(look.draws - before, classes)
        masses = chances_of(steps, truth)
        after = defaultdict(float)
        for (counts, known), mass in going.items():
            for step, chance in zip(steps.tolist(), masses.tolist(), strict=True):
                if chance == 0.0:
                    continue
                there = tuple(map(sum, zip(counts, step, strict=True)))
                top, low, high = bounds[there]
                low, high = max(known[top][0], low), min(known[top][1], high)
                wrong = tie or truth[top] < truth[0]
                broken = wrong or low > truth[0] or high < truth[1]
                if low > min(high, 1.0 - low) and broken:
                    false += mass * chance
                    continue
                best = (*known[:top], (low, high), *known[top + 1 :])
                after[there, best] += mass * chance
        going, before = after, look.draws
    return false


COMBINED = {
    2: tuple(Look(n, 0.25) for n in (10, 16, 26, 40)),
    3: tuple(Look(n, share) for n, share in ((8, 0.25), (12, 0.25), (18, 0.5))),
}


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_bounds_of_several_looks_may_be_combined_for_one_class(truth):
    looks = COMBINED[len(truth)]
    rate = combined_rate(truth, looks, ALPHA)
    assert exact_rates(truth, looks, ALPHA)["most_wrong"] <= rate + 1e-12 <= ALPHA
