"""Distances that are no less than the true ones, and points that stay inside."""

import math
from fractions import Fraction

import numpy as np
import pytest

from simplicert.audit.attack.attacks import ATTACKS
from simplicert.audit.attack.ball import Balls, distance, project
from simplicert.audit.attack.hunt import Hunt
from simplicert.audit.attack.overlaps import find_overlaps
from simplicert.audit.attack.target import Target

NORMS = ["l1", "l2", "linf"]


def some(count=20, shape=(1, 4, 4), seed=0):
    random = np.random.default_rng(seed)
    return random.random((count, *shape)).astype(np.float32)


def balls(centres, reach, norm="l2", held=0):
    count = len(centres)
    return Balls(
        rows=np.arange(count),
        centres=centres,
        reach=np.full(count, reach) if np.isscalar(reach) else np.array(reach),
        norm=norm,
        held=np.full(count, held) if np.isscalar(held) else np.array(held),
    )


def exact(a, b, norm):
    """The distance in rational numbers; squared in l2."""
    pairs = zip(a, b, strict=True)
    apart = [abs(Fraction(float(x)) - Fraction(float(y))) for x, y in pairs]
    return {
        "l1": sum(apart),
        "l2": sum(each**2 for each in apart),
        "linf": max(apart),
    }[norm]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-20, 1e-40])
def test_a_distance_is_at_least_the_true_one_and_hardly_more(norm, scale):
    a, b = some(seed=1), some(seed=2) * np.float32(scale)
    for x, y, far in zip(a, b, distance(a, b, norm), strict=True):
        found, true = Fraction(float(far)), exact(x.ravel(), y.ravel(), norm)
        found = found**2 if norm == "l2" else found
        assert true <= found <= true * Fraction(1 + 1e-13)


@pytest.mark.parametrize("norm", NORMS)
def test_a_projection_is_no_longer_than_allowed_and_the_nearest_such_move(norm):
    random = np.random.default_rng(0)
    moves = random.standard_normal((30, 1, 3, 3))
    order = {"l1": 1, "l2": 2, "linf": np.inf}[norm]

    def size(each):
        return np.linalg.norm(each.reshape(len(each), -1), ord=order, axis=1)

    reach = np.where(np.arange(30) % 3, 0.4, 1.5) * size(moves)
    nearest = project(moves, reach, norm)
    assert (size(nearest) <= reach * (1 + 1e-12)).all()
    np.testing.assert_allclose(nearest[::3], moves[::3])  # they are inside already
    for _ in range(200):  # nothing else that is allowed is nearer
        other = random.standard_normal(moves.shape)
        other *= (reach / size(other)).reshape(-1, 1, 1, 1)
        between = nearest + random.random() * (other - nearest)
        gone = np.square(between - moves).sum((1, 2, 3))
        assert (np.square(nearest - moves).sum((1, 2, 3)) <= gone + 1e-12).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("reach", [5.0, 0.3, 1e-3, 1e-7, 1e-12])
def test_whatever_is_proposed_a_point_is_in_the_open_ball_and_an_input(norm, reach):
    centres = some()
    here = balls(centres, reach, norm)
    random = np.random.default_rng(3)
    for scale in (1e-9, 0.1, 3.0, 1e30, 1e300):
        wild = centres + scale * random.standard_normal(centres.shape)
        wild[0, 0, 0, 0], wild[1, 0, 0, 1] = np.nan, np.inf
        points = here.inside(wild)
        assert here.contain(points).all()
        assert (distance(points, centres, norm) < reach).all()
        assert ((points >= 0) & (points <= 1)).all()
        assert points.dtype == np.float32


@pytest.mark.parametrize("norm", NORMS)
def test_a_far_point_is_brought_to_the_surface_and_one_inside_is_left(norm):
    centres = some() / 2 + 0.25
    here = balls(centres, 0.2, norm)
    far = here.inside(centres + np.float32(10.0) * (some(seed=5) - 0.5))
    assert (distance(far, centres, norm) > 0.2 * 0.999).all()
    np.testing.assert_array_equal(here.inside(far), far)


def test_nothing_can_move_a_centre():
    with pytest.raises(ValueError, match="read-only"):
        balls(some(), 0.1).centres[0] = 0


@pytest.mark.parametrize("norm", NORMS)
def test_balls_of_two_classes_overlap_exactly_where_they_share_a_point(norm):
    centres = np.zeros((3, 1, 1, 4), np.float32)
    centres[1], centres[2] = 0.25, 0.5
    step = {"l1": 1.0, "l2": 0.5, "linf": 0.25}[norm]
    touching = find_overlaps(
        balls(centres, step / 2, norm, held=[0, 1, 0]), over=lambda: False
    )
    assert (touching.pairs, touching.compared, touching.all) == ([], 2, 2)
    sharing = find_overlaps(
        balls(centres, step / 2 + 1e-9, norm, held=[0, 1, 0]), over=lambda: False
    )
    assert [pair[:2] for pair in sharing.pairs] == [(0, 1), (1, 2)]
    assert all(math.isclose(pair[2], step) for pair in sharing.pairs)
    alike = find_overlaps(balls(centres, 1.0, norm), over=lambda: False)
    assert (alike.pairs, alike.all) == ([], 0)
    late = find_overlaps(balls(centres, 1.0, norm, held=[0, 1, 0]), over=lambda: True)
    assert (late.pairs, late.compared, late.all) == ([], 0, 2)


def test_overlaps_are_found_across_the_blocks_in_which_balls_are_compared(monkeypatch):
    monkeypatch.setattr("simplicert.audit.attack.overlaps._BLOCK_VALUES", 16 * 3)
    here = balls(some(), 0.8, held=np.arange(20) % 3)
    found = find_overlaps(here, over=lambda: False)
    apart = np.linalg.norm(
        (here.centres[:, None] - here.centres[None]).reshape(20, 20, -1), axis=2
    )
    differ = here.held[:, None] != here.held[None]
    wanted = np.argwhere(np.triu(differ & (apart < 1.6)))
    assert sorted(pair[:2] for pair in found.pairs) == [tuple(p) for p in wanted]
    assert found.compared == found.all == np.triu(differ).sum()


@pytest.mark.parametrize("norm", NORMS)
def test_points_of_8_bits_are_of_8_bits_and_as_far_as_the_ball_goes(norm):
    class Silent(Target):
        def __init__(self):
            pass

    centres = (np.rint(some() * 200 + 20) / 255).astype(np.float32)
    here = balls(centres, 0.5, norm)
    hunt = Hunt(
        target=Silent(),
        balls=here,
        best=here.inside(centres + 0.3 * some(seed=4)),
        others=centres,
        classes=here.held,
        beyond=False,
        effort=0,
        rng=np.random.default_rng(0),
        over=lambda: False,
    )
    first, *shifted = ATTACKS["8-bit"](hunt)
    assert here.contain(first).all()
    assert (distance(first, centres, norm) > 0.05).all()
    for points in (first, *shifted):
        levels = np.rint(points.astype(float) * 255)
        np.testing.assert_array_equal((levels / 255).astype(np.float32), points)
