"""Balls in balls: against brute force, another formula, and on the safe side."""

import numpy as np
import pytest

from simplicert.certificates.balls import COSINE_ERROR, DISTANCE_ERROR, covered
from simplicert.data.neighbours import seen_from


def one(own, radii, distances, angle):
    return covered(
        np.array([own]),
        np.array([radii]),
        distances=np.array([distances]),
        cosines=np.array([[np.cos(angle)]]),
    )[0]


def distance_to_the_outside(radii, distances, angle):
    """From an input inside both balls, in their plane: another way to the same.

    What is nearest outside is the nearest point of one sphere, where the other ball has
    not got it; else it is on the rim where the spheres meet.
    """
    centres = [
        [distances[0], 0.0],
        distances[1] * np.array([np.cos(angle), np.sin(angle)]),
    ]
    centres = np.array(centres)
    found = []
    for i in (0, 1):
        nearest = -centres[i] / distances[i] * (radii[i] - distances[i])
        if np.linalg.norm(nearest - centres[1 - i]) >= radii[1 - i]:
            found.append(radii[i] - distances[i])
    apart = np.linalg.norm(centres[0] - centres[1])
    if abs(radii[0] - radii[1]) >= apart:  # one is in the other
        return (radii - distances)[np.argmax(radii)]
    axis = (centres[1] - centres[0]) / apart
    along = (radii[0] ** 2 - radii[1] ** 2 + apart**2) / (2 * apart)
    across = np.sqrt(max(radii[0] ** 2 - along**2, 0.0)) * np.array([-axis[1], axis[0]])
    middle = centres[0] + along * axis
    found += [np.linalg.norm(middle + side * across) for side in (1, -1)]
    return min(found)


def test_it_is_the_distance_to_what_neither_ball_holds():
    generator, trials = np.random.default_rng(0), 1000
    distances = generator.uniform(0.01, 1, (trials, 2))
    spread = generator.choice([1, 0.01], (trials, 1))
    radii = distances + generator.exponential(0.5, (trials, 2)) * spread
    angles = generator.choice([0.0, np.pi, 1.0, 2.0, 3.0], trials)
    found = covered(
        np.zeros(trials), radii, distances=distances, cosines=np.cos(angles)[:, None]
    )
    exact = np.array([*map(distance_to_the_outside, radii, distances, angles)])
    assert (found <= exact + 1e-14).all()
    assert (found >= exact * (1 - 1e-9) - 1e-12).all()
    assert (found > (radii - distances).max(axis=1) + 1e-6).sum() > trials / 4


def held(points, centres, radii):
    """Which points are in one of two balls."""
    away = np.linalg.norm(points[:, None] - centres, axis=2)
    return (away < radii).any(axis=1)


@pytest.mark.parametrize("dimension", [1, 2, 3, 5, 10])
def test_every_point_inside_is_in_one_of_the_balls(dimension):
    generator = np.random.default_rng(dimension)
    for trial in range(22):
        centres = generator.normal(size=(2, dimension))
        if trial % 3 == 0:
            centres[1] = -centres[0] * generator.uniform(0.5, 2)
        if trial % 7 == 0:
            centres[1] = centres[0] * generator.uniform(1.1, 2)
        [distances], [cosines] = (
            [each] for each in seen_from(np.zeros(dimension), centres)
        )
        radii = np.array(distances) + generator.exponential(0.5, 2)
        rho = covered(
            np.zeros(1),
            radii[None],
            distances=np.array([distances]),
            cosines=np.array([cosines]),
        )[0]
        points = generator.normal(size=(600, dimension))
        in_plane = generator.normal(size=(600, 2)) @ centres
        nearly = in_plane + 0.01 * points
        directions = np.concatenate([points, in_plane, nearly])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)

        for share in (1 - 1e-12, 0.9, 0.5):
            assert held(directions * rho * share, centres, radii).all()
        if dimension > 1:  # and no more could be said
            assert not held(directions * rho * 1.05, centres, radii).all()


def test_opposite_neighbours_by_hand():
    assert one(0.0, [1.0, 1.0], [0.6, 0.6], np.pi) == pytest.approx(0.8, abs=1e-5)
    assert one(0.0, [1.0, 1.0], [0.6, 0.6], np.pi) <= 0.8
    # At a right angle the rim is at the far corner: no more than one alone.
    assert one(0.0, [1.0, 1.0], [0.6, 0.6], 0.0) == pytest.approx(0.4, abs=1e-12)


def test_a_ball_that_does_not_hold_the_input_proves_nothing_here():
    assert one(0.0, [0.5, 0.5], [0.6, 0.6], np.pi) == 0
    assert one(0.3, [0.5, 0.0], [0.4, 0.4], np.pi) == 0.3
    # One would reach around the other's end; spheres between might not be covered.
    assert one(0.0, [2.0, 1.2], [1.0, 1.5], np.pi) == pytest.approx(1.0, abs=1e-12)


def test_what_is_given_a_little_wrong_costs_a_little_and_proves_no_more():
    radii, distances = np.array([1.0, 0.9]), np.array([0.5, 0.3])
    exact = one(0.0, radii, distances, 2.5)
    off = covered(
        np.zeros(1),
        radii[None],
        distances=distances[None] * (1 + DISTANCE_ERROR),
        cosines=np.array([[np.cos(2.5) + COSINE_ERROR]]),
    )[0]
    assert exact - 1e-9 < off <= exact


def test_more_neighbours_and_larger_balls_never_prove_less():
    generator = np.random.default_rng(5)
    centres = generator.normal(size=(50, 3, 4))
    places = [seen_from(np.zeros(4), each) for each in centres]
    distances, cosines = (np.array([place[i] for place in places]) for i in (0, 1))
    radii = distances + generator.normal(size=distances.shape)
    radii = np.maximum(radii, 0)
    own = generator.uniform(0, 0.2, 50)
    all_three = covered(own, radii, distances=distances, cosines=cosines)
    assert (all_three >= own).all()
    first_two = covered(
        own, radii[:, :2], distances=distances[:, :2], cosines=cosines[:, :1]
    )
    assert (all_three >= first_two).all()
    larger = covered(own, radii * 1.01, distances=distances, cosines=cosines)
    assert (larger >= all_three).all()
    order = [2, 0, 1]  # pairs (0, 1), (0, 2), (1, 2) become (2, 0), (2, 1), (0, 1)
    again = covered(
        own,
        radii[:, order],
        distances=distances[:, order],
        cosines=cosines[:, [1, 2, 0]],
    )
    np.testing.assert_allclose(again, all_three, rtol=1e-12)
