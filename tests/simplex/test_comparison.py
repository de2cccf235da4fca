"""The paper's comparisons, as numbers; and the bands in which they are drawn."""

import json

import numpy as np
import pytest

from simplicert.mechanisms import cohen, cullen, lecuyer, li
from simplicert.simplex import COMPARISONS, Comparison, compare, simplex_grid, smallest
from simplicert.simplex.bands import cut_into_bands


@pytest.fixture(scope="module")
def multinomial():
    return compare(COMPARISONS["fig3-multinomial"], resolution=60, margins=[0.001])


def test_values_are_what_the_label_says(multinomial):
    radii = multinomial.grid.radii
    others = np.max([radii[name] for name in ("lecuyer", "li", "cohen")], axis=0)
    assert multinomial.comparison.label == "cullen / max(lecuyer, li, cohen)"
    np.testing.assert_array_equal(multinomial.values, radii["cullen"] / others)
    two = compare(COMPARISONS["fig2"], resolution=20, margins=[])
    assert two.comparison.label == "cohen - li"
    np.testing.assert_array_equal(
        two.values, two.grid.radii["cohen"] - two.grid.radii["li"]
    )


# The paper's claims (Cullen et al. 2024), each as we find it.


def test_more_than_two_fold_for_multinomial(multinomial):
    top = multinomial.largest[0]
    assert top.value > 2.0
    assert top.e0 < 0.1
    assert top.edges == ("E1 = margin",)


def test_up_to_five_fold_for_softmax_near_equality():
    found = compare(COMPARISONS["fig3-softmax"], resolution=20, margins=[0.01])
    assert found.largest[0].value > 5.0
    assert found.largest[0].e0 - found.largest[0].e1 == pytest.approx(0.01)


def test_lecuyer_never_wins_and_cullen_beats_it_everywhere(multinomial):
    assert multinomial.shares["lecuyer"] == 0.0
    assert smallest(COMPARISONS["fig3-softmax"].quantity, margin=1e-6).value > 1.2


def test_cohen_is_best_only_where_little_is_left_for_the_others(multinomial):
    best = multinomial.grid.winners() == "cohen"
    assert best.any()
    assert multinomial.grid.e2[best].max() < 0.072


def test_li_is_best_in_a_lens_at_small_e1_and_cohen_in_most_of_the_corner():
    grid = simplex_grid([lecuyer, li, cohen, cullen], resolution=400)
    winners = grid.winners()
    assert grid.e0[winners == "li"].min() > 0.55
    assert grid.e1[winners == "li"].max() < 0.093
    # The paper has li best near (1, 0): so it is, but on the smaller part.
    corner = grid.e0 > 0.9
    assert np.mean(winners[corner] == "li") == pytest.approx(0.364, abs=0.005)
    assert np.mean(winners[corner] == "cohen") == pytest.approx(0.636, abs=0.005)


def test_neyman_pearson_is_nowhere_below_the_ensemble():
    found = compare(COMPARISONS["np-over-ensemble"], resolution=60, margins=[1e-4])
    assert found.smallest[0].value >= 1.0
    assert found.values.min() >= 1.0
    assert found.largest[0].value > 1.4


def test_the_summary_is_json_even_with_infinite_values():
    asked = Comparison(kind="ratio", first=li, second=cohen, contenders=(li, cohen))
    found = compare(asked, resolution=20, margins=[0.01])
    back = json.loads(json.dumps(found.summary(), allow_nan=False))
    assert float(back["largest"][0]["value"]) == np.inf
    assert back["area_shares"]["li"] + back["area_shares"]["cohen"] == pytest.approx(1)
    assert "li / cohen" in found.describe()


def test_the_table_adds_the_value_to_the_grid(multinomial):
    table = multinomial.table()
    assert list(table)[-2:] == ["winner", "value"]
    np.testing.assert_array_equal(table["value"], multinomial.values)


@pytest.mark.parametrize("name", COMPARISONS)
def test_bands_are_few_round_and_hold_nearly_everything(name):
    found = compare(COMPARISONS[name], resolution=40, margins=[])
    bands = found.bands
    steps = np.diff(bands.levels)
    np.testing.assert_allclose(steps, steps[0])
    assert 2 <= len(steps) <= 9
    inside = (found.values >= bands.levels[0]) & (found.values <= bands.levels[-1])
    assert inside.mean() > 0.99
    beyond = {"neither": 0, "min": 1, "max": 1, "both": 2}[bands.extend]
    assert len(bands.shades) == len(steps) + beyond
    assert (np.diff(bands.shades) > 0).all()
    assert np.abs(bands.shades).max() == 1.0
    # A band is orange or purple by which side of neutral it is on.
    middles = (bands.levels[1:] + bands.levels[:-1]) / 2
    first = bands.extend in ("min", "both")
    signs = np.sign(bands.shades[first : first + len(steps)])
    np.testing.assert_array_equal(signs, np.sign(middles - found.comparison.neutral))


def test_bands_of_odd_values():
    odd = np.array([np.nan, np.inf, 0.5, 300.0])
    bands = cut_into_bands(odd, neutral=1.0, reach=8.0)
    assert bands.levels[-1] <= 10.0
    assert bands.levels[0] >= 0.0
    assert np.isnan(bands.values[0])
    assert np.isfinite(bands.values[1:]).all()
    assert bands.extend == "max"
    for nothing in (np.array([np.nan]), np.ones(3)):
        assert len(cut_into_bands(nothing, neutral=1.0, reach=8.0).levels) == 2


def test_contenders_may_be_others_than_the_compared():
    asked = Comparison(
        kind="difference", first=cullen, second=lecuyer, contenders=(cohen, li)
    )
    found = compare(asked, resolution=20, margins=[])
    assert set(found.shares) == {"cohen", "li"}
    assert (found.values > 0).all()
