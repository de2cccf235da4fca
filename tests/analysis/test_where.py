"""Where a data set lies, against NumPy's histogram and the boundaries themselves."""

import numpy as np
import pytest
from voted import by_hand, random_votes

from simplicert import mechanisms
from simplicert.analysis import region_boundaries, region_shares, simplex_density
from simplicert.certificates.certify import certify
from simplicert.errors import InputError

VOTES = random_votes()


@pytest.fixture(scope="module")
def certificates():
    return certify(VOTES)


@pytest.mark.parametrize("cells", [1, 20, 100])
def test_density_of_the_estimates_by_whole_numbers(certificates, cells):
    ranked = np.sort(VOTES.counts, axis=1)
    table = simplex_density(certificates, cells=cells, estimates=True)
    where = np.minimum(ranked[:, [-1, -2]] * cells // 2000, cells - 1)
    expected, counts = np.unique(where, axis=0, return_counts=True)
    found = (table[["e0_from", "e1_from"]] * cells).round().to_numpy(int)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(table["images"], counts)
    np.testing.assert_allclose(table["e1_to"] - table["e1_from"], 1 / cells)
    assert table["share"].sum() == pytest.approx(1)


def test_density_of_the_bounds_is_numpys_histogram(certificates):
    table = simplex_density(certificates, cells=20)
    expected, _, _ = np.histogram2d(
        certificates.e0_lower, certificates.e1_upper, bins=20, range=[[0, 1]] * 2
    )
    found = np.zeros((20, 20))
    columns = (table[["e0_from", "e1_from"]] * 20).round().astype(int)
    found[columns["e0_from"], columns["e1_from"]] = table["images"]
    np.testing.assert_array_equal(found, expected)


def test_the_corner_belongs_to_the_last_cell():
    corner = by_hand(
        {"cohen": [1.0]}, e0_lower=np.array([1.0]), e1_upper=np.array([0.0])
    )
    row = simplex_density(corner, cells=10).iloc[0]
    assert (row["e0_from"], row["e0_to"], row["e1_from"]) == (0.9, 1.0, 0.0)
    with pytest.raises(InputError, match="at least 1"):
        simplex_density(corner, cells=0)


def test_regions_are_where_the_radii_say(certificates):
    table = region_shares(certificates).set_index("region")["share"]
    assert table.sum() == pytest.approx(1)
    for name in ("li", "cohen", "cullen"):
        assert table[name] == pytest.approx((certificates.largest == name).mean())
    assert table["none"] == pytest.approx((certificates.largest == "").mean())
    assert region_shares(by_hand({"reported": [0.1]}, mechanism="reported")).empty


def test_on_a_boundary_its_two_mechanisms_agree(certificates):
    curves = region_boundaries(certificates)
    assert {frozenset((c.first, c.second)) for c in curves} == {
        frozenset(("li", "cohen")),
        frozenset(("li", "cullen")),
        frozenset(("cohen", "cullen")),
    }
    for curve in curves:
        one, other = (
            getattr(mechanisms, name)(curve.e0, curve.e1, sigma=1.0)
            for name in (curve.first, curve.second)
        )
        np.testing.assert_allclose(one, other, rtol=1e-6)
