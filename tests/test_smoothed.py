"""The object: batch in, arrays out, and the same answers as the functions."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from simplicert import ABSTAIN, SmoothedClassifier, certify, sample
from simplicert.classifiers import TorchClassifier
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


def test_margins_are_drawn_for_the_procedure_that_reads_them():
    g = SmoothedClassifier(Sign(), sigma=0.5, seed=4, temperature=20.0)
    ours = g.certify(IMAGES, draws=500, procedure="margins")
    votes = sample(
        Sign(), IMAGES, sigma=0.5, draws=500, seed=4, temperature=20.0, margins=True
    )
    theirs = certify(votes, procedure="margins")
    np.testing.assert_array_equal(ours.radius, theirs.radius)
    np.testing.assert_array_equal(ours.confidence(0.0), theirs.confidence(0.0))
    assert ours.confidence(0.0).any()
    with pytest.raises(InputError, match="a number of draws that is fixed"):
        g.certify(IMAGES, draws=500, procedure="margins", until=0.1)
    with pytest.raises(InputError, match="two_stage needs other draws that choose"):
        g.certify(IMAGES, draws=10**7, procedure="two_stage")  # before any is drawn


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


class Shifted(nn.Module):
    """Class 1 where the weight is positive."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.scale = 1

    def forward(self, x):
        return self.scale * self.weight * torch.tensor([[-1.0, 1.0]]).expand(len(x), 2)


def by_optimiser(net):
    net.weight.sum().backward()
    torch.optim.SGD(net.parameters(), lr=2.0).step()


def by_data(net):
    net.weight.data.mul_(-1)


def by_state(net):
    net.load_state_dict({"weight": -torch.ones(1)})


def by_attribute(net):
    net.scale = -1


def by_layer(net):
    net.weight = nn.Parameter(-torch.ones(1))


@pytest.mark.parametrize(
    "change", [by_optimiser, by_data, by_state, by_attribute, by_layer]
)
def test_a_module_that_was_changed_between_calls_is_what_it_is_now(change):
    net = Shifted()
    g = SmoothedClassifier(net, sigma=0.5, seed=4)
    assert set(g.predict(IMAGES, draws=50)) == {1}
    change(net)
    assert set(g.predict(IMAGES, draws=50)) == {0}


def test_a_wrapped_module_that_was_changed_is_refused():
    net = Shifted()
    wrapped = TorchClassifier(net)
    g = SmoothedClassifier(wrapped, sigma=0.5, seed=4)
    g.predict(IMAGES, draws=50)
    by_data(net)
    with pytest.raises(InputError, match="has changed since it was made a Torch"):
        g.predict(IMAGES, draws=50)
    with pytest.raises(InputError, match="has changed since it was made a Torch"):
        sample(wrapped, IMAGES, sigma=0.5, draws=50)


def test_an_estimator_that_was_fitted_anew_is_what_it_is_now():
    samples = np.linspace(0, 1, 32).reshape(2, 16)
    tree = DecisionTreeClassifier().fit(samples, [3, 5])
    g = SmoothedClassifier(tree, sigma=0.01, seed=4)
    grey = np.stack([np.full((1, 4, 4), v, np.float32) for v in (0.0, 1.0)])
    first = g.predict(grey, draws=50)
    tree.fit(samples, [5, 4])
    assert set(g.predict(grey, draws=50)) == set(first)
    assert (g.predict(grey, draws=50) != first).all()


def test_other_images_are_not_held_against_the_answers_to_the_first():
    g = SmoothedClassifier(Sign(), sigma=0.1, seed=4)
    for level in (0.0, 1.0, 0.0):  # of class 0, of class 1
        images = torch.full((2, 1, 4, 4), level)
        assert g.certify(images, draws=4000).predicted.tolist() == [int(level)] * 2
