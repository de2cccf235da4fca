"""Certificates from margins: exact false rates, agreement with hard votes, refusals."""

import sys
from dataclasses import replace
from math import comb, factorial, prod

import numpy as np
import pytest
from leads import given
from scipy.special import ndtri

from simplicert.bounds.betting import log_capital, stake_of
from simplicert.bounds.level_sets import quantiles_of, shifted_mean, test_functions
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.procedures import largest_e0_lower, margins, min_draws
from simplicert.procedures.laws import _divided
from simplicert.procedures.margins import (
    LEVELS,
    MOST,
    STEP,
    bets_of,
    largest_radius,
)
from simplicert.votes import Look
from simplicert.votes.columns import CELLS

test_functions.__test__ = False
procedure = sys.modules[largest_radius.__module__]  # the package hides its name
ALPHA = 0.05
HARD = np.array([-1.0, 0.0, 1.0])


def at(**shares):
    """A law with these shares at these levels: ``at(low=0.1, high=0.9)``."""
    places = {
        "low": 0,
        "middle": CELLS // 2,
        "below": CELLS // 2 - 1,
        "high": CELLS - 1,
    }
    law = np.zeros(CELLS)
    for name, share in shares.items():
        law[places[name]] = share
    return law


def is_false(radius, law, levels=LEVELS):
    """Whether a shift within this radius has a mean margin of 0 or less."""
    reached = np.clip(np.cumsum(law[::-1])[::-1][1:], 0.0, 1.0)
    return radius > 0 and shifted_mean(levels, reached, radii=[radius])[0] <= 0


def exact_rate(low, high, draws, pilot, alpha=ALPHA):
    """The largest probability of a false radius, over laws on two levels."""
    weights = [float(comb(draws, k)) for k in range(draws + 1)]
    radii = []
    for k in range(draws + 1):
        seen = np.zeros(CELLS, dtype=np.int64)
        seen[low], seen[high] = draws - k, k
        radii.append(largest_radius(seen, pilot=pilot, alpha=alpha))
    worst = 0.0
    for share in np.linspace(0.3, 0.999, 400):
        law = np.zeros(CELLS)
        law[low], law[high] = 1 - share, share
        k = np.arange(draws + 1)
        mass = np.array(weights) * share**k * (1 - share) ** (draws - k)
        false = [is_false(radius, law) for radius in radii]
        worst = max(worst, float(mass[false].sum()))
    return worst


PILOTS = {
    "all high": np.eye(CELLS, dtype=np.int64)[-1] * 50,
    "divided": (at(low=10, high=40)).astype(np.int64),
    "spread": np.ones(CELLS, dtype=np.int64),
    "wrong": np.eye(CELLS, dtype=np.int64)[0] * 50,
}


@pytest.mark.parametrize("pilot", PILOTS.values(), ids=PILOTS)
@pytest.mark.parametrize(
    ("low", "high", "draws"),
    [(0, CELLS - 1, 1), (0, CELLS - 1, 12), (0, CELLS - 1, 60), (200, 400, 30)],
)
def test_radii_on_two_levels_are_false_at_most_alpha_often(low, high, draws, pilot):
    assert exact_rate(low, high, draws, pilot) <= ALPHA


def test_at_twice_alpha_they_would_not_be():
    rates = [
        exact_rate(0, CELLS - 1, n, PILOTS["all high"], 2 * ALPHA) for n in (12, 60)
    ]
    assert max(rates) > ALPHA
    ours = exact_rate(0, CELLS - 1, 12, PILOTS["all high"])
    assert 0.8 * ALPHA < ours <= ALPHA  # so that there is little to be had


def at_its_edge(law, radius, levels):
    """The law, moved down until a shift of this norm has a mean margin of just 0."""
    down, up = 0.0, 1.0
    for _ in range(40):
        kept = (down + up) / 2
        moved = law * kept
        moved[0] += 1 - kept
        down, up = (kept, up) if is_false(radius, moved, levels) else (down, kept)
    moved = law * down
    moved[0] += 1 - down
    return moved


@pytest.mark.parametrize(("alpha", "draws"), [(0.05, 6), (0.2, 4), (0.5, 3)])
def test_no_pilot_makes_radii_false_more_often(alpha, draws):
    """Every outcome on three levels, of laws at the edge of what was certified."""
    generator, worst = np.random.default_rng(0), 0.0
    outcomes = _divided(draws, 3)
    ways = [factorial(draws) / prod(map(factorial, each)) for each in outcomes.tolist()]
    for number in range(18):
        levels = np.array([-1.0, generator.integers(-200, 1) / 256, LEVELS[-1]])
        size = [2, 50, 10**6][number % 3]
        pilot = generator.multinomial(size, generator.dirichlet([0.4, 0.4, 0.8]))
        radii = np.array(
            [
                largest_radius(seen, pilot=pilot, alpha=alpha, levels=levels)
                for seen in outcomes
            ]
        )
        for radius in np.unique(radii[radii > 0])[:4]:
            for kind in ([0.1, 0.0, 0.9], [0.1, 0.3, 0.6], [0.0, 0.6, 0.4]):
                law = at_its_edge(np.array(kind), radius, levels)
                assert is_false(radius, law, levels)
                mass = ways * np.prod(law**outcomes, axis=1)
                worst = max(worst, mass[radii >= radius].sum() / alpha)
    assert 0.8 < worst <= 1.0


def test_a_radius_a_thousandth_larger_does_not_pass_at_the_least_alpha():
    """No less alpha allows the radius, and its test has next to nothing left."""
    pilot, seen = np.array([20, 30, 150]), np.array([90, 160, 750])

    def found(alpha):
        return largest_radius(seen, pilot=pilot, alpha=alpha, levels=HARD)

    radius, too_little, enough = found(ALPHA), 1e-6, ALPHA
    assert 0 < found(too_little) < radius
    for _ in range(20):
        middle = (too_little + enough) / 2
        if found(middle) < radius:
            too_little = middle
        else:
            enough = middle
    radii = np.array([radius, radius * 1.001])
    (bet,) = bets_of(pilot, HARD, 1000, enough)
    passed = bet(seen, HARD, radii, enough) >= -np.log(enough)
    assert passed.tolist() == [True, False]


SOFT = {
    "uniform": np.full(CELLS, 1.0 / CELLS),
    "leaning": np.arange(CELLS) / np.arange(CELLS).sum(),
    "edges of the grid": at(low=0.25, below=0.05, middle=0.1, high=0.6),
    "just below a cell": at(below=0.5, middle=0.5),
    "rare disaster": at(low=0.01, middle=0.5, high=0.49),
}


@pytest.mark.parametrize("law", SOFT.values(), ids=SOFT)
@pytest.mark.parametrize("draws", [20, 200])
def test_radii_of_soft_laws_are_false_at_most_alpha_often(law, draws):
    """Simulated, at sizes where a rate of twice alpha would be seen."""
    generator = np.random.default_rng(0)
    pilot = generator.multinomial(100, law)
    false = [
        is_false(largest_radius(seen, pilot=pilot, alpha=ALPHA, most=3.0), law)
        for seen in generator.multinomial(draws, law, size=300)
    ]
    assert np.mean(false) <= ALPHA


@pytest.mark.parametrize("weights", [(0.4, 0.4, 0.2), (1 / 3, 1 / 3, 1 / 3)])
def test_classes_that_tie_are_named_at_most_alpha_often(weights):
    """Two of three, and three: any name is false, whichever the pilot chose."""
    votes = given(weights, images=300, draws=100, rivals=0)
    assert np.mean(margins(votes, alpha=ALPHA).radius > 0) <= ALPHA
    votes = given(weights, images=300, draws=100, rivals=1)
    assert np.mean(margins(votes, alpha=ALPHA).radius > 0) <= ALPHA


def test_the_radius_is_the_least_over_the_rivals_at_all_of_alpha_each():
    votes = given(rivals=2)
    found = margins(votes, alpha=0.01)
    for row in range(len(votes)):
        each = [
            largest_radius(
                votes.margins_over(k)[row],
                pilot=votes.selection.margins_over(k)[row],
                alpha=0.01,
            )
            for k in (1, 2, 3)
        ]
        assert found.radius[row] == min(each) > 0
    assert (found.top == votes.rivals[:, 0]).all()
    made = certify(votes, alpha=0.01, procedure="margins")
    assert list(made.radii) == ["neyman_pearson"]
    np.testing.assert_allclose(made.radius, 0.5 * found.radius, rtol=1e-9)
    assert (made.radius < 0.5 * found.radius).all()


def test_draws_in_no_cell_count_against_the_class():
    votes = given()
    lost = replace(votes, draws=votes.draws + 100)
    before, after = votes.margins_over(1), lost.margins_over(1)
    assert (after - before)[0].nonzero()[0].tolist() == [0]
    assert (after - before)[0, 0] == 100
    assert margins(lost, alpha=0.01).radius[0] < margins(votes, alpha=0.01).radius[0]


def test_hard_votes_in_the_limit_are_neyman_pearson_of_two_bounds():
    """Margins of -1, 0 and 1: half the gap of the quantiles, for every share."""
    for first, second in [(0.9, 0.05), (0.6, 0.3), (0.45, 0.4), (0.99, 0.01)]:
        exact = (ndtri(first) - ndtri(second)) / 2
        law = np.array([second, 1 - first - second, first])
        reached = [1 - second, first]
        assert shifted_mean(HARD, reached, radii=[exact])[0] == pytest.approx(
            0, abs=1e-12
        )
        draws = 2**21
        seen = np.round(law * draws).astype(np.int64)
        found = largest_radius(seen, pilot=seen, alpha=0.001, levels=HARD)
        assert exact - STEP - 0.01 < found < exact


def test_between_levels_that_the_pilot_has_a_function_is_linear():
    """So it is enough to compute it there: as if each level had its tangent."""
    generator = np.random.default_rng(0)
    for _ in range(20):
        law = generator.dirichlet(np.full(40, 0.05))
        pilot, seen = generator.multinomial(20, law), generator.multinomial(200, law)
        levels, radii = np.arange(40) / 20 - 1.0, np.array([STEP, 0.5, 2.0])
        bets = bets_of(pilot, levels, 200, ALPHA)
        # ln(20) / 200 of the draws, and 1 / 40 of the pilot
        for bet, lowest in zip(bets, (0.0149786613678, 0.025), strict=True):
            quantiles = quantiles_of(pilot, lowest=lowest)
            whole = test_functions(levels, quantiles, radii=radii)
            gains = whole.values - whole.needed[:, None]
            expected = np.zeros(40)
            expected[np.searchsorted(levels, bet.levels)] = bet.expected
            stake = stake_of(expected, gains, trials=200, alpha=ALPHA)
            np.testing.assert_allclose(
                bet(seen, levels, radii, ALPHA),
                log_capital(seen, gains, stake=stake),
                rtol=1e-9,
                atol=1e-9,
            )


def test_no_bit_of_a_stake_depends_on_the_draws_that_bound(monkeypatch):
    """Nor on how many radii are tested at once: those may depend on other rivals'."""
    found = []

    def noted(*args, **options):
        stakes = stake_of(*args, **options)
        found.append(stakes)
        return stakes

    monkeypatch.setattr(procedure, "stake_of", noted)
    generator = np.random.default_rng(0)
    for spread in (0.01, 0.05, 0.5):
        pilot = generator.multinomial(300, generator.dirichlet(np.full(CELLS, spread)))
        first, draws = [], 500
        for most in (5 * STEP, 17 * STEP, 32 * STEP):
            for weight in (0.01, 0.1, 1.0):
                found.clear()
                law = generator.dirichlet(np.full(CELLS, weight))
                seen = generator.multinomial(draws, law)
                largest_radius(seen, pilot=pilot, alpha=ALPHA, most=most)
                first = first or [each[:5] for each in found[:2]]
                for ours, theirs in zip(first, found, strict=False):
                    np.testing.assert_array_equal(ours, theirs[:5])


def test_more_draws_for_the_rival_never_help():
    pilot = np.array([30, 20, 150])
    counts = _divided(30, 3)
    radii = {
        tuple(row): largest_radius(row, pilot=pilot, alpha=ALPHA, levels=HARD)
        for row in counts
    }
    for (low, middle, high), radius in radii.items():
        if high:
            assert radii[low, middle + 1, high - 1] <= radius
            assert radii[low + 1, middle, high - 1] <= radius


@pytest.mark.parametrize("alpha", [1e-12, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("draws", [1, 2, 10**6])
def test_any_alpha_and_any_number_of_draws_have_a_radius(draws, alpha):
    seen = np.array([0, 0, draws])
    found = largest_radius(seen, pilot=np.array([0, 0, 1]), alpha=alpha, levels=HARD)
    assert 0 <= found <= MOST
    assert found <= max(ndtri(alpha ** (1 / draws)), 0)
    nothing = largest_radius(seen[::-1], pilot=seen, alpha=alpha, levels=HARD)
    assert nothing == 0


def test_unanimous_draws_show_what_it_can_show_at_most():
    assert min_draws(margins, alpha=0.001) == 11
    most = largest_e0_lower(margins, draws=1000, alpha=0.001)
    assert 0.99 < most <= 0.001 ** (1 / 1000)


def test_looks_have_their_shares():
    votes = given()
    looks = (Look(400, 0.25), Look(800, 0.75))
    alone = margins(votes, alpha=0.01 * 0.25).radius
    np.testing.assert_array_equal(
        margins(replace(votes, looks=looks), alpha=0.01).radius, alone
    )


def test_votes_without_margins_or_without_draws_apart_are_refused():
    votes = given()
    with pytest.raises(InputError, match="these votes have no margins"):
        certify(replace(votes, margins=None), procedure="margins")
    with pytest.raises(InputError, match="needs other draws that choose the class"):
        certify(replace(votes, selection=None), procedure="margins")
    with pytest.raises(InputError, match="margins need rivals"):
        replace(votes, rivals=None)
    other = replace(votes.selection, rivals=votes.rivals[:, ::-1].copy(), margins=None)
    with pytest.raises(InputError, match="margins of the same rivals"):
        votes.chosen_by(other)
    with pytest.raises(InputError, match="cohen needs bounds of E0 and E1"):
        certify(votes, procedure="margins", mechanism="cohen")
