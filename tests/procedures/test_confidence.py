"""Certified confidence: exact false rates, agreement with the radius, refusals."""

from dataclasses import replace
from math import comb, log, prod

import numpy as np
import pytest
from leads import given
from synthetic import manifest

from simplicert.arguments import checked_distance
from simplicert.bounds.betting import stake_of
from simplicert.bounds.level_sets import shifted_mean, test_functions
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import write_certificates
from simplicert.procedures.confidence import FINENESS, largest_confidence
from simplicert.procedures.margins import LEVELS, bets_of, largest_radius
from simplicert.votes import Look, Manifest
from simplicert.votes.columns import CELLS

functions = test_functions
test_functions.__test__ = False
ALPHA = 0.05
ENDS = np.array([-1.0, 1.0])
RADII = (0.0, 0.25, 1.0)
PILOTS = {
    "agree": np.array([0, 50]),
    "divided": np.array([10, 40]),
    "wrong": np.array([50, 0]),
    "few": np.array([0, 1]),
}


def exact_rate(draws, pilot, radius, alpha=ALPHA, more=0.0):
    """The largest probability of a false statement, over laws on two levels.

    It is false where the lead is, or that the class is named as far as the radius.
    """
    k = np.arange(draws + 1)
    seen = np.stack([draws - k, k], axis=1)
    ways = np.array([float(comb(draws, each)) for each in k])
    leads = np.array(
        [
            largest_confidence(
                row, pilot=pilot, radius=radius, alpha=alpha, levels=ENDS
            )
            for row in seen
        ]
    )
    named = np.array(
        [largest_radius(row, pilot=pilot, alpha=alpha, levels=ENDS) for row in seen]
    )
    claimed = np.where(named >= radius, leads, 0.0) * (1.0 + more)
    worst = 0.0
    for share in np.linspace(0.3, 0.9999, 500):
        nearer = np.minimum(named, radius)
        least = shifted_mean(ENDS, [share], radii=np.append(nearer, radius))
        false = (claimed > 0) & (claimed > least[-1])
        false |= (nearer > 0) & (least[:-1] <= 0)
        mass = ways * share**k * (1 - share) ** (draws - k)
        worst = max(worst, float(mass[false].sum()))
    return worst


@pytest.mark.parametrize("pilot", PILOTS.values(), ids=PILOTS)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("draws", [1, 7, 40])
def test_on_two_levels_it_is_false_at_most_alpha_often(draws, radius, pilot):
    assert exact_rate(draws, pilot, radius) <= ALPHA


def test_at_twice_alpha_it_would_not_be():
    rates = [
        exact_rate(n, PILOTS[name], 0.25, 2 * ALPHA)
        for n, name in [(25, "divided"), (40, "agree"), (40, "divided")]
    ]
    assert max(rates) > ALPHA
    assert max(exact_rate(n, PILOTS["divided"], 0.0) for n in (25, 40)) > 0.5 * ALPHA


def capital_at(lead, seen, pilot, radius, alpha, levels):
    """Of all bets, which have equal parts of it, by a loop: what the bound inverts."""
    draws, capitals = int(seen.sum()), []
    for bet in bets_of(pilot, levels, draws, alpha):
        tested = functions(levels, bet.quantiles, radii=[radius])
        values, needed = tested.values[0], tested.needed[0]
        mean = sum(values * bet.expected) * (1 - log(1 / alpha) / draws)
        gains = values - needed - min(max(mean - needed, 0), 1)
        [stake] = stake_of(bet.expected, gains[None], trials=draws, alpha=alpha)
        factors = [1 + stake * (value - needed - lead) for value in values.tolist()]
        powers = zip(factors, seen.tolist(), strict=True)
        ruined = min(factors) <= 0
        capitals.append(0.0 if ruined else prod(f**count for f, count in powers))
    return sum(capitals) / len(capitals)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize(("first", "bets"), [(200, 1), (40, 2)])
def test_a_thousandth_more_does_not_pass_at_the_least_alpha(first, bets, radius):
    levels = np.array([-1.0, 0.0, 0.5, 1.0])
    pilot = np.array([5, 10, 20, 165]) * first // 200
    seen = np.array([30, 50, 70, 850])
    assert len(bets_of(pilot, levels, 1000, ALPHA)) == bets

    def found(alpha):
        return largest_confidence(
            seen, pilot=pilot, radius=radius, alpha=alpha, levels=levels
        )

    lead, too_little, enough = found(ALPHA), 1e-9, ALPHA
    assert found(too_little) < lead > 0.05
    assert lead * FINENESS == round(lead * FINENESS)
    for _ in range(30):
        middle = (too_little + enough) / 2
        if found(middle) < lead:
            too_little = middle
        else:
            enough = middle
    here = seen, pilot, radius, enough, levels
    assert capital_at(lead, *here) >= 1 / enough
    assert capital_at(lead * 1.001, *here) < 1 / enough


def test_ten_draws_that_all_lead_by_1():
    """By hand, at alpha 0.5 and where the input is.

    The pilot's mean of m + 1 is 2 × 10 / 10.5 = 1.904762, less ln(2) / 10 of it
    1.772735: the stake is 0.95 / 1.772735 = 0.535896. (1 + 0.535896 (1 - c))**10 = 2
    where c = 1 - 0.0717735 / 0.535896 = 0.86607: 886 of 1,024.
    """
    seen = np.array([0, 10])
    found = largest_confidence(seen, pilot=seen, radius=0.0, alpha=0.5, levels=ENDS)
    assert found == 886 / 1024


LAWS = {
    "uniform": np.full(CELLS, 1.0 / CELLS),
    "leaning": np.arange(CELLS) / np.arange(CELLS).sum(),
    "edges": np.bincount([0, CELLS - 1], [0.1, 0.9], CELLS),
    "below a cell": np.bincount([300, 301], [0.5, 0.5], CELLS),
    "rare disaster": np.bincount([0, 300, CELLS - 1], [0.02, 0.4, 0.58], CELLS),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("radius", [0.0, 0.25])
def test_of_soft_laws_it_is_false_at_most_alpha_often(law, radius):
    """Simulated; the truth is the least mean that some classifier of this law has."""
    generator = np.random.default_rng(0)
    reached = np.clip(np.cumsum(law[::-1])[::-1][1:], 0.0, 1.0)
    [least] = shifted_mean(LEVELS, reached, radii=[radius])
    pilot = generator.multinomial(100, law)
    leads = [
        largest_confidence(seen, pilot=pilot, radius=radius, alpha=ALPHA)
        for seen in generator.multinomial(200, law, size=300)
    ]
    assert np.mean([0 < lead > least for lead in leads]) <= ALPHA
    if least > 0.2:
        assert np.median(leads) > least - 0.2  # or it would say nothing


def spread(count, seed=0):
    """Pilots and draws of laws of many kinds, 100 to 10,000 draws."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        sharpness = [0.02, 0.1, 1.0][number % 3]
        lean = np.exp(np.linspace(-2, 2, CELLS) * (number % 4))
        law = generator.dirichlet(sharpness * lean)
        pilot = generator.multinomial([50, 200, 1000][number % 3], law)
        yield pilot, generator.multinomial([100, 1000, 10_000][number % 3], law)


def test_it_falls_with_the_radius_and_ends_where_the_radius_does():
    """The bets differ from radius to radius, so that it is so but for a little."""
    positive = 0
    for pilot, seen in spread(24):
        end = largest_radius(seen, pilot=pilot, alpha=0.01)
        radii = np.append(np.arange(0, 3, 1 / 4), [max(end - 0.05, 0), end + 0.05])
        radii.sort()
        leads = [
            largest_confidence(seen, pilot=pilot, radius=each, alpha=0.01)
            for each in radii.tolist()
        ]
        assert np.diff(leads).max() <= 0.006
        assert all(lead == 0 for lead in np.array(leads)[radii > end + 0.04])
        if end > 0.05:
            assert min(np.array(leads)[radii < end - 0.04]) > 0
            positive += 1
    assert positive > 10


def test_less_alpha_and_worse_draws_are_less_sure():
    pilot, seen = np.array([20, 180]), np.array([100, 900])
    ways = {"pilot": pilot, "levels": ENDS, "radius": 0.25}
    leads = [
        largest_confidence(seen, alpha=each, **ways) for each in (0.5, 0.01, 1e-12)
    ]
    assert leads == sorted(leads, reverse=True)
    assert leads[2] > 0
    for worse in (np.array([110, 890]), np.array([400, 600])):
        assert largest_confidence(worse, alpha=0.01, **ways) < leads[1]
    assert largest_confidence(seen[::-1], alpha=0.5, **ways) == 0


def test_it_is_the_least_over_the_rivals_at_the_looks_share():
    votes = given(rivals=2)
    looks = (Look(400, 0.25), Look(800, 0.75))
    made = certify(replace(votes, looks=looks), alpha=0.02, procedure="margins")
    found = made.confidence(0.1)
    for row in range(len(votes)):
        each = [
            largest_confidence(
                votes.margins_over(k)[row],
                pilot=votes.selection.margins_over(k)[row],
                radius=0.1 / 0.5,
                alpha=0.02 * 0.25,
            )
            for k in (1, 2, 3)
        ]
        assert found[row] == min(each) > 0
    nothing = (Look(400, 0.0), Look(800, 1.0))
    none = certify(replace(votes, looks=nothing), alpha=0.02, procedure="margins")
    assert not none.confidence(0.0).any()


def test_it_is_0_where_no_class_is_named_and_beyond_the_radius():
    made = certify(given((0.4, 0.35, 0.25), rivals=0), alpha=0.01, procedure="margins")
    assert (made.radius == 0).any()
    assert not made.confidence(0.0)[made.radius == 0].any()
    made = certify(given(images=2), alpha=0.01, procedure="margins")
    edge = float(made.radius.min())
    votes = replace(made, radii={"neyman_pearson": np.array([edge, edge / 2])})
    assert (votes.confidence(edge / 2) > 0).all()
    assert (votes.confidence(edge / 2 * 1.01) > 0).tolist() == [True, False]
    votes = replace(made, radii={"neyman_pearson": np.array([edge, 0.0])})
    assert (votes.confidence(0.0) > 0).tolist() == [True, False]
    assert not made.confidence(1e9).any()


def test_rows_keep_what_they_had():
    made = certify(given(images=4), alpha=0.01, procedure="margins")
    shown = made.with_confidence([0.0, 0.125])
    table = shown.table()
    assert list(table)[list(table).index("largest") + 1 :][:2] == [
        "confidence 0",
        "confidence 0.125",
    ]
    np.testing.assert_array_equal(table["confidence 0.125"], made.confidence(0.125))
    some = shown[[2, 0]]
    np.testing.assert_array_equal(some.confidence(0.125), some.confidences[0.125])
    np.testing.assert_array_equal(some.confidence(0.0), made.confidence(0.0)[[2, 0]])


def test_inputs_that_were_moved_to_the_grid_have_the_further_radius(monkeypatch):
    votes = given(images=2)
    before = certify(votes, procedure="margins")
    monkeypatch.setattr(Manifest, "displacement", 0.25)
    after = certify(replace(votes, manifest=manifest()), procedure="margins")
    assert (after.radius < before.radius).all()
    np.testing.assert_array_equal(after.confidence(0.125), before.confidence(0.375))
    assert (after.confidence(0.125) > 0).all()


def test_other_procedures_and_what_is_no_distance_are_refused(tmp_path):
    votes = given()
    for procedure in ("clopper_pearson", "hoeffding"):
        with pytest.raises(InputError, match=f"{procedure} bounds no margin, and so"):
            certify(votes, procedure=procedure).confidence(0.1)
    made = certify(votes, procedure="margins")
    for wrong in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="a radius must not be negative, NaN"):
            made.confidence(wrong)
    for wrong in ("0.1", True, None, [0.1]):
        with pytest.raises(InputError, match="a radius must not be negative, NaN"):
            checked_distance(wrong)
    labelled = replace(made, labels=np.zeros(len(made), dtype=np.int64))
    with pytest.raises(InputError, match="no place for confidences"):
        write_certificates(labelled.with_confidence([0.1]), tmp_path / "log.tsv")
    with pytest.raises(InputError, match="a rule cannot call a column 'confidence"):
        replace(made.with_confidence([0.1]), outcome={"confidence 0.1": made.draws})
