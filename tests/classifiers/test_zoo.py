"""Published models by name: their own size, range and normalisation go inside.

timm, torchvision and Hugging Face's parts that are used here are imitated. That the
imitations are like the real ones is for ``test_real_zoo``.
"""

import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image
from pipeline import MEAN, STD, Pipeline
from safetensors.torch import save_file
from torch import nn

import simplicert as sc
from simplicert.classifiers.zoo import _is_timms
from simplicert.data import load_dataset
from simplicert.data.cuts import PublishedCut, choose_cut
from simplicert.errors import InputError
from simplicert.sampling import as_classifier

PUBLISHED = PublishedCut(20, 25)


class Pixel(nn.Module):
    """Its three logits are the first pixel, as it gets it."""

    def __init__(self, classes=3):
        super().__init__()
        self.head = nn.Linear(3, classes, bias=False)
        nn.init.eye_(self.head.weight)

    def forward(self, images):
        return self.head(images[:, :, 0, 0])


class Fake(types.ModuleType):
    """A package of which only these names exist."""

    def __init__(self, monkeypatch, name, **contents):
        super().__init__(name)
        self.__dict__.update(contents)
        parent = name.partition(".")[0]
        if not contents.pop("part", False):
            monkeypatch.setitem(__import__("sys").modules, parent, self)
        monkeypatch.setitem(__import__("sys").modules, name, self)


@pytest.fixture
def timm(monkeypatch):
    config = {"mean": MEAN, "std": STD, "input_size": (3, 20, 20)}

    def create_model(name, *, pretrained=False, num_classes=3):
        if name not in {"pixel", "hub:pixel", "larger"}:
            raise RuntimeError(f"Unknown model ({name})\nand more")
        model = Pixel(num_classes)
        test = {"test_input_size": (3, 28, 28)} if name == "larger" else {}
        model.pretrained_cfg = config | test
        return model

    def resolve_data_config(args, *, model, use_test_size):
        return {"size": 28, "resize": 28} if use_test_size else {}

    Fake(monkeypatch, "timm", create_model=create_model)
    Fake(
        monkeypatch,
        "timm.data",
        part=True,
        resolve_data_config=resolve_data_config,
        create_transform=Pipeline,
    )


@pytest.fixture
def torchvision(monkeypatch):
    weights = types.SimpleNamespace(
        transforms=Pipeline, meta={"categories": ["tench", "goldfish", "shark"]}
    )

    def get_model(name, *, weights=None, num_classes=3):
        return Pixel(num_classes)

    Fake(
        monkeypatch,
        "torchvision.models",
        get_model_weights=lambda name: types.SimpleNamespace(DEFAULT=weights),
        get_model=get_model,
    )


class Processor:
    """It states something, and does what its pipeline does."""

    def __init__(self, pipeline, stated):
        self.pipeline, self.stated = pipeline, stated

    def to_dict(self):
        return self.stated

    def __call__(self, *, images, return_tensors):
        assert return_tensors == "pt"
        return {"pixel_values": self.pipeline(images)[None]}


USUAL = {"image_mean": MEAN, "image_std": STD}


def hugging_face(monkeypatch, pipeline, *, stated=USUAL, **config):
    class Wrapped(Pixel):
        def forward(self, images):
            return types.SimpleNamespace(logits=super().forward(images))

    def load(name, *, use_safetensors):
        assert use_safetensors
        model = Wrapped()
        model.config = types.SimpleNamespace(num_channels=3, **config)
        return model

    def processor(name):
        if pipeline is None:
            raise OSError(f"{name} has no preprocessor_config.json\nand more")
        return Processor(pipeline, stated)

    Fake(
        monkeypatch,
        "transformers",
        AutoModelForImageClassification=types.SimpleNamespace(from_pretrained=load),
        AutoImageProcessor=types.SimpleNamespace(from_pretrained=processor),
    )


def seen(name, **constants):
    """What the wrapped network gets for a pixel of 0, 0.5 and 1."""
    classifier = as_classifier(name, **constants)
    assert classifier.shape in {None, (3, 20, 20)}
    forward = classifier.ready(
        (3, 20, 20), precision="fp32", device=torch.device("cpu"), runtime="eager"
    )
    images = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 3, 20, 20)
    returned = forward(images)
    return getattr(returned, "logits", returned).numpy()


STEPS = np.array([[0.0], [0.5], [1.0]])


@pytest.mark.parametrize("name", ["timm:pixel", "torchvision:pixel", "timm:hub:pixel"])
def test_normalisation_and_cut_are_the_library_s(name, request):
    request.getfixturevalue(name.partition(":")[0])
    np.testing.assert_allclose(seen(name), (STEPS - MEAN) / STD, rtol=1e-6)
    assert as_classifier(name).cuts == (PUBLISHED,)


@pytest.mark.parametrize("stated", [USUAL, {}, {"image_mean": 0.5, "image_std": 0.5}])
@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (Pipeline(), (STEPS - MEAN) / STD),
        (Pipeline(times=2), (STEPS - MEAN) / np.square(STD)),  # EfficientNet's own way
        (Pipeline(mean=0, std=1), STEPS + np.zeros(3)),
        (
            Pipeline(mean=127.5, std=127.5, twist=lambda x: 255 * x),
            2 * STEPS - [1.0] * 3,
        ),
        (Pipeline(mean=0, std=1, twist=lambda x: 255 * x), 255 * STEPS + np.zeros(3)),
    ],
)
def test_hugging_face_s_way_is_inside_whatever_it_states(
    monkeypatch, pipeline, expected, stated
):
    hugging_face(
        monkeypatch, pipeline, stated=stated, id2label={1: "b", 0: "a", 2: "c"}
    )
    found = seen("hf:someone/pixel")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    classifier = as_classifier("hf:someone/pixel")
    assert classifier.cuts == (PUBLISHED,)
    assert classifier.class_names == ("a", "b", "c")


def test_names_of_some_classes_are_none(monkeypatch):
    hugging_face(monkeypatch, Pipeline(), id2label={"1": "a", "2": "b", "3": "c"})
    assert as_classifier("hf:pixel").class_names == ()


def test_a_preset_without_constants_is_learnt_too(torchvision, monkeypatch):
    models = sys.modules["torchvision.models"]
    weights = types.SimpleNamespace(transforms=lambda: Pipeline().__call__, meta={})
    monkeypatch.setattr(
        models, "get_model_weights", lambda name: types.SimpleNamespace(DEFAULT=weights)
    )
    np.testing.assert_allclose(
        seen("torchvision:pixel"), (STEPS - MEAN) / STD, rtol=1e-4, atol=1e-4
    )


def test_a_processor_that_does_more_is_refused(monkeypatch):
    hugging_face(monkeypatch, Pipeline(twist=np.square))
    with pytest.raises(InputError, match=r"hf:pixel: what its own library does"):
        as_classifier("hf:pixel")


@pytest.mark.parametrize("constants", [{}, {"mean": MEAN, "std": STD}])
def test_labels_that_do_not_exclude_each_other_are_certified_one_by_one(
    constants, monkeypatch
):
    kind = {"problem_type": "multi_label_classification", "image_size": 20}
    hugging_face(monkeypatch, None if constants else Pipeline(), **kind)
    images = np.zeros((1, 3, 20, 20), np.float32)
    settings = {"sigma": 0.25, "draws": 20, "seed": 0}
    with pytest.raises(InputError, match=r"one by one.*output=\"logits:label=0\""):
        sc.sample(as_classifier("hf:pixel", **constants), images, **settings)
    label = as_classifier("hf:pixel", output="label=1", **constants)
    assert sc.sample(label, images, **settings).counts.shape == (1, 2)


def test_a_cut_that_is_not_learnt_is_said(monkeypatch):
    hugging_face(monkeypatch, Pipeline(size=None))
    [said] = as_classifier("hf:pixel").warnings(precision="fp32")
    assert "cuts photographs could not be learnt" in said
    hugging_face(monkeypatch, Pipeline())
    assert as_classifier("hf:pixel").warnings(precision="fp32") == ()


def test_without_a_processor_the_constants_are_asked_for(monkeypatch):
    hugging_face(monkeypatch, None, image_size=20)
    with pytest.raises(
        InputError, match=r"no preprocessor_config.json. .* mean and std"
    ):
        as_classifier("hf:pixel")
    found = seen("hf:pixel", mean=MEAN, std=STD)
    np.testing.assert_allclose(found, (STEPS - MEAN) / STD, rtol=1e-6)


def test_constants_of_a_model_that_states_its_own_are_refused(timm):
    with pytest.raises(InputError, match="timm:pixel states its own normalisation"):
        as_classifier("timm:pixel", mean=MEAN, std=STD)


@pytest.mark.parametrize("library", ["torchvision", "timm"])
@pytest.mark.parametrize("form", ["pth", "safetensors"])
@pytest.mark.parametrize("classes", [3, 5])
def test_weights_of_one_s_own_in_a_library_s_network(
    tmp_path, request, library, form, classes
):
    request.getfixturevalue(library)
    file = tmp_path / f"mine.{form}"
    weights = {"head.weight": torch.arange(3.0 * classes).reshape(classes, 3)}
    if form == "pth":
        torch.save({"state_dict": weights}, file)
    else:
        save_file(weights, file)
    name = f"{library}:pixel@{file}"
    with pytest.raises(InputError, match=r"does not tell what .* give mean and std"):
        as_classifier(name)
    found = seen(name, mean=MEAN, std=STD)
    expected = (STEPS - MEAN) / STD @ weights["head.weight"].numpy().T
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path, torchvision):
    save_file({"head.weight": torch.zeros(3, 4)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"another network's: size mismatch for head"):
        as_classifier(
            f"torchvision:pixel@{tmp_path}/other.safetensors", mean=MEAN, std=STD
        )


def test_a_test_size_is_the_usual_one_and_that_of_training_is_taken_too(timm):
    classifier = as_classifier("timm:larger")
    assert classifier.shape == (3, 28, 28)
    assert classifier.cuts == (PublishedCut(28, 28), PUBLISHED)
    for side, fits in [(28, True), (20, True), (24, False)]:
        assert classifier.takes((3, side, side)) is fits


def test_photographs_are_cut_as_published(timm, tmp_path):
    folder = tmp_path / "test" / "thing"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    classifier = as_classifier("timm:pixel")
    dataset = load_dataset(str(tmp_path), cut=choose_cut(classifier.cuts))
    expected = Pipeline(mean=0, std=1)(Image.fromarray(pixels))
    np.testing.assert_array_equal(dataset.read(np.array([0]))[0], expected)
    assert dataset.cut == "shorter side to 25, centre 20, bilinear"


def test_timm_s_folders_are_told_from_hugging_face_s(monkeypatch, tmp_path):
    hugging_face(monkeypatch, Pipeline())
    (tmp_path / "config.json").write_text('{"architecture": "x", "pretrained_cfg": {}}')
    with pytest.raises(InputError, match=f"name it timm:local-dir:{tmp_path}"):
        as_classifier(f"hf:{tmp_path}")


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


@pytest.mark.parametrize("content", ["7", "null", "{", "[" * 100_000, "\x00"])
def test_a_configuration_that_is_none_is_not_timm_s(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert not _is_timms(tmp_path)
