"""The largest value over the simplex, against functions whose answer is known."""

import numpy as np
import pytest

from simplicert.errors import InputError
from simplicert.mechanisms import cohen, cullen, lecuyer, li, neyman_pearson
from simplicert.simplex import COMPARISONS, Comparison, largest, smallest
from simplicert.simplex.extremes import Extreme


def test_a_smooth_peak_is_found_exactly():
    found = largest(
        lambda e0, e1: 3.0 - (e0 - 0.612345) ** 2 - 2.0 * (e1 - 0.234567) ** 2,
        margin=0.01,
    )
    assert found.value == pytest.approx(3.0, abs=1e-14)
    assert (found.e0, found.e1) == pytest.approx((0.612345, 0.234567), abs=1e-7)
    assert found.edges == ()


def test_a_ridge_is_followed_to_its_top():
    # A kink along E1 = E0 / 3, as where the best of several mechanisms changes.
    found = largest(
        lambda e0, e1: -10.0 * np.abs(e1 - e0 / 3) - (e0 - 0.7) ** 2, margin=0.001
    )
    assert (found.e0, found.e1) == pytest.approx((0.7, 0.7 / 3), abs=1e-5)


@pytest.mark.parametrize(
    ("quantity", "corner", "edges"),
    [
        (np.subtract, (0.99, 0.01), ("E1 = margin", "E0 + E1 = 1")),
        (np.multiply, (0.505, 0.495), ("E0 - E1 = margin", "E0 + E1 = 1")),
        (lambda e0, e1: -e0 - e1, (0.02, 0.01), ("E0 - E1 = margin", "E1 = margin")),
    ],
)
def test_the_region_ends_where_it_says(quantity, corner, edges):
    found = largest(quantity, margin=0.01)
    assert (found.e0, found.e1) == pytest.approx(corner, abs=1e-12)
    assert found.edges == edges


def test_smallest_is_the_other_end():
    found = smallest(lambda e0, e1: e0 + e1, margin=0.01)
    assert found.value == pytest.approx(0.03)
    assert found.edges == ("E0 - E1 = margin", "E1 = margin")


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("margin", [0.05, 0.001])
def test_extremes_against_brute_force(name, margin):
    # Oracle: 40,000 random points inside, and 20,000 along each side on a log scale.
    quantity = COMPARISONS[name].quantity
    rng = np.random.default_rng(3)
    log = margin * (1.0 / margin) ** rng.random((3, 20_000))
    sides = [(margin + log[0], log[0]), (log[1], np.full(20_000, margin))]
    e0, e1 = np.hstack([rng.random((2, 40_000)), *sides, (1.0 - log[2], log[2])])
    kept = (e0 - e1 >= margin) & (e1 >= margin) & (e0 + e1 <= 1)
    values = quantity(e0[kept], e1[kept])
    top, bottom = largest(quantity, margin=margin), smallest(quantity, margin=margin)
    assert values.max() <= top.value * (1 + 1e-9)
    assert values.min() >= bottom.value - 1e-9 * abs(bottom.value)
    # And they are reached: a random point comes close.
    assert values.max() == pytest.approx(top.value, rel=0.01)
    assert values.min() == pytest.approx(bottom.value, rel=0.01)


def test_the_value_is_the_quantity_at_the_place():
    quantity = COMPARISONS["fig3-multinomial"].quantity
    found = largest(quantity, margin=0.001)
    again = quantity(np.array([found.e0]), np.array([found.e1]))
    assert found.value == again[0]


def ratio(first, second):
    return Comparison(kind="ratio", first=first, second=second, contenders=()).quantity


def test_a_ratio_that_only_the_margin_bounds_grows_as_it_shrinks():
    values = [largest(ratio(cullen, lecuyer), margin=m) for m in (1e-2, 1e-3, 1e-4)]
    assert values[0].value < values[1].value < values[2].value
    assert all("E0 - E1 = margin" in found.edges for found in values)


def test_infinite_and_undefined_values():
    assert largest(ratio(li, cohen), margin=0.01).value == np.inf

    def undefined_below_half(e0, e1):
        return np.where(e0 < 0.5, np.nan, neyman_pearson(e0, e1, sigma=1.0))

    assert largest(undefined_below_half, margin=0.01).e0 == pytest.approx(0.99)
    with pytest.raises(InputError, match="not a number anywhere"):
        largest(lambda e0, e1: (e0 + e1) * np.nan, margin=0.01)


@pytest.mark.parametrize("margin", [0.0, -0.1, 1 / 3, 2.0, float("nan")])
def test_margins_that_leave_no_region_are_refused(margin):
    with pytest.raises(InputError, match="margin must be above 0 and below 1/3"):
        largest(ratio(cullen, li), margin=margin)


def test_an_extreme_says_where_it_is():
    found = Extreme(
        value=2.0, e0=0.5, e1=0.25, margin=0.01, edges=("E1 = margin", "E0 + E1 = 1")
    )
    assert str(found) == (
        "2.0000 at E0 = 0.5, E1 = 0.25 "
        "(margin 0.01, on the edge E1 = margin and E0 + E1 = 1)"
    )
