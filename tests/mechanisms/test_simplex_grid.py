"""The common laws on a grid of a million points that reaches into every corner."""

import numpy as np
import pytest

from simplicert import mechanisms
from simplicert.mechanisms.laws import tightest
from simplicert.mechanisms.protocol import proof_of

_TAIL = np.geomspace(1e-12, 1e-2, 101)
AXIS = np.unique(
    np.concatenate([[0.0, 1e-270, 1e-60], _TAIL, np.linspace(0, 1, 803), 1 - _TAIL])
)
E0, E1 = AXIS[:, np.newaxis], AXIS
LEFT = np.minimum(E1, 1 - E0)
SEPARATED = E0 > LEFT
ROUNDING = 1e-14  # neighbours on the edge E0 + E1 = 1 may be one rounding apart


@pytest.fixture(scope="module")
def radii():
    return {
        name: getattr(mechanisms, name)(E0, E1, sigma=1.0)
        for name in mechanisms.__all__
    }


def test_a_million_points():
    assert SEPARATED.size >= 1_000_000


@pytest.mark.parametrize("name", mechanisms.__all__)
class TestLaws:
    def test_never_negative_or_nan(self, radii, name):
        assert np.all(radii[name] >= 0)

    def test_zero_where_the_classes_are_not_separated(self, radii, name):
        assert np.all(radii[name][~SEPARATED] == 0)

    def test_positive_where_they_are(self, radii, name):
        applies = SEPARATED & (E0 > 0.5) if name == "cohen" else SEPARATED
        assert np.all(radii[name][applies] > 0)

    def test_non_decreasing_in_e0(self, radii, name):
        assert np.all(radii[name][1:, :] >= radii[name][:-1, :] * (1 - ROUNDING))

    def test_non_increasing_in_e1(self, radii, name):
        assert np.all(radii[name][:, 1:] * (1 - ROUNDING) <= radii[name][:, :-1])

    def test_linear_in_sigma(self, radii, name):
        scaled = getattr(mechanisms, name)(E0, E1, sigma=0.3)
        np.testing.assert_allclose(scaled, 0.3 * radii[name], rtol=4e-16)

    def test_never_above_the_tight_one(self, radii, name):
        tight = tightest(proof_of(getattr(mechanisms, name))).__name__
        assert np.all(radii[name] <= radii[tight])


def test_what_the_paper_claims(radii):
    inner = SEPARATED & (LEFT > 1e-6) & (E0 < 1 - 1e-6)
    e0, left = np.broadcast_arrays(E0, LEFT)
    e0, left = e0[inner], left[inner]
    lecuyer, li, cohen, cullen = (
        radii[name][inner] for name in ("lecuyer", "li", "cohen", "cullen")
    )
    gain = cullen / lecuyer
    assert gain.max() > 5
    assert gain[e0 - left > 0.3].max() < 5  # so it is near E0 = E1
    over_all = cullen / np.maximum.reduce([lecuyer, li, cohen])
    assert over_all.max() > 2
    assert over_all[left > 0.05].max() < 2  # so it is where E1 -> 0
    assert over_all[e0 > 0.5].max() < 2  # and E0 small
    best = np.argmax([cohen, li, cullen], axis=0)
    assert np.all(1 - e0 - left < 0.25, where=best == 0)
    assert np.all(e0 > 0.45, where=best == 1)


@pytest.mark.parametrize("step", [2.0**-53, 2.0**-40])
def test_just_above_one_half(step):
    for name in mechanisms.__all__:
        mechanism = getattr(mechanisms, name)
        tight = tightest(proof_of(mechanism))
        radius = mechanism(0.5 + step, 0.5 - step, sigma=1.0)
        assert 0 <= radius <= tight(0.5 + step, 0.5 - step, sigma=1.0)
