"""Test functions of margins: never above the least mean, equal to it where asked."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.special import ndtri

from simplicert.bounds.level_sets import quantiles_of, shifted_mean, test_functions
from simplicert.errors import InputError

functions = test_functions
test_functions.__test__ = False
LEVELS = np.arange(64) / 32 - 1.0
RADII = np.array([0.01, 0.3, 1.0, 2.5])


def laws(count, levels, seed=0):
    """Of margins: spread, in spikes at the grid's edges, and between."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        law = generator.dirichlet(np.full(len(levels), [0.02, 0.3, 5.0][number % 3]))
        if number % 4 == 0:
            law = np.zeros(len(levels))
            law[[0, -1]] = generator.dirichlet([1.0, 8.0])
        yield law


def reached(law):
    return np.clip(np.cumsum(law[::-1])[::-1][1:], 0.0, 1.0)


def test_a_function_bounds_the_least_mean_of_every_law_wherever_it_touches():
    generator = np.random.default_rng(1)
    for law in laws(200, LEVELS):
        quantiles = generator.normal(0.0, 2.0, len(LEVELS) - 1)
        found = functions(LEVELS, quantiles, radii=RADII)
        least = shifted_mean(LEVELS, reached(law), radii=RADII)
        bound = found.values @ law - found.needed
        assert (bound <= least + 1e-13 * (1 + found.values[:, -1])).all()
        assert (np.diff(found.values, axis=1) >= 0).all()


def test_it_is_that_mean_where_it_touches_the_law_and_a_thousandth_more_is_above():
    ends = np.zeros(len(LEVELS))
    ends[[0, -1]] = 0.5
    for law in laws(60, LEVELS, seed=2):
        law = 0.998 * law + 0.002 * ends
        quantiles = ndtri(reached(law))
        found = functions(LEVELS, quantiles, radii=RADII)
        least = shifted_mean(LEVELS, reached(law), radii=RADII)
        lost = least - (found.values @ law - found.needed)
        assert (lost >= 0).all()  # the slack is more than all rounding
        assert (lost <= 1e-8).all()
        assert (found.values @ law - found.needed * 0.999 > least).all()
        assert (found.values * 1.001 @ law - found.needed > least)[law[0] < 0.9].all()


def test_the_least_mean_is_attained_by_a_half_space_in_each_level():
    """Shifts along one axis, where the margin falls with it: nothing is given away."""
    law = next(laws(1, LEVELS, seed=5))
    share = np.array([0.9, 0.4])
    for radius in (0.5, 1.5):
        cuts = ndtri(share)  # m >= level where -z >= -cut
        generator = np.random.default_rng(3)
        z = generator.normal(size=400_000) + radius
        margin = np.where(z <= cuts[1], 1.0, np.where(z <= cuts[0], 0.0, -1.0))
        least = shifted_mean([-1, 0, 1], share, radii=[radius])[0]
        assert abs(margin.mean() - least) < 0.005
    assert shifted_mean(LEVELS, reached(law), radii=[0.0])[0] == pytest.approx(
        LEVELS @ law
    )


def test_the_slack_is_more_than_all_rounding():
    """With 50 digits, at quantiles and radii of all sizes."""
    mpmath.mp.dps = 50
    generator = np.random.default_rng(4)
    for radius in (1 / 256, 0.7, 3.0, 5.9):
        levels = np.sort(np.append(generator.uniform(-1, 1, 5), -1.0))
        quantiles = generator.uniform(-8, 8, 5)
        found = functions(levels, quantiles, radii=[radius])
        exact, r = mpmath.mpf(-levels[0]), mpmath.mpf(radius)
        for at, (low, high) in enumerate(pairwise(levels)):
            width = mpmath.mpf(high) - mpmath.mpf(low)
            slope = (
                mpmath.mpf(found.values[0, at + 1]) - mpmath.mpf(found.values[0, at])
            ) / width
            touch = mpmath.log(slope) / r + r / 2 if slope > 0 else mpmath.mpf(-40)
            exact -= width * (mpmath.ncdf(touch - r) - slope * mpmath.ncdf(touch))
        size = 2 + found.values[0, -1]
        assert 0 < found.needed[0] - exact < 1e-11 * size


def test_what_makes_no_function_is_refused():
    for levels in ([0.5], [0, 0], [-2, 1], [-1, 1.1], [1, -1], [-1, np.nan], [[-1, 1]]):
        with pytest.raises(InputError, match="levels must increase"):
            functions(levels, [0.0], radii=[1.0])
    for quantiles in ([0.0, 0.0], [np.nan], 0.0):
        with pytest.raises(InputError, match="quantiles must be 1 numbers"):
            functions([-1, 1], quantiles, radii=[1.0])
    for radii in ([-1e-9], [-1.0], [9.0], [np.nan], 1.0):
        with pytest.raises(InputError, match="radii must be"):
            functions([-1, 1], [0.0], radii=radii)


def test_without_a_shift_it_is_the_margin_itself():
    found = functions(LEVELS, np.linspace(-3, 3, len(LEVELS) - 1), radii=[0.0])
    np.testing.assert_allclose(found.values[0] - found.needed[0], LEVELS, atol=1e-11)
    assert (found.values[0] - found.needed[0] < LEVELS).all()


def test_quantiles_of_a_histogram_are_those_of_its_shares():
    found = quantiles_of(np.array([1, 2, 7, 0]), lowest=0.05)
    np.testing.assert_allclose(found, ndtri([0.9, 0.7, 0.05]))
    assert (quantiles_of(np.zeros(3, np.int64), lowest=0.5) == 0).all()
