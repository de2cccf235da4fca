"""Training of denoisers."""

import csv

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from simplicert.classifiers import as_classifier
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.models import Metadata, build_model, load_checkpoint, save_checkpoint
from simplicert.training import load_recipe, train
from simplicert.training.methods import Denoise

SHAPE = (1, 8, 8)
IMAGES = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(6) % 3


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", split="train").select(torch.arange(256).numpy())


def saved(path, *, architecture="small-cnn", names=("a", "b", "c"), seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(architecture, shape=SHAPE, classes=len(names))
    metadata = Metadata(
        architecture=architecture,
        shape=SHAPE,
        class_names=names,
        dataset="mine",
        dataset_digest="ab",
        sigma=0.0,
        recipe={},
        accuracy={},
        versions={},
    )
    save_checkpoint(path, model, metadata)
    return model.eval()


def recipe(*, epochs=2, **method):
    return load_recipe(
        "digits",
        epochs=epochs,
        architecture="denoiser6",
        learning_rate=0.3,
        batch_size=32,
        sigma=0.5,
        method={"name": "denoise", **method},
    )


class Halves(nn.Module):
    """A denoiser of one weight."""

    def __init__(self):
        super().__init__()
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, images):
        return images * self.share


def loss_of(method, *, done=0.5):
    model = Halves()
    generator = torch.Generator().manual_seed(7)
    loss, logits = method.loss(
        model, IMAGES, LABELS, sigma=0.5, done=done, generator=generator
    )
    loss.backward()
    return loss.item(), logits, model.share.grad.item()


@pytest.fixture
def noisy(noise_of):
    return IMAGES + 0.5 * noise_of(IMAGES, 7)


def test_the_error_is_the_share_of_the_noise_that_is_left(noisy):
    loss, logits, _ = loss_of(Denoise())
    assert loss == pytest.approx((noisy / 2 - IMAGES).square().mean().item() / 0.25)
    assert logits is None


def test_a_fresh_denoiser_leaves_all_of_it():
    fresh = build_model("denoiser12", shape=(3, 8, 10), classes=2)
    images = torch.rand(2, 3, 8, 10, generator=torch.Generator().manual_seed(0))
    assert torch.equal(fresh(images), images)
    with pytest.raises(InputError, match="even height and width"):
        build_model("denoiser12", shape=(3, 8, 9), classes=2)


def test_the_stability_is_of_what_the_classifier_decides(tmp_path, noisy):
    frozen = saved(tmp_path / "c.safetensors")
    path = str(tmp_path / "c.safetensors")
    with torch.no_grad():
        decided = frozen(IMAGES).argmax(dim=1)
        logits = frozen(noisy / 2)
    error, _, alone = loss_of(Denoise())
    both, seen, gradient = loss_of(Denoise(classifier=path, weight=3.0))
    torch.testing.assert_close(seen, logits)
    stability = cross_entropy(logits, decided).item()
    assert both == pytest.approx(error + 3 * stability)
    assert gradient != pytest.approx(alone)  # also through the classifier


def test_the_classifier_stays_as_it_is(tmp_path, digits):
    path = tmp_path / "c.safetensors"
    saved(path, architecture="resnet20", names=digits.class_names)  # with batch norms
    before = path.read_bytes()
    few = digits.select(torch.arange(64).numpy())
    asked = recipe(epochs=1, classifier=str(path), weight=1.0).resolved(few)
    model, metadata = train(few, asked, validation=few)
    frozen = asked.method.classifying(model)[1]
    assert not any(part.training for part in frozen.modules())
    assert all(w.grad is None and not w.requires_grad for w in frozen.parameters())
    assert as_classifier(frozen).digest == as_classifier(path).digest
    assert path.read_bytes() == before
    assert not any("fc" in key for key in model.state_dict())
    assert metadata.is_denoiser
    assert metadata.class_names == ()
    assert metadata.recipe["method"]["digest"] == as_classifier(path).digest
    assert metadata.accuracy.keys() == {"train_clean", "train_noisy"}


def test_the_error_falls_and_a_stopped_run_goes_on_with_the_same_weights(
    tmp_path, digits, monkeypatch
):
    whole, metadata = train(digits, recipe(), state=tmp_path / "whole.training")
    with (tmp_path / "whole.csv").open() as file:
        first, last = csv.DictReader(file)
    assert float(last["loss"]) < 0.75 * float(first["loss"])
    assert first["accuracy"] == last["validation_accuracy"] == ""
    assert metadata.accuracy == {}

    def stop(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    state = tmp_path / "stopped.training"
    monkeypatch.setattr("simplicert.training.loop._SAVE_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(digits, recipe(), state=state, progress=stop)
    assert state.exists()
    again, _ = train(digits, recipe(), state=state)
    for key, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[key]), key
    save_checkpoint(tmp_path / "d.safetensors", whole, metadata)
    read, told = load_checkpoint(tmp_path / "d.safetensors")
    assert told == metadata
    assert torch.equal(read(IMAGES), whole(IMAGES))


def test_another_classifier_of_that_name_does_not_go_on(tmp_path, digits):
    path = tmp_path / "c.safetensors"
    saved(path, names=digits.class_names)
    asked = recipe(epochs=1, classifier=str(path))
    train(digits, asked, state=tmp_path / "it.training")
    saved(path, names=digits.class_names, seed=1)
    with pytest.raises(InputError, match=r"was trained with method = .*digest"):
        train(digits, asked, state=tmp_path / "it.training")


def test_a_classifier_that_does_not_fit_is_refused(tmp_path, digits):
    path = tmp_path / "c.safetensors"
    with pytest.raises(InputError, match="no checkpoint"):
        recipe(classifier=str(path)).resolved(digits)
    saved(path)
    with pytest.raises(InputError, match=r"is for classes \('a', 'b', 'c'\)"):
        recipe(classifier=str(path)).resolved(digits)
    saved(path, names=digits.class_names)
    with pytest.raises(InputError, match="another classifier than was meant"):
        recipe(classifier=str(path), digest="ab").resolved(digits)
    saved(path, architecture="denoiser6", names=())
    with pytest.raises(InputError, match="is a denoiser"):
        recipe(classifier=str(path)).resolved(digits)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"architecture": "resnet20"}, "'resnet20' is a classifier's architecture"),
        ({"sigma": 0.0}, "needs noise to remove"),
        ({"method": {"name": "gaussian"}}, "'denoiser12' is a denoiser's architecture"),
        ({"method": {"weight": 1.0}}, "say which classifier's"),
        ({"method": {"weight": -1.0, "classifier": "c"}}, "greater than or equal to 0"),
    ],
)
def test_recipes_that_mean_nothing_are_refused(fields, says):
    with pytest.raises(InputError, match=says):
        load_recipe("cifar10-denoiser-cpu", **fields)
