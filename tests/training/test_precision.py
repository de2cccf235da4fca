"""Mixed precision, the precision weights are stored in, and compiled networks."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open

from simplicert.data import load_dataset
from simplicert.models.catalogue import ARCHITECTURES
from simplicert.training import load_recipe, measure_accuracy, train

DIGITS = load_dataset("digits", split="train").select(np.arange(200))
TEST = load_dataset("digits").select(np.arange(100))


def recipe(**overrides):
    return load_recipe("digits", **{"epochs": 8, "sigma": 0.25} | overrides)


class Spy(ARCHITECTURES["small-cnn"]):
    """Remembers what its first layer was computed in."""

    def __init__(self, *, shape, classes):
        super().__init__(shape=shape, classes=classes)
        self.seen = set()
        self[1].register_forward_hook(
            lambda _, __, out: self.seen.add((self.training, out.dtype))
        )


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_training_computes_in_the_precision_asked_for(precision, dtype, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "spy", Spy)
    losses = []
    model, _ = train(
        DIGITS,
        recipe(precision=precision, architecture="spy"),
        validation=TEST,
        progress=lambda progress: losses.append(progress.loss),
    )
    # What is certified is measured in full.
    assert model.seen == {(True, dtype), (False, torch.float32)}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert losses[-1] < losses[0] - 0.05


def test_half_precision_scales_its_losses(tmp_path):
    """A loss so small that float16 has no gradients of it still trains."""
    state = tmp_path / "run.training"
    train(DIGITS, recipe(precision="fp16"), state=state)
    with safe_open(state, framework="pt") as file:
        scaler = json.loads(file.metadata()["simplicert-training"])["scaler"]
    assert scaler["scale"] == 2.0**16
    assert scaler["_growth_tracker"] == 8 * 2  # steps


def test_an_overflow_skips_the_step_and_lowers_the_scale(tmp_path, monkeypatch):
    state = tmp_path / "run.training"
    scaler = torch.amp.GradScaler
    monkeypatch.setattr(
        "torch.amp.GradScaler", lambda *a, **k: scaler(*a, init_scale=2.0**40, **k)
    )
    model, _ = train(DIGITS, recipe(precision="fp16"), state=state)
    with safe_open(state, framework="pt") as file:
        saved = json.loads(file.metadata()["simplicert-training"])["scaler"]
    assert 1 < saved["scale"] < 2.0**40
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_stored_weights_are_rounded_and_measured_so():
    fine, _ = train(DIGITS, recipe())
    model, metadata = train(DIGITS, recipe(stored="bf16"), validation=TEST)
    for ours, exact in zip(model.parameters(), fine.parameters(), strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, exact.bfloat16().float())
    assert any(
        not torch.equal(ours, exact)
        for ours, exact in zip(model.parameters(), fine.parameters(), strict=True)
    )
    noisy = measure_accuracy(model, TEST, sigma=0.25, seed=0)
    assert metadata.accuracy["test_noisy"] == noisy


def test_accuracy_is_measured_after_the_rounding(monkeypatch):
    seen = []

    def measure(model, *_, **__):
        seen.append([weight.clone() for weight in model.parameters()])
        return 0.5

    monkeypatch.setattr("simplicert.training.loop.measure_accuracy", measure)
    model, _ = train(DIGITS, recipe(epochs=1, stored="bf16"), validation=TEST)
    during, *after = seen
    assert len(after) == 2
    for weights in after:
        pairs = zip(weights, model.parameters(), strict=True)
        assert all(torch.equal(w, ours) for w, ours in pairs)
    pairs = zip(during, model.parameters(), strict=True)
    assert not all(torch.equal(w, ours) for w, ours in pairs)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs g++")
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_compiled_network_learns_the_same():
    losses = {}
    for compiled in (False, True):
        seen = losses[compiled] = []
        model, metadata = train(
            DIGITS,
            recipe(epochs=3),
            validation=TEST,
            compiled=compiled,
            progress=lambda progress, seen=seen: seen.append(progress.loss),
        )
    # Fused operations round otherwise: about 1e-6 a step.
    assert losses[True][-1] == pytest.approx(losses[False][-1], abs=1e-3)
    assert metadata.architecture == "small-cnn"
    assert model(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
