"""The common laws on whatever Hypothesis finds, subnormal numbers included."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simplicert import mechanisms
from simplicert.mechanisms import neyman_pearson
from simplicert.mechanisms.laws import tightest
from simplicert.mechanisms.protocol import proof_of

PROBABILITY = st.floats(0, 1) | st.floats(0, 1).map(lambda x: x**8)
SIGMA = st.floats(1e-3, 1e3)
ROUNDING = 1e-11  # neighbouring floats: both values carry their own rounding

each_mechanism = pytest.mark.parametrize("name", mechanisms.__all__)


@each_mechanism
@given(e0=PROBABILITY, e1=PROBABILITY, sigma=SIGMA)
@example(e0=1.0, e1=0.0, sigma=1.0)
@example(e0=1.0, e1=5e-324, sigma=1.0)
@example(e0=1e-323, e1=5e-324, sigma=1.0)
@example(e0=0.9892, e1=1 - 0.9892, sigma=1.0)
def test_sane_at_every_point(name, e0, e1, sigma):
    radius = getattr(mechanisms, name)(e0, e1, sigma=sigma)
    assert radius >= 0  # also fails on NaN
    if e0 <= min(e1, 1 - e0):
        assert radius == 0
    largest = tightest(proof_of(getattr(mechanisms, name)))
    assert radius <= largest(e0, e1, sigma=sigma)
    assert radius == pytest.approx(
        sigma * getattr(mechanisms, name)(e0, e1, sigma=1.0), rel=1e-15
    )


@each_mechanism
@given(data=st.tuples(PROBABILITY, PROBABILITY, PROBABILITY))
def test_monotone_in_both_arguments(name, data):
    radius = getattr(mechanisms, name)
    low, e1, high = sorted(data)
    small, large = radius([low, high], e1, sigma=1.0)
    assert small <= large
    e0, fewer, more = high, low, e1
    large, small = radius(e0, [fewer, more], sigma=1.0)
    assert small <= large * (1 + ROUNDING)
    middle, large = radius([e1, high], low, sigma=1.0)
    assert middle <= large * (1 + ROUNDING)


@given(e0=PROBABILITY)
def test_cohen_is_neyman_pearson_of_two_classes(e0):
    assert mechanisms.cohen(e0, 0.0, sigma=1.0) == (
        neyman_pearson(e0, 1 - e0, sigma=1.0) if e0 > 0.5 else 0.0
    )


@given(e0=PROBABILITY, e1=PROBABILITY)
def test_an_ensemble_of_all_is_neyman_pearson(e0, e1):
    everything = [
        getattr(mechanisms, n)
        for n in mechanisms.__all__
        if n != "ensemble" and proof_of(getattr(mechanisms, n)).noise == "gaussian"
    ]
    best = mechanisms.ensemble(e0, e1, sigma=1.0, members=everything)
    np.testing.assert_array_equal(best, neyman_pearson(e0, e1, sigma=1.0))
