"""The curves between winning regions, checked by the mechanisms on either side."""

import numpy as np
import pytest

from simplicert.mechanisms import cohen, cullen, lecuyer, li
from simplicert.simplex import boundaries, boundary_table, simplex_grid

PAPERS = {m.__name__: m for m in (lecuyer, li, cohen, cullen)}


@pytest.fixture(scope="module")
def curves():
    return boundaries(simplex_grid(list(PAPERS.values()), resolution=60))


def radii(e0, e1):
    return {name: mechanism(e0, e1, sigma=1.0) for name, mechanism in PAPERS.items()}


def test_the_paper_has_three_regions_and_so_three_curves(curves):
    assert {(c.first, c.second) for c in curves} == {
        ("li", "cohen"),
        ("li", "cullen"),
        ("cohen", "cullen"),
    }
    assert len(curves) == 3


def test_on_a_curve_its_two_mechanisms_are_equal_and_beat_the_others(curves):
    for curve in curves:
        at = radii(curve.e0, curve.e1)
        # The bisection ends within 1e-11 of the root; no radius is steeper than 100.
        np.testing.assert_allclose(at[curve.first], at[curve.second], rtol=1e-8)
        best = np.max([*at.values()], axis=0)
        np.testing.assert_allclose(at[curve.first], best, rtol=1e-8)


def test_on_either_side_of_a_curve_another_one_of_the_two_wins(curves):
    for curve in curves:
        # A step to the left and right of the middle of each piece of the curve.
        along = np.diff(np.stack([curve.e0, curve.e1]), axis=1)
        inner = slice(2, -2)  # at the ends a third region or the rim is near
        normal = np.stack([-along[1], along[0]]) / np.hypot(*along)
        for sign in (1, -1):
            x = (curve.e0[:-1] + sign * 2e-3 * normal[0])[inner]
            y = (curve.e1[:-1] + sign * 2e-3 * normal[1])[inner]
            inside = (x + y < 1) & (y > 0)
            at = radii(x[inside], y[inside])
            ahead = at[curve.first] > at[curve.second]
            assert ahead.all() or not ahead.any()
            assert ahead.all() == (sign == winning_side(curve))


def winning_side(curve):
    """The side on which ``first`` wins, from the curve's middle point alone."""
    i = len(curve.e0) // 2
    along = np.array([curve.e0[i + 1] - curve.e0[i], curve.e1[i + 1] - curve.e1[i]])
    step = 1e-4 * np.array([-along[1], along[0]]) / np.hypot(*along)
    at = radii(curve.e0[i] + step[0], curve.e1[i] + step[1])
    return 1 if at[curve.first] > at[curve.second] else -1


def test_the_three_curves_meet_in_one_point_where_all_three_are_equal(curves):
    ends = np.array([(c.e0[i], c.e1[i]) for c in curves for i in (0, -1)])
    shared = [p for p in ends if (np.abs(ends - p).max(axis=1) < 1e-9).sum() == 3]
    assert len(shared) == 3
    at = radii(*shared[0])
    assert at["li"] == pytest.approx(at["cohen"], rel=1e-9)
    assert at["li"] == pytest.approx(at["cullen"], rel=1e-9)


def test_the_grid_decides_what_is_seen_but_not_where_it_is():
    # Points of the coarse curve lie on the fine one: both are roots, not pixels.
    coarse, fine = (
        boundaries(simplex_grid([cohen, li], resolution=n))[0] for n in (12, 200)
    )
    order = np.argsort(fine.e0)
    on_fine = np.interp(coarse.e0, fine.e0[order], fine.e1[order])
    # What is left is the interpolation: a curvature of at most 3 over a 200th.
    np.testing.assert_allclose(coarse.e1, on_fine, atol=1e-4)


def test_a_curve_is_a_path_of_short_steps(curves):
    for curve in curves:
        steps = np.hypot(np.diff(curve.e0), np.diff(curve.e1))
        assert steps.max() < 2.0 / 60


def test_a_region_inside_another_has_a_closed_boundary():
    def hill(e0_lower, e1_upper, *, sigma):
        away = np.hypot(e0_lower - 0.5, e1_upper - 0.2)
        return sigma * np.maximum(1.1 - away, 0.0)

    def plain(e0_lower, e1_upper, *, sigma):
        return sigma * np.ones_like(e0_lower)

    [curve] = boundaries(simplex_grid([hill, plain], resolution=80))
    assert (curve.e0[0], curve.e1[0]) == (curve.e0[-1], curve.e1[-1])
    np.testing.assert_allclose(np.hypot(curve.e0 - 0.5, curve.e1 - 0.2), 0.1, atol=1e-9)


def test_no_curve_where_a_third_mechanism_wins_unseen_between_two_points():
    # At resolution 10 no point has |E0 - 0.61| < 0.001, where a third one wins.
    def rising(e0_lower, e1_upper, *, sigma):
        return sigma * e0_lower

    def falling(e0_lower, e1_upper, *, sigma):
        return sigma * (1.22 - e0_lower)

    def sliver(e0_lower, e1_upper, *, sigma):
        return sigma * 0.611 * np.ones_like(e0_lower)

    grid = simplex_grid([rising, falling, sliver], resolution=10)
    assert grid.shares()["sliver"] == 0.0
    assert boundaries(grid) == []


def test_no_boundary_where_one_mechanism_wins_everywhere_or_all_tie():
    def same(e0_lower, e1_upper, *, sigma):
        return cullen(e0_lower, e1_upper, sigma=sigma)

    assert boundaries(simplex_grid([cullen, lecuyer], resolution=30)) == []
    assert boundaries(simplex_grid([cullen, same], resolution=30)) == []
    assert len(boundary_table([])) == 0


def test_the_table_holds_every_point(curves):
    table = boundary_table(curves)
    assert list(table) == ["curve", "first", "second", "e0", "e1"]
    assert table["curve"].nunique() == 3
    assert len(table) == sum(len(curve.e0) for curve in curves)
