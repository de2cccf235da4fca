"""Constants of the user's own in front of any classifier."""

import numpy as np
import pytest
import torch
from torch import nn

import simplicert as sc
from simplicert.classifiers import NumpyClassifier, TorchClassifier, as_classifier
from simplicert.errors import InputError
from simplicert.models.normalise import Normalise

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


class Mean(nn.Module):
    """Its three logits are the means of the channels."""

    def forward(self, images):
        return images.mean(dim=(2, 3))


def function(images):
    return images.mean(axis=(2, 3))


def forward(classifier, images):
    ready = classifier.ready(
        images.shape[1:], precision="fp32", device=torch.device("cpu"), runtime="eager"
    )
    return ready(images)


@pytest.mark.parametrize(
    "model",
    [Mean(), NumpyClassifier(function, output="logits")],
    ids=["torch", "numpy"],
)
@pytest.mark.parametrize(("mean", "std"), [(MEAN, STD), ([0.3], [0.7])])
def test_any_model_gets_normalised_pixels(model, mean, std):
    images = torch.rand(4, 3, 5, 5, generator=torch.manual_seed(0))
    plain = as_classifier(model)
    found = as_classifier(model, mean=mean, std=std)
    expected = forward(plain, Normalise(mean, std)(images))
    torch.testing.assert_close(forward(found, images), expected)
    assert found.normalisations == 1
    digests = {plain.digest, found.digest}
    digests.add(as_classifier(model, mean=mean, std=[2 * s for s in std]).digest)
    digests.add(as_classifier(model, mean=[m + 0.1 for m in mean], std=std).digest)
    assert len(digests) == 4


def test_noise_is_added_before():
    images = np.random.default_rng(0).random((2, 3, 5, 5), dtype=np.float32)
    inside = nn.Sequential(Normalise(MEAN, STD), Mean())
    outside = as_classifier(Mean(), mean=MEAN, std=STD)
    draws = {"sigma": 0.5, "draws": 100, "seed": 0}
    np.testing.assert_array_equal(
        sc.sample(outside, images, **draws).counts,
        sc.sample(inside, images, **draws).counts,
    )


@pytest.mark.parametrize(
    ("mean", "std", "complaint"),
    [
        (MEAN, None, "belong together"),
        (None, STD, "belong together"),
        (MEAN, STD[:2], "one finite number a channel"),
        (MEAN, (0.2, 0.0, 0.2), "no std 0"),
        (MEAN, (0.2, float("inf"), 0.2), "finite"),
    ],
)
def test_what_is_no_normalisation_is_refused(mean, std, complaint):
    model = TorchClassifier(Mean(), shape=(3, 5, 5))
    with pytest.raises(InputError, match=complaint):
        as_classifier(model, mean=mean, std=std)


@pytest.mark.parametrize(
    ("shape", "constants"),
    [((3, 5, 5), 2), ((1, 5, 5), 3), ((20,), 1), ((3, 20), 3), ((3, 5, 5), 0)],
)
def test_constants_are_the_channels(shape, constants):
    model = as_classifier(Mean(), mean=[0.5] * constants, std=[0.5] * constants)
    images = np.zeros((2, *shape), np.float32)
    with pytest.raises(InputError, match=rf"{constants} means .* one a channel"):
        sc.sample(model, images, sigma=0.5, draws=10)


def test_a_model_that_normalises_is_not_normalised_again():
    model = nn.Sequential(Normalise(MEAN, STD), Mean())
    with pytest.raises(InputError, match="states its own normalisation"):
        as_classifier(model, mean=MEAN, std=STD)
