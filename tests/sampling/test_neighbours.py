"""Pilot draws: they find where a class gains, and are never counted."""

import numpy as np
import pytest
import torch

from simplicert import InputError, sample
from simplicert.classifiers.function import NumpyClassifier
from simplicert.data.given import as_dataset
from simplicert.sampling import Sampler
from simplicert.sampling.neighbours import find_neighbours

SEEN = []


def beside(inputs):
    SEEN.append(inputs.astype(np.float64))
    return (inputs[:, 0] > 0.5).astype(int)


CLASSIFIER = NumpyClassifier(beside, output="labels", classes=2, digest="beside")


def found(data, *, seed=1, sigma=0.5, **how):
    sampler = Sampler(CLASSIFIER, data)
    plan = sampler.plan(sigma=sigma, draws=400, seed=seed, batch=50)
    return find_neighbours(sampler, plan, **{"pilot": 400} | how)


def test_it_finds_the_direction_in_which_the_class_gains():
    data = as_dataset(np.zeros((2, 6)), None)
    around = found(data, distances=(0.5, 1.0))
    points = around.read(np.arange(4)).reshape(2, 2, 6)
    ways = points / np.linalg.norm(points, axis=2, keepdims=True)
    assert np.abs(ways[..., 0]).min() > 0.7  # along the first axis, to either side
    steps = np.array(around.neighbours.distances) / 0.25  # of half a sigma
    np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
    again = found(data, distances=(0.5, 1.0))
    assert again.digest == around.digest
    assert found(data, seed=2).digest != around.digest


def test_no_pilot_draw_has_the_noise_of_a_counted_one_even_of_the_same_seed():
    data = as_dataset(np.zeros((1, 5)), None)
    SEEN.clear()
    around = found(data, seed=7, each=1)
    pilots = np.concatenate(SEEN)
    SEEN.clear()
    for inputs in (data, around):
        sample(CLASSIFIER, inputs, sigma=0.5, draws=800, seed=7, batch=50, block=100)
    counted = np.concatenate(SEEN)
    # The noise of each, from whichever point it was added to.
    origins = np.concatenate([np.zeros((1, 5)), around.read(np.arange(1))])
    tried = {tuple(np.round(each, 4)) for each in pilots}
    drawn = {tuple(np.round(each, 4)) for o in origins for each in counted - o}
    # The probe before a run asks about the first of the noise that pilots have.
    assert len(tried & drawn) <= 64
    assert len(drawn) > 1600


def test_what_cannot_be_found_is_refused():
    data = as_dataset(np.zeros((1, 2)), None)
    for how, word in (
        ({"each": 3, "distances": (0.5,)}, "cannot be chosen from 2 points"),
        ({"each": 0}, "from 1 to 16"),
        ({"distances": (0.0,)}, "above 0"),
        ({"pilot": 20}, "too few"),
    ):
        with pytest.raises(InputError, match=word):
            found(data, **how)
    sampler = Sampler(CLASSIFIER, data, noise="uniform")
    plan = sampler.plan(sigma=0.5, draws=400)
    with pytest.raises(InputError, match="l2 alone"):
        find_neighbours(sampler, plan)


def test_a_certain_class_has_neighbours_as_well():
    torch.manual_seed(0)
    far = as_dataset(np.full((1, 3), -100.0), None)
    told = []
    around = found(far, progress=lambda done, total: told.append((done, total)))
    assert len(around) == 2
    assert told == [(400, 400)]
