"""The object: batch in, arrays out, and the same answers as the functions."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from simplicert import ABSTAIN, SmoothedClassifier, certify, sample
from simplicert.errors import InputError

IMAGES = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))


class Sign(nn.Module):
    """Class 0 or 1 by whether the mean pixel is below 1/2; class 2 never."""

    def forward(self, x):
        tilt = 20 * (x.flatten(1).mean(dim=1) - 0.5)
        return torch.stack([-tilt, tilt, torch.full_like(tilt, -99.0)], dim=1)


def test_certify_is_sample_and_certify():
    g = SmoothedClassifier(Sign(), sigma=0.5, seed=4)
    ours = g.certify(IMAGES, draws=500, alpha=0.01)
    theirs = certify(sample(Sign(), IMAGES, sigma=0.5, draws=500, seed=4), alpha=0.01)
    np.testing.assert_array_equal(ours.radius, theirs.radius)
    np.testing.assert_array_equal(ours.predicted, theirs.predicted)


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.4])
def test_predict_is_cohen_s_two_sided_binomial_test(alpha):
    g = SmoothedClassifier(Sign(), sigma=0.5, seed=4)
    votes = sample(Sign(), IMAGES, sigma=0.5, draws=100, seed=4)
    expected = []
    for counts in votes.counts:
        second, first = np.sort(counts)[-2:]
        p_value = binomtest(int(first), int(first + second), 0.5).pvalue
        expected.append(counts.argmax() if p_value <= alpha else ABSTAIN)
    np.testing.assert_array_equal(g.predict(IMAGES, draws=100, alpha=alpha), expected)


def test_predict_abstains_where_every_draw_is_lost():
    class Nothing(nn.Module):
        def forward(self, x):
            return torch.full((len(x), 2), float("nan"))

    g = SmoothedClassifier(Nothing(), sigma=0.5, nonfinite="count")
    np.testing.assert_array_equal(g.predict(IMAGES, draws=50), [ABSTAIN] * 6)


def test_no_seed_means_fresh_noise_every_time():
    g = SmoothedClassifier(Sign(), sigma=2.0)
    first, second = (g.certify(IMAGES, draws=300).e0 for _ in range(2))
    assert not np.array_equal(first, second)


def test_bad_alpha_is_refused_before_drawing():
    with pytest.raises(InputError, match="alpha"):
        SmoothedClassifier(Sign(), sigma=0.5).predict(IMAGES, alpha=0)


@pytest.mark.parametrize("sigma", [-1, 0, float("nan")])
def test_bad_sigma_is_refused_at_once(sigma):
    with pytest.raises(InputError, match="sigma must be a positive"):
        SmoothedClassifier(Sign(), sigma=sigma)


def test_options_that_do_not_exist_are_refused_at_once():
    with pytest.raises(TypeError, match="precison"):
        SmoothedClassifier(Sign(), sigma=0.5, precison="bf16")


class Counted(Sign):
    """How often it was copied, which is when it is made ready."""

    copies = 0

    def __deepcopy__(self, memo):
        Counted.copies += 1
        return Sign()


def test_the_classifier_is_made_ready_once_a_shape():
    Counted.copies = 0
    g = SmoothedClassifier(Counted(), sigma=0.5, seed=4)
    for _ in range(2):
        g.predict(IMAGES, draws=50)
        g.certify(IMAGES[:2], draws=100)
    assert Counted.copies == 1
    g.predict(torch.rand(1, 1, 8, 8), draws=50)
    assert Counted.copies == 2


def test_threads_share_one_object():
    g = SmoothedClassifier(Sign(), sigma=0.5, seed=4)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: g.certify(IMAGES, draws=300).radius, range(16))
    expected = SmoothedClassifier(Sign(), sigma=0.5, seed=4).certify(IMAGES, draws=300)
    for radius in found:
        np.testing.assert_array_equal(radius, expected.radius)
