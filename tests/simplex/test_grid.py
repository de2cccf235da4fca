"""Radii over the simplex, who wins where, and how much of it."""

import numpy as np
import pandas as pd
import pytest

from simplicert.errors import InputError
from simplicert.mechanisms import cohen, cullen, lecuyer, li, neyman_pearson
from simplicert.simplex import simplex_grid

PAPERS = [lecuyer, li, cohen, cullen]


def constant(name, value):
    def mechanism(e0_lower, e1_upper, *, sigma):
        return np.full_like(e0_lower, sigma * value)

    mechanism.__name__ = name
    return mechanism


def test_the_grid_covers_what_can_be_certified_and_nothing_else():
    grid = simplex_grid([cohen], resolution=30)
    assert grid.e0.size == 465
    assert (grid.e0 > grid.e1).all()
    assert (grid.e1 > 0).all()
    assert (grid.e2 > 0).all()
    # Evenly: the mean is the triangle's centroid, (1/2, 1/6).
    np.testing.assert_allclose([grid.e0.mean(), grid.e1.mean()], [1 / 2, 1 / 6])


def test_radii_are_the_mechanisms_at_sigma_one_and_finite():
    grid = simplex_grid([*PAPERS, neyman_pearson], resolution=60)
    for mechanism in [*PAPERS, neyman_pearson]:
        radius = grid.radii[mechanism.__name__]
        np.testing.assert_array_equal(radius, mechanism(grid.e0, grid.e1, sigma=1.0))
        assert np.isfinite(radius).all()


def test_the_winner_is_the_largest_and_wins_its_share():
    grid = simplex_grid(PAPERS, resolution=60)
    radii = pd.DataFrame(grid.radii)
    assert (grid.winners() == radii.idxmax(axis=1)).all()
    shares = grid.shares()
    assert list(shares) == ["lecuyer", "li", "cohen", "cullen"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["cohen"] == np.mean(grid.winners() == "cohen")


def test_shares_agree_with_random_points():
    # Oracle: uniform points of the triangle, folded from the unit square; no lattice,
    # no barycentric coordinates. 200,000 points: 5 standard errors are 0.0042 at most.
    rng = np.random.default_rng(7)
    u, v = rng.random((2, 200_000))
    e0, e1 = np.maximum(u, v), np.minimum(u, v)
    over = e0 + e1 > 1
    e0, e1 = np.where(over, 1 - e1, e0), np.where(over, 1 - e0, e1)
    radii = np.stack([m(e0, e1, sigma=1.0) for m in PAPERS])
    shares = simplex_grid(PAPERS, resolution=200).shares()
    for name, wins in zip(shares, np.eye(4)[radii.argmax(axis=0)].T, strict=True):
        assert shares[name] == pytest.approx(wins.mean(), abs=0.0042)


def test_shares_converge_with_the_resolution():
    coarse, fine = (simplex_grid(PAPERS, resolution=n).shares() for n in (100, 400))
    for name, share in fine.items():
        assert coarse[name] == pytest.approx(share, abs=0.001)


def test_ties_and_the_absence_of_any_radius_have_names():
    equal = [constant("one", 1.0), constant("two", 1.0 + 1e-12), constant("low", 0.5)]
    assert set(simplex_grid(equal, resolution=10).winners()) == {"tie"}
    assert simplex_grid(equal, resolution=10).shares() == {
        "one": 0.0,
        "two": 0.0,
        "low": 0.0,
        "tie": 1.0,
    }
    nothing = simplex_grid([constant("zero", 0.0)], resolution=10)
    assert nothing.shares() == {"zero": 0.0, "none": 1.0}


def test_the_table_has_a_row_a_point_and_survives_parquet(tmp_path):
    grid = simplex_grid(PAPERS, resolution=20)
    table = grid.table()
    assert list(table) == [
        *("e0", "e1", "e2", "lecuyer", "li", "cohen", "cullen", "winner")
    ]
    assert len(table) == 210
    table.to_parquet(tmp_path / "grid.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "grid.parquet"), table)


def test_a_regions_centre_is_inside_it_and_clear_of_its_rim():
    grid = simplex_grid(PAPERS, resolution=100)
    for name, (e0, e1, room) in grid.region_centres().items():
        turn = np.linspace(0, 2 * np.pi, 50)
        x, y = e0 + 0.9 * room * np.cos(turn), e1 + 0.9 * room * np.sin(turn)
        radii = {m.__name__: m(x, y, sigma=1.0) for m in PAPERS}
        assert (radii[name] >= np.max([*radii.values()], axis=0)).all()
    assert set(grid.region_centres()) == {"li", "cohen", "cullen"}


@pytest.mark.parametrize("resolution", [0, -1, 9, 1001, 10**9])
def test_absurd_resolutions_are_refused(resolution):
    with pytest.raises(InputError, match=f"from 10 to 1000 .* got {resolution}"):
        simplex_grid([cohen], resolution=resolution)


def test_two_mechanisms_of_one_name_are_refused_but_one_given_twice_is_not():
    assert list(simplex_grid([cohen, cohen], resolution=10).radii) == ["cohen"]
    with pytest.raises(InputError, match="both called 'cohen'"):
        simplex_grid([cohen, constant("cohen", 1.0)], resolution=10)
