"""Certificates of neighbours: true as often as they say, and refused where untrue."""

from dataclasses import replace

import numpy as np
import pytest
from neighboured import (
    CLASSIFIER,
    half_space,
    moved,
    pair_of_runs,
    slab,
    wedge,
    with_shares,
)
from scipy.special import ndtr, ndtri

from simplicert import InputError, certify, mechanisms, sample
from simplicert.certificates.balls import covered
from simplicert.certificates.transitive import share_of
from simplicert.classifiers.function import NumpyClassifier
from simplicert.data.given import as_dataset
from simplicert.data.neighbours import neighbours_of
from simplicert.stopping.looks import looks_for
from simplicert.units import Unit

OPPOSITE = [[0.6, 0.0], [-0.6, 0.0]]


@pytest.fixture(scope="module")
def runs():
    return pair_of_runs(OPPOSITE, copies=3)


@pytest.fixture(scope="module")
def votes(runs):
    """Of three inputs, and of two neighbours of each, with classes that differ."""
    own, around = runs
    own = with_shares(own, [0.9, 0.6, 0.3], draws=1000)
    return own, with_shares(around, [0.95, 0.97, 0.7, 0.9, 0.9, 0.95], draws=2000)


def test_balls_of_one_class_are_combined_at_a_third_of_alpha(votes):
    own, around = votes
    found = certify(own, alpha=0.03, neighbours=around)
    alone, theirs = (certify(each, alpha=share_of(0.03, each=2)) for each in votes)
    at = {"distances": np.full((1, 2), 0.6 * (1 + 2e-15)), "cosines": -np.ones((1, 1))}
    for name, radius in found.radii.items():
        if name == "ensemble":
            members = [found.radii[member] for member in found.members]
            np.testing.assert_array_equal(radius, np.max(members, axis=0))
            continue
        balls = theirs.radii[name].reshape(3, 2)
        balls[2] = 0  # the image's own votes lead to class 1
        np.testing.assert_allclose(
            radius,
            [
                covered(alone.radii[name][i : i + 1], balls[i : i + 1], **at)[0]
                for i in range(3)
            ],
            atol=2e-6,
        )
    assert found.alpha == 0.03
    assert found.neighbours == 2
    assert (found.radius >= alone.radius).all()
    assert (found.radius[:2] > alone.radius[:2]).all()
    assert found.predicted.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(found.e0_lower, alone.e0_lower)
    assert set(found.table()["neighbours"]) == {2}
    assert "neighbours" not in alone.table()


def test_an_abstention_is_vouched_for_by_its_neighbours(votes):
    own, around = votes
    own = with_shares(own, 0.501, draws=1000)
    assert not certify(own).radius.any()
    found = certify(own, neighbours=around)
    assert found.radius[0] > 0
    assert found.predicted[0] == 0
    assert not found.abstention[0]


def test_the_order_of_rows_does_not_matter(votes):
    own, around = votes
    whole = certify(own, neighbours=around).radius
    shuffled = certify(own[[2, 0]], neighbours=around[[5, 0, 4, 3, 1, 2]]).radius
    np.testing.assert_array_equal(shuffled, whole[[2, 0]])


def test_a_neighbour_that_failed_still_has_its_part_of_alpha(votes):
    own, around = votes
    useless = with_shares(around, 0.5, draws=2000)
    found = certify(own, alpha=0.03, neighbours=useless)
    alone = certify(own, alpha=share_of(0.03, each=2))
    np.testing.assert_array_equal(found.radius, alone.radius)
    assert (found.radius[:2] < certify(own, alpha=0.03).radius[:2]).all()


def test_looks_of_the_neighbours_have_their_shares(votes):
    own, around = votes
    stopped = replace(around, looks=looks_for(2000))
    found = certify(own, neighbours=stopped).radius
    assert (found <= certify(own, neighbours=around).radius).all()


def refused(own, around, *words, **how):
    with pytest.raises(InputError) as error:
        certify(own, neighbours=around, **how)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def changed(votes, **fields):
    return replace(votes, manifest=votes.manifest.model_copy(update=fields))


def changed_data(votes, **fields):
    data = votes.manifest.data.model_copy(update=fields)
    return changed(votes, data=data)


def test_other_smoothed_classifiers_are_refused(votes):
    own, around = votes
    model = own.manifest.model.model_copy(update={"digest": "of another"})
    noise = own.manifest.noise.model_copy(update={"name": "uniform", "norm": "l1"})
    for fields in (
        {"sigma": 2.0},
        {"model": model},
        {"noise": noise},
        {"precision": "bf16"},
        {"runtime": "openvino"},
        {"device": "cuda"},
        {"temperature": 2.0},
        {"classes": 3},
    ):
        refused(own, changed(around, **fields), "says nothing of", *fields)
    for fields, word in (
        ({"unit": Unit(name="levels")}, "unit"),
        ({"unit": Unit(name=own.manifest.data.measured_in.name, scale=2.0)}, "unit"),
        ({"cut": "to squares"}, "cut"),
        ({"features": ["b", "a"]}, "features"),
        ({"shape": [1, 2]}, "shape"),
    ):
        refused(own, changed_data(around, **fields), "says nothing of", word)


def test_what_are_no_neighbours_of_these_is_refused(votes):
    own, around = votes
    refused(own, own, "holds no neighbours")
    refused(around, own, "holds no neighbours")
    refused(around, around, "neighbours of other inputs")
    refused(changed_data(own, digest="of others"), around, "neighbours of other inputs")
    refused(changed_data(own, name="array/train"), around, "of other inputs")
    refused(own, replace(around, manifest=None), "must be of a run")
    refused(replace(own, manifest=None), around, "must be of a run")
    refused(own, around[:5], "lacks neighbours of image 2", "finish the run")
    refused(own, around[[0, 2, 3, 4, 5]], "lacks neighbours of image 0")
    some = around.manifest.data.neighbours.model_copy(update={"images": [0, 1, 7]})
    refused(own, changed_data(around, neighbours=some), "image 2", "none of them")
    refused(own, around, "alpha", alpha=1.5)
    two = around.draws.copy()
    two[0] = 1500
    counts = around.counts.copy()
    counts[0] = 700, 800
    stopped = replace(around, counts=counts, draws=two, looks=None)
    refused(own, stopped, "nothing says that these numbers were fixed")


def test_balls_of_another_norm_are_refused():
    inputs = as_dataset(np.zeros((1, 2)), None)
    around = neighbours_of(inputs, [OPPOSITE])
    how = {"sigma": 1.0, "draws": 10, "noise": "uniform", "progress": False}
    refused(*(sample(CLASSIFIER, each, **how) for each in (inputs, around)), "l2 alone")


def test_a_margin_is_not_what_neighbours_vouch_for(votes):
    own, around = votes
    with pytest.raises(InputError, match="about an image itself"):
        certify(own, neighbours=around).confidence(0.1)


# The truth is known: regions of one class, an input and its neighbours.
GAIN = 3.18663, 0.18095
GAIN_POINTS = [[1.675, 0.0], [-4.0, 0.0]]
KNOWN = {
    "half-space": (half_space(0.3), [[-0.2, 0.0], [-0.05, 0.1]]),
    "half-space, opposite": (half_space(0.5), [[-0.3, 0.0], [0.3, 0.0]]),
    "valley": (slab(0.0, 0.5), [[0.2, 0.0], [-0.2, 0.0]]),
    "slab": (slab(1.5, 0.9), [[-0.2, 0.0], [0.2, 0.0]]),
    "wedge": (wedge(1.0), [[-0.2, -0.2], [0.2, -0.1]]),
    "where two balls gain": (slab(*GAIN), GAIN_POINTS),
}


TRIALS, DRAWS = 500, 300


@pytest.fixture(scope="module")
def many():
    return pair_of_runs(OPPOSITE, copies=TRIALS, draws=1)


@pytest.mark.parametrize("name", KNOWN)
def test_false_at_most_as_often_as_alpha(name, many):
    (share, truth), points = KNOWN[name]
    alpha, generator = 0.2, np.random.default_rng(1)
    own, around = many
    origin = np.zeros((1, 2))
    own = with_shares(own, share(origin), draws=DRAWS, generator=generator)
    shares = np.tile(share(np.array(points)), TRIALS)
    around = moved(
        with_shares(around, shares, draws=DRAWS, generator=generator), points
    )
    found = certify(own, alpha=alpha, neighbours=around)
    for radius in found.radii.values():
        wrong = ((radius > truth) | ((found.predicted == 1) & (radius > 0))).mean()
        assert wrong <= alpha + 3 * np.sqrt(alpha / TRIALS)
    if "half-space" in name:  # neighbours are chosen so that it is not idle
        assert (found.radius > truth).any()


@pytest.mark.parametrize("radius", list(mechanisms.BUILT_IN.values()))
def test_no_mechanism_gains_by_the_plain_triangle(radius):
    """At a distance t, quantiles of E0 and E1 move by t at most, each to its side."""
    if radius in (mechanisms.ensemble, mechanisms.lee):
        return
    high, low = np.meshgrid(
        np.linspace(-3, 4, 57), np.linspace(-5, 0, 41), indexing="ij"
    )
    inside = (high > low) & (high + low <= 0)
    high, low = high[inside], low[inside]
    here = radius(ndtr(high), ndtr(low), sigma=1.0)
    for step in (0.01, 0.1, 0.5, 1.5):
        there = radius(ndtr(high + step), ndtr(low - step), sigma=1.0)
        assert (there - step <= here + 1e-5).all()  # 1 - E0 has lost some digits


def r_of_interval(middle, half):
    """Of a slab: the radius, its first and its second derivative along the axis."""
    low, high = middle - half, middle + half
    density = [np.exp(-each * each / 2) / np.sqrt(2 * np.pi) for each in (low, high)]
    radius = -ndtri(ndtr(-low) - ndtr(-high))
    here = np.exp(-radius * radius / 2) / np.sqrt(2 * np.pi)
    first = (density[1] - density[0]) / here
    second = (high * density[1] - low * density[0]) / here + radius * first**2
    return radius, first, second


def test_the_square_of_a_radius_bends_no_more_than_the_theorem_says():
    middle, half = np.meshgrid(np.linspace(0, 8, 401), np.geomspace(1e-3, 4, 400))
    with np.errstate(all="ignore"):
        radius, first, second = r_of_interval(middle, half)
        bend = np.where(radius > 0, radius * second + first**2, 0.0)
    legal = np.isfinite(bend) & (radius < 7)
    assert 1.034 < bend[legal].max() < 1.03451
    # Derivatives against differences.
    step, (r0, r1, r2) = 1e-3, r_of_interval(2.9, 0.25)
    after, before = (r_of_interval(2.9 - side * step, 0.25)[0] for side in (1, -1))
    assert (after - before) / (2 * step) == pytest.approx(r1, abs=1e-5)
    assert (after + before - 2 * r0) / step**2 == pytest.approx(r2, abs=1e-4)


def test_two_balls_gain_where_the_theorem_lets_them():
    middle, half = GAIN
    points = np.array(GAIN_POINTS)[:, 0]
    own, balls = (
        np.atleast_1d(r_of_interval(middle - at, half)[0]) for at in (0.0, points)
    )
    away = np.abs(points[None])
    found = covered(own, balls[None], distances=away, cosines=-np.ones((1, 1)))[0]
    assert found - own[0] == pytest.approx(0.027, abs=2e-4)
    assert found <= np.sqrt(own[0] ** 2 + 0.03451 * away.max() ** 2)


def test_a_classifier_in_the_loop():
    """Nothing simulated: draws, neighbours and certificates as a user has them."""

    def beside(inputs):
        return (inputs[:, 0] > 0.4).astype(int)

    classifier = NumpyClassifier(beside, output="labels", classes=2)
    inputs = as_dataset(np.zeros((1, 3)), np.zeros(1, dtype=int))
    around = neighbours_of(inputs, [[[-0.1, 0, 0], [0.1, 0, 0]]])
    how = {"sigma": 0.5, "draws": 2000, "progress": False}
    votes, others = (
        sample(classifier, data, seed=seed, **how)
        for data, seed in ((inputs, 1), (around, 2))
    )
    found = certify(votes, neighbours=others)
    assert found.predicted.tolist() == [0]
    assert 0.2 < found.radius[0] <= 0.4
