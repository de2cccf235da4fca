"""The lattices cover the triangle evenly."""

import numpy as np
import pytest

from simplicert.simplex.lattice import full_lattice, inner_lattice, lattice_triangles


@pytest.mark.parametrize("resolution", [1, 2, 5, 40])
def test_lattices_hold_barycentric_coordinates(resolution):
    inner, full = inner_lattice(resolution), full_lattice(resolution)
    assert len(inner) == resolution * (resolution + 1) // 2
    assert len(full) == (resolution + 1) * (resolution + 2) // 2
    np.testing.assert_allclose(inner.sum(axis=-1), 1.0)
    np.testing.assert_allclose(full.sum(axis=-1), 1.0)
    assert (inner > 0).all()
    assert full.min() == 0
    assert len(np.unique(inner.round(12), axis=0)) == len(inner)


def test_triangles_tile_the_lattice_without_overlap_or_gap():
    resolution = 17
    points = inner_lattice(resolution)[:, :2]
    a, b, c = points[lattice_triangles(resolution)].transpose(1, 0, 2)
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    area = 0.5 * np.abs(ux * vy - uy * vx)
    step = 1.0 / (resolution + 0.5)
    np.testing.assert_allclose(area, 0.5 * step**2)
    # As many as tile the triangle whose corners are the lattice's.
    assert len(area) == (resolution - 1) ** 2


def test_share_of_points_estimates_area_without_bias_also_along_a_side():
    # Strips along each side, of every width: single errors are of the order of a row,
    # 1/50, but their mean vanishes. Cell centres would be 0.0066 too high on average.
    weights = inner_lattice(50)
    widths = np.linspace(0.01, 0.11, 1001)
    for corner in range(3):
        share = [np.mean(weights[:, corner] < width) for width in widths]
        error = np.array(share) - (1 - (1 - widths) ** 2)
        assert abs(error.mean()) < 5e-4
