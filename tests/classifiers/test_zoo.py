"""Published models by name: their own size, range and normalisation go inside.

timm and torchvision do not import beside every build of torch, so that their parts used
here are imitated; Hugging Face's are, too, and the real ones where they are installed.
"""

import types

import numpy as np
import pytest
import torch
from torch import nn

import simplicert as sc
from simplicert.errors import InputError
from simplicert.sampling import as_classifier

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


class Pixel(nn.Module):
    """Its three logits are the first pixel, as it gets it."""

    def forward(self, images):
        return images[:, :, 0, 0]


class Fake(types.ModuleType):
    """A package of which only these names exist."""

    def __init__(self, monkeypatch, name, **contents):
        super().__init__(name)
        self.__dict__.update(contents)
        parent = name.partition(".")[0]
        monkeypatch.setitem(__import__("sys").modules, parent, self)
        monkeypatch.setitem(__import__("sys").modules, name, self)


@pytest.fixture
def timm(monkeypatch):
    def create_model(name, *, pretrained):
        assert pretrained
        if name != "pixel":
            raise RuntimeError(f"Unknown model ({name})\nand more")
        model = Pixel()
        model.pretrained_cfg = {"mean": MEAN, "std": STD, "input_size": (3, 20, 20)}
        return model

    Fake(monkeypatch, "timm", create_model=create_model)


@pytest.fixture
def torchvision(monkeypatch):
    transforms = types.SimpleNamespace(mean=list(MEAN), std=list(STD), crop_size=[20])
    weights = types.SimpleNamespace(transforms=lambda: transforms)

    def get_model(name, *, weights):
        assert weights.transforms() is transforms
        return Pixel()

    Fake(
        monkeypatch,
        "torchvision.models",
        get_model_weights=lambda name: types.SimpleNamespace(DEFAULT=weights),
        get_model=get_model,
    )


class Processor(dict):
    def to_dict(self):
        return dict(self)


def hugging_face(monkeypatch, **said):
    class Wrapped(Pixel):
        config = types.SimpleNamespace(num_channels=3)

        def forward(self, images):
            return types.SimpleNamespace(logits=super().forward(images))

    def load(name, *, use_safetensors):
        assert use_safetensors
        return Wrapped()

    Fake(
        monkeypatch,
        "transformers",
        AutoModelForImageClassification=types.SimpleNamespace(from_pretrained=load),
        AutoImageProcessor=types.SimpleNamespace(
            from_pretrained=lambda name: Processor(said)
        ),
    )


def seen(name):
    """What the wrapped network gets for a pixel of 0, 0.5 and 1."""
    classifier = as_classifier(name)
    assert classifier.shape == (3, 20, 20)
    forward = classifier.ready(
        (3, 20, 20), precision="fp32", device=torch.device("cpu"), compiled=False
    )
    images = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 3, 20, 20)
    returned = forward(images)
    return getattr(returned, "logits", returned).numpy()


@pytest.mark.parametrize("name", ["timm", "torchvision"])
def test_normalisation_is_inside(name, request):
    request.getfixturevalue(name)
    expected = (np.array([[0.0], [0.5], [1.0]]) - MEAN) / STD
    np.testing.assert_allclose(seen(f"{name}:pixel"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, lambda x: (x - MEAN) / STD),
        ({"do_normalize": False}, lambda x: x + np.zeros(3)),
        ({"rescale_factor": 2 / 255, "rescale_offset": True, "do_normalize": False},
         lambda x: 2 * x - 1 + np.zeros(3)),
        ({"rescale_factor": 2 / 255, "rescale_offset": True},
         lambda x: (2 * x - 1 - MEAN) / STD),
        ({"do_rescale": False}, lambda x: (255 * x - MEAN) / STD),
    ],
)  # fmt: skip
def test_hugging_face_s_range_is_inside(monkeypatch, said, expected):
    usual = {"rescale_factor": 1 / 255, "image_mean": MEAN, "image_std": STD}
    size = {"size": {"height": 20, "width": 20}}
    hugging_face(monkeypatch, **usual | size | said)
    found = seen("hf:someone/pixel")
    pixels = np.array([[0.0], [0.5], [1.0]])
    np.testing.assert_allclose(found, expected(pixels), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "size",
    [
        {"size": {"shortest_edge": 20}},
        {"size": {"shortest_edge": 25}, "crop_size": {"height": 20, "width": 20},
         "do_center_crop": True},
    ],
)  # fmt: skip
def test_hugging_face_s_size_is_what_its_processor_makes(monkeypatch, size):
    hugging_face(monkeypatch, rescale_factor=1 / 255, do_normalize=False, **size)
    assert as_classifier("hf:pixel").shape == (3, 20, 20)


def test_a_size_that_is_not_said_is_asked_for(monkeypatch):
    hugging_face(monkeypatch, rescale_factor=1 / 255)
    with pytest.raises(InputError, match="does not say what size"):
        as_classifier("hf:pixel")


def test_images_of_another_size_are_refused(timm):
    images = np.zeros((1, 3, 32, 32), np.float32)
    with pytest.raises(InputError, match=r"takes images of shape \(3, 20, 20\), but"):
        sc.sample("timm:pixel", images, sigma=0.5, draws=100)


def test_what_the_library_says_is_passed_on(timm):
    with pytest.raises(InputError, match=r"timm cannot load 'x': .* Unknown model \(x"):
        as_classifier("timm:x")


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(InputError, match=r"needs timm, .* pip install timm"):
        as_classifier("timm:resnet18")


def test_a_real_hugging_face_model_is_sampled(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], num_labels=3
    )
    try:
        network = transformers.ResNetForImageClassification(config)
    except ImportError:  # it looks for torchvision, and does not bear a broken one
        pytest.skip("transformers cannot import its ResNet here")
    network.save_pretrained(tmp_path)
    transformers.ViTImageProcessor(
        size={"height": 32, "width": 32}, image_mean=MEAN, image_std=STD
    ).save_pretrained(tmp_path)
    images = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    votes = sc.sample(f"hf:{tmp_path}", images, sigma=0.5, draws=100)
    assert votes.counts.sum() == 100
