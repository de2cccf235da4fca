from dataclasses import replace

import numpy as np
import pytest
import torch
from clock import Clock
from PIL import Image

from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.training import load_recipe, measure_accuracy, train
from simplicert.training.loop import _fresh_model
from simplicert.training.methods import Gaussian

DIGITS = load_dataset("digits", split="train").select(np.arange(200))


def weights(**overrides):
    model, _ = train(DIGITS, load_recipe("digits", epochs=2, **overrides))
    return torch.cat([weight.flatten() for weight in model.state_dict().values()])


def test_the_recipe_decides_the_weights_bit_for_bit():
    first = weights()
    torch.rand(7)  # the global state is not ours to depend on
    assert torch.equal(first, weights())
    assert not torch.equal(first, weights(seed=1))
    assert not torch.equal(first, weights(sigma=0.25))


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(123)  # not where an earlier run may have left it
    before = torch.get_rng_state()
    weights()
    assert torch.equal(before, torch.get_rng_state())


class Recorder(torch.nn.Module):
    """Answers with constant logits, and keeps what it was shown."""

    def __init__(self, *, shape, classes):  # noqa: ARG002 (an architecture)
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(classes))
        self.shown = []

    def forward(self, images):
        self.shown.append(images)
        return self.bias.expand(len(images), -1)


def test_every_image_is_seen_once_an_epoch_under_fresh_noise(monkeypatch):
    monkeypatch.setattr(
        "simplicert.models.catalogue.ARCHITECTURES", {"recorder": Recorder}
    )
    recipe = load_recipe("digits", architecture="recorder", sigma=0.5, epochs=2)
    model, _ = train(DIGITS, recipe)
    seen = torch.cat(model.shown).reshape(2, 200, 64)

    clean = torch.from_numpy(DIGITS.read(np.arange(200))).reshape(200, 64)
    noise = []
    for epoch in seen:
        nearest = torch.cdist(epoch, clean).argmin(dim=1)
        # Noise of sigma 0.5 has norm about 4, two digits are about 2 apart: the nearest
        # is right for most only. Counting is therefore done without noise, below.
        noise.append(epoch - clean[nearest])
    # 12,800 values an epoch: 0.5 / sqrt(2 * 12,800) = 0.003 is one standard error,
    # and choosing the nearest digit makes the residual a little smaller.
    assert all(0.45 < part.std() < 0.51 for part in noise)
    # No two images share their noise, in one epoch or in two.
    distances = torch.cdist(torch.cat(noise), torch.cat(noise)) + 9 * torch.eye(400)
    assert distances.min() > 2


def test_an_epoch_is_a_permutation(monkeypatch):
    monkeypatch.setattr(
        "simplicert.models.catalogue.ARCHITECTURES", {"recorder": Recorder}
    )
    recipe = load_recipe("digits", architecture="recorder", sigma=0.0, epochs=2)
    model, _ = train(DIGITS, recipe)
    seen = torch.cat(model.shown).reshape(2, 200, 64)
    clean = torch.from_numpy(DIGITS.read(np.arange(200))).reshape(200, 64)
    for epoch in seen:
        assert sorted(epoch.tolist()) == sorted(clean.tolist())
    assert not torch.equal(seen[0], seen[1])


@pytest.fixture
def steps_take(monkeypatch):
    """Lets every step of training take so many seconds."""
    return lambda seconds: monkeypatch.setattr(
        "simplicert.training.epoch.monotonic", Clock(tick=seconds).monotonic
    )


def test_progress_reports_every_step_if_there_is_time(steps_take):
    steps_take(1)
    reports = []
    recipe = load_recipe("digits", epochs=2, milestones=[1])
    train(DIGITS, recipe, progress=reports.append)
    assert [(r.epoch, r.images) for r in reports] == [
        (1, 128), (1, 200), (2, 128), (2, 200),
    ]  # fmt: skip
    assert [r.done for r in reports] == pytest.approx([0.32, 0.5, 0.82, 1.0])
    assert reports[0].learning_rate == pytest.approx(10 * reports[-1].learning_rate)
    assert "epoch 2/2, loss" in str(reports[-1])


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.01, [1, 25]), (0.06, [1, 10, 19, 25])]
)
def test_progress_waits_between_the_first_step_and_the_last(steps_take, seconds, steps):
    steps_take(seconds)
    reports = []
    recipe = load_recipe("digits", epochs=2, batch_size=8)
    train(DIGITS, recipe, progress=reports.append)
    assert [(r.epoch, r.images) for r in reports] == [
        (epoch, 8 * step) for epoch in (1, 2) for step in steps
    ]
    assert reports[0].images_per_second == pytest.approx(8 / seconds)


def test_the_rate_of_the_recipe_is_used():
    recipe = load_recipe("digits", epochs=1)
    slow = {"warmup_epochs": 0.5, "warmup_factor": 1e-9, "milestones": []}
    still, _ = train(DIGITS, load_recipe("digits", epochs=1, batch_size=200, **slow))
    fresh, _ = _fresh_model(DIGITS, recipe, torch.device("cpu"))
    for ours, initial in zip(still.parameters(), fresh.parameters(), strict=True):
        torch.testing.assert_close(ours, initial, rtol=0, atol=1e-6)


def test_accuracy_is_measured_under_noise():
    recorder = Recorder(shape=(1, 8, 8), classes=10)
    measure_accuracy(recorder, DIGITS, sigma=0.5, seed=0)
    (shown,) = recorder.shown
    noise = shown - torch.from_numpy(DIGITS.read(np.arange(200)))
    # 12,800 values: one standard error of the deviation is 0.003.
    assert noise.std() == pytest.approx(0.5, abs=0.012)


def test_validation_is_written_down():
    test = load_dataset("digits").select(np.arange(50))
    model, metadata = train(DIGITS, load_recipe("digits", epochs=2), validation=test)
    noisy = measure_accuracy(model, test, sigma=0.5, seed=0)
    assert metadata.accuracy["test_noisy"] == noisy
    assert metadata.recipe["epochs"] == 2
    assert metadata.dataset_digest == DIGITS.digest


def test_worker_processes_change_nothing():
    model, _ = train(DIGITS, load_recipe("digits", epochs=2), readers=2)
    state = torch.cat([weight.flatten() for weight in model.state_dict().values()])
    assert torch.equal(state, weights())


def test_mixed_precision_and_augmentation_train():
    reports = []
    recipe = load_recipe(
        "digits", epochs=10, sigma=0.25, precision="bf16", augment=["crop", "flip"]
    )
    model, _ = train(DIGITS, recipe, progress=reports.append)
    assert reports[-1].loss < reports[0].loss
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_a_device_that_cannot_be_used_is_named():
    with pytest.raises(InputError, match="device 'cudda' cannot be used"):
        train(DIGITS, load_recipe("digits"), device="cudda")
    with pytest.raises(InputError, match="device 'meta' cannot be used"):
        train(DIGITS, load_recipe("digits"), device="meta")


def test_cudnn_stays_as_it_was():
    during = []
    train(
        DIGITS,
        load_recipe("digits", epochs=1),
        progress=lambda _: during.append(torch.backends.cudnn.enabled),
    )
    assert set(during) == {True}


def test_photographs_are_cut_anew_every_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "simplicert.models.catalogue.ARCHITECTURES", {"recorder": Recorder}
    )
    file = tmp_path / "train" / "cat" / "1.png"
    file.parent.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, size=(60, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    dataset = load_dataset(str(tmp_path), split="train", size=16)
    recipe = load_recipe(
        "imagenet-resnet50", architecture="recorder", sigma=0.0, epochs=2, size=16
    )
    model, _ = train(dataset, recipe)
    first, second = model.shown
    assert first.shape == (1, 3, 16, 16)
    assert not torch.equal(first, second)


def test_the_number_of_threads_is_put_back():
    before = torch.get_num_threads()
    threads = []
    train(
        DIGITS,
        load_recipe("digits", epochs=1, threads=3),
        progress=lambda _: threads.append(torch.get_num_threads()),
    )
    assert set(threads) == {3}
    assert torch.get_num_threads() == before


def test_validation_images_are_of_the_same_kind():
    other = replace(DIGITS, class_names=tuple("abcdefghij"))
    with pytest.raises(InputError, match="must be of one dataset"):
        train(DIGITS, load_recipe("digits"), validation=other)


def test_unlabelled_images_are_refused():
    with pytest.raises(InputError, match="has no labels"):
        train(replace(DIGITS, labels=None), load_recipe("digits"))


@pytest.mark.slow
def test_digits_learns_what_the_documentation_says():
    _, metadata = train(
        load_dataset("digits", split="train"),
        load_recipe("digits", sigma=0.5),
        validation=load_dataset("digits"),
    )
    assert metadata.accuracy["test_clean"] >= 0.96
    assert metadata.accuracy["test_noisy"] >= 0.74


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("not enough memory: you …")]
)
def test_too_little_memory_asks_for_more_shares(monkeypatch, error):
    def loss(self, *args, **options):
        raise error

    monkeypatch.setattr(Gaussian, "loss", loss)
    with pytest.raises(
        InputError, match=r"128 images at once do not fit .* more share"
    ):
        train(DIGITS, load_recipe("digits", epochs=1))


def test_a_state_is_named_as_one(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.training"):
        train(DIGITS, load_recipe("digits", epochs=1), state=tmp_path / "run-0.25")


class Damaged:
    """Digits of which one cannot be decoded."""

    def __init__(self, row):
        self.row = row

    def __call__(self, rows):
        if self.row in rows:
            raise InputError(f"image {self.row} is damaged")
        return DIGITS.reader(rows)


@pytest.mark.parametrize("readers", [0, 1])
def test_a_damaged_image_is_one_message(readers):
    damaged = replace(DIGITS, reader=Damaged(7))
    with pytest.raises(InputError) as caught:
        train(damaged, load_recipe("digits", epochs=1), readers=readers)
    assert str(caught.value) == "image 7 is damaged"


def test_what_is_damaged_among_the_validation_images_shows_before_training(tmp_path):
    for digit in range(10):
        folder = tmp_path / "test" / str(digit)
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a.png")
    (tmp_path / "test" / "1" / "a.png").write_bytes(b"not an image")
    reports = []
    with pytest.raises(InputError, match=r"a\.png"):
        train(
            DIGITS,
            load_recipe("digits", epochs=1),
            validation=load_dataset(str(tmp_path)),
            progress=reports.append,
        )
    assert reports == []
