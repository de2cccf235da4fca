"""Values that somebody worked out by other means than our code."""

import math

import numpy as np
import pytest

from simplicert import mechanisms
from simplicert.mechanisms import (
    cohen,
    cullen,
    ensemble,
    lecuyer,
    li,
    neyman_pearson,
)

INF = math.inf

# DESIGN.md section 3, from an independent computation with more digits; but one digit
# group is ours. For li at (0.05, 0.001) it prints 0.2740593859, of some omega near 1;
# the supremum is the limit omega -> 1, sqrt(-2 ln(1 - E0 - E1 + 2 sqrt(E0 E1))).
GIVEN = [
    (0.4, 0.1, 0.2143237850, 0.4591700965, 0.0, 0.4975107234, 0.5141022312),
    (0.9, 0.05, 0.4799875355, 1.2493738728, 1.2815515655, 1.1318685833, 1.4632025962),
    (0.05, 0.001, 0.3264402594, 0.2740594146, 0.0, 0.6815612498, 0.7226893396),
    (0.7, 0.3, 0.1350361434, 0.4190701460, 0.5244005127, 0.5066942063, 0.5244005127),
]
ORDER = (lecuyer, li, cohen, cullen, neyman_pearson)


@pytest.mark.parametrize("row", GIVEN, ids=lambda row: f"{row[0]}, {row[1]}")
def test_the_design_table(row):
    e0, e1, *radii = row
    for mechanism, radius in zip(ORDER, radii, strict=True):
        assert mechanism(e0, e1, sigma=1.0) == pytest.approx(radius, rel=1e-9)


def test_li_where_the_supremum_is_its_limit():
    limit = math.sqrt(-2 * math.log(1 - 0.051 + 2 * math.sqrt(0.05 * 0.001)))
    assert limit == pytest.approx(0.2740594146, rel=1e-9)
    assert li(0.05, 0.001, sigma=1) == pytest.approx(limit, rel=1e-11)


def test_by_hand():
    # eps = 1: 1 / sqrt(2 ln(1.25 (1 + e))), since nothing is lost to E1
    by_hand = 1 / math.sqrt(2 * math.log(1.25 * (1 + math.e)))
    assert lecuyer(1, 0, sigma=1) == pytest.approx(by_hand, rel=1e-11)
    # omega -> 1 with E1 = 0: sqrt(-2 ln(1 - E0))
    assert li(0.75, 0, sigma=3) == pytest.approx(3 * math.sqrt(4 * math.log(2)))
    # tabulated: Phi(1.2815515655446004) = 0.9
    assert cohen(0.9, 0.1, sigma=2) == pytest.approx(2.5631031310892008, rel=1e-11)
    # eps = 0: 2 ndtri(0.6), tabulated as 0.2533471031357997
    assert cullen(0.7, 0.3, sigma=1) == pytest.approx(0.5066942062715994, rel=1e-11)
    # Phi(1.959963984540054) = 0.975
    assert neyman_pearson(0.975, 0.025, sigma=0.5) == pytest.approx(0.979981992270027)
    assert ensemble(0.7, 0.3, sigma=1) == cohen(0.7, 0.3, sigma=1)


@pytest.mark.parametrize(
    ("e0", "e1", "infinite"),
    [
        (1.0, 0.0, {"cohen", "li", "neyman_pearson", "cullen", "ensemble"}),
        (1.0, 0.4, {"cohen", "li", "neyman_pearson", "cullen", "ensemble"}),
        (0.3, 0.0, {"neyman_pearson", "cullen", "ensemble"}),
        (math.nextafter(1, 0), math.nextafter(0, 1), set()),
        (0.3, 5e-324, set()),
    ],
)
def test_infinite_only_where_the_mathematics_is(e0, e1, infinite):
    found = {
        name
        for name in mechanisms.__all__
        if getattr(mechanisms, name)(e0, e1, sigma=1.0) == INF
    }
    assert found == infinite


@pytest.mark.parametrize("name", mechanisms.__all__)
def test_sums_above_one_use_what_is_left(name):
    radius = getattr(mechanisms, name)
    for e0 in (0.50001, 0.625, 0.9, 1 - 1e-12):
        for too_large in (1.0, 0.7, np.nextafter(1 - e0, 1)):
            assert radius(e0, too_large, sigma=1) == radius(e0, 1 - e0, sigma=1)


@pytest.mark.parametrize("name", mechanisms.__all__)
@pytest.mark.parametrize("sigma", [1e-320, 1e-305, 1e300, 1.7e308])
def test_a_sigma_at_the_end_of_the_floats_does_not_round_up(name, sigma):
    radius = getattr(mechanisms, name)
    unit = radius(0.9999, 1e-5, sigma=1.0)
    scaled = radius(0.9999, 1e-5, sigma=sigma)
    assert np.isfinite(scaled)
    assert scaled / sigma <= unit * (1 + 1e-15)
