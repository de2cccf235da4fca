"""Scores of the same means: the laws are what is said, and so are the radii."""

import json

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from simplicert.bounds.level_sets import shifted_mean
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.procedures.margins import LEVELS
from simplicert.simplex import against_spread
from simplicert.simplex.spread import STEP, draws_of, margin_at, radius_of
from simplicert.votes import Votes

POINTS = [(0.7, 0.2), (0.9, 0.1), (0.4, 0.35), (0.99, 0.001), (1 - 1e-6, 1e-6)]
SPREADS = [1.0, 0.995, 0.9, 0.5, 0.2, 0.05, 0.01, 1e-4]
FINE = (np.arange(20_000) + 0.5) / 20_000


@pytest.mark.parametrize(("e0", "e1"), POINTS)
@pytest.mark.parametrize("spread", SPREADS)
def test_the_margin_has_the_mean_and_the_quantiles_rise(e0, e1, spread):
    margin = margin_at(FINE, e0=e0, e1=e1, spread=spread)
    assert margin.mean() == pytest.approx(e0 - e1, abs=2e-4)
    assert (np.diff(margin) >= -1e-12).all()
    assert (np.abs(margin) <= 1.0).all()
    edges = ndtr(np.arange(-8, 8, STEP))
    assert np.isfinite(margin_at(edges, e0=e0, e1=e1, spread=spread)).all()


@pytest.mark.parametrize("spread", SPREADS[1:])
def test_it_is_the_difference_of_two_scores_of_these_laws_that_sum_to_at_most_1(spread):
    e0, e1, mass = 0.55, 0.3, 1 / spread - 1
    first = beta.ppf(FINE, mass * e0, mass * (1 - e0))
    rival = beta.isf(FINE, mass * e1, mass * (1 - e1))
    assert (first + rival <= 1.0 + 1e-12).all()
    assert first.var() == pytest.approx(spread * e0 * (1 - e0), rel=5e-3)
    margin = margin_at(FINE, e0=e0, e1=e1, spread=spread)
    np.testing.assert_allclose(margin, first - rival, atol=1e-9)


@pytest.mark.parametrize(("e0", "e1"), POINTS[:-1])
def test_hard_votes_certify_what_their_means_do_and_less_spread_more(e0, e1):
    exact = (ndtri(e0) - ndtri(e1)) / 2
    radii = [radius_of(e0=e0, e1=e1, spread=spread) for spread in SPREADS]
    assert exact - STEP <= radii[0] <= exact
    assert (np.diff(radii) >= -STEP).all()  # as exact as the integral
    assert radii[-1] > min(5 * exact, 7.99)


@pytest.mark.parametrize("spread", [1.0, 0.7, 0.2, 0.05])
def test_the_limit_is_that_of_lemma_1_up_to_the_cells(spread):
    """Cells lose at most one of 256 of the mean margin; the integral loses nothing."""
    mean = {"e0": 0.7, "e1": 0.2, "spread": spread}
    seen = draws_of(200_000, **mean)
    reached = np.cumsum(seen[::-1])[::-1][1:] / seen.sum()
    radius = radius_of(**mean)
    found = shifted_mean(LEVELS, reached, radii=[radius - 1e-3, radius + 1e-2])
    assert found[0] >= -1 / 256 - 1e-4
    assert found[1] < 0


def as_votes(draws, *, e0, e1, spread):
    """Draws at the quantiles, as a run of three classes would have them."""
    levels = (np.arange(draws) + 0.5) / draws
    mass = 1 / spread - 1
    first = beta.ppf(levels, mass * e0, mass * (1 - e0))
    rival = beta.isf(levels, mass * e1, mass * (1 - e1))
    scores = np.stack([first, rival, np.maximum(1 - first - rival, 0)], axis=1)
    return Votes(
        counts=np.bincount(scores.argmax(axis=1), minlength=3)[None],
        score_sums=scores.sum(axis=0)[None],
        score_squares=(scores**2).sum(axis=0)[None],
        draws=np.array([draws]),
        indices=np.array([0]),
        sigma=1.0,
        source={},
    )


@pytest.mark.parametrize("spread", [0.9, 0.3, 0.05])
def test_means_certify_what_their_procedures_do(spread):
    table = against_spread((0.7, 0.2), spreads=[spread], draws=4000).table
    votes = as_votes(4000, e0=0.7, e1=0.2, spread=spread)
    for name in ("hoeffding", "empirical_bernstein"):
        made = certify(votes, procedure=name, alpha=0.001)
        [radius] = made.radii["neyman_pearson"]
        assert table[name].iloc[0] == pytest.approx(radius, abs=2e-4)


def test_only_margins_pass_what_means_can_ever_certify():
    found = against_spread(spreads=[1.0, 0.5, 0.1, 0.02], draws=10_000)
    table = found.table
    ceiling = table["means_limit"]
    for column in ("hoeffding", "empirical_bernstein"):
        assert (table[column] < ceiling).all()
    assert (table["margins"] > ceiling).tolist() == [False, True, True, True]
    assert (table["margins"] < table["margins_limit"]).all()
    assert table["spread"].tolist() == [1.0, 0.5, 0.1, 0.02]
    shares = found.margins.groupby("spread")["share"].sum()
    np.testing.assert_allclose(shares, 1.0)
    hard = found.margins.query("spread == 1 and share > 0")
    assert hard["share"].round(3).tolist() == [0.2, 0.1, 0.7]
    said = found.describe().splitlines()
    assert said[0] == "mean scores 0.7 and 0.2, radii in units of sigma"
    assert len(said) == 3  # of the spreads that are shown two were asked for
    radii = json.loads(json.dumps(found.summary()))["radii"]
    assert [row["margins"] for row in radii] == table["margins"].tolist()


@pytest.mark.parametrize(
    ("means", "changes", "says"),
    [
        ((0.2, 0.7), {}, "the second mean must be at least 1e-06, the first above"),
        ((0.7, 0.0), {}, "got 0.7 and 0"),
        ((0.7, 0.4), {}, "their sum at most 1, got 0.7 and 0.4"),
        ((float("nan"), 0.4), {}, "got nan and 0.4"),
        ((0.7, 0.2), {"spreads": [0.0]}, "a spread must be from 0.0001 to 1, got 0"),
        ((0.7, 0.2), {"spreads": [1.5]}, "got 1.5"),
        ((0.7, 0.2), {"alpha": 0.0}, "alpha"),
        ((0.7, 0.2), {"draws": 0}, "0"),
    ],
)
def test_what_is_no_point_and_no_spread_is_refused(means, changes, says):
    with pytest.raises(InputError, match=says):
        against_spread(means, **changes)
