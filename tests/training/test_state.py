"""A run that is stopped between any two writes goes on as if it had not been."""

import errno
import functools
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.training import load_recipe, train

DIGITS = load_dataset("digits", split="train").select(np.arange(200))
TEST = load_dataset("digits").select(np.arange(50))
EPOCHS = 4


@pytest.fixture(autouse=True)
def every_epoch_is_saved(monkeypatch):
    """However short it is."""
    monkeypatch.setattr("simplicert.training.loop._SAVE_SECONDS", -1)


def recipe(**overrides):
    return load_recipe("digits", epochs=EPOCHS, **overrides)


def trained(state=None, *, dataset=DIGITS, **overrides):
    """The weights of all layers, one after the other, and what is said about them."""
    model, metadata = train(
        dataset,
        recipe(**overrides),
        validation=TEST,
        state=state,
    )
    weights = torch.cat([value.flatten() for value in model.state_dict().values()])
    return weights, metadata


class Stopped(BaseException):
    """As SIGKILL: nobody catches it."""


def stop_at(monkeypatch, call, error=Stopped):
    """Let the write of that number fail, from 1, and all after it."""
    real, calls = Path.replace, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) >= call:
            raise error
        return real(*arguments)

    monkeypatch.setattr(Path, "replace", failing)


def log(state):
    table = pd.read_csv(state.with_suffix(".csv"))
    return table.drop(columns=["images_per_second", "seconds"])


def scaler(state):
    with safe_open(state, framework="pt") as file:
        return json.loads(file.metadata()["simplicert-training"])["scaler"]


@functools.cache
def unbroken(**options):
    """What is trained in one go: weights and metadata, log and scaler."""
    with TemporaryDirectory() as folder:
        state = Path(folder) / "whole.training"
        weights, metadata = trained(state, **BROKEN, **options)
        return weights, metadata, log(state), scaler(state)


BROKEN = {"milestones": [2], "augment": ["crop"]}


# Each epoch writes the log and then the state.
@pytest.mark.parametrize("write", range(1, 2 * EPOCHS + 1))
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_stopping_at_any_write_changes_neither_weights_nor_log(
    write, precision, tmp_path, monkeypatch
):
    state = tmp_path / "broken.training"
    weights, metadata, whole_log, whole_scaler = unbroken(precision=precision)
    with monkeypatch.context() as patch:
        stop_at(patch, write)
        with pytest.raises(Stopped):
            trained(state, **BROKEN, precision=precision)
    assert state.exists() == (write > 2)
    torch.rand(3)  # the global random state is no part of a run
    resumed, described = trained(state, **BROKEN, precision=precision)
    assert torch.equal(resumed, weights)
    assert described == metadata
    assert log(state).equals(whole_log)
    assert scaler(state) == whole_scaler


def test_nothing_is_trained_twice(tmp_path):
    state, reports = tmp_path / "run.training", []
    trained(state)
    train(DIGITS, recipe(), state=state, progress=reports.append)
    assert reports == []


def test_short_epochs_are_saved_together(tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.training.loop._SAVE_SECONDS", math.inf)
    state = tmp_path / "run.training"
    stop_at(monkeypatch, 3)  # after the log and the state of the last epoch
    trained(state)
    assert log(state)["epoch"].tolist() == [1, 2, 3, 4]


def test_a_run_without_a_state_is_the_same(tmp_path):
    assert torch.equal(trained()[0], trained(tmp_path / "run.training")[0])


def test_the_log_says_what_was_measured(tmp_path):
    state = tmp_path / "run.training"
    _, metadata = trained(state, milestones=[2])
    table = pd.read_csv(state.with_suffix(".csv"))
    assert table["epoch"].tolist() == [1, 2, 3, 4]
    assert table["learning_rate"].tolist() == pytest.approx([0.1, 0.1, 0.01, 0.01])
    assert (table["images_per_second"] > 0).all()
    assert (table["images_per_second"] * table["seconds"] >= 200 * 0.99).all()
    assert table["validation_accuracy"].iloc[-1] == metadata.accuracy["test_noisy"]


@pytest.mark.parametrize("write", [5, 6])  # the third epoch's log, and its state
def test_a_full_disk_leaves_the_state_before(write, tmp_path, monkeypatch):
    state = tmp_path / "run.training"
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        stop_at(patch, write, error=full)
        with pytest.raises(InputError, match=r"run\.(csv|training): No space.*room"):
            trained(state)
    # No half-written file is left beside them.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.csv", "run.training"]
    assert len(log(state)) == (2 if write == 5 else 3)
    reports = []
    train(DIGITS, recipe(), state=state, progress=reports.append)
    assert reports[0].epoch == 3


def test_a_file_of_the_user_s_is_not_overwritten_by_the_log(tmp_path):
    (tmp_path / "run.csv").write_text("name,age\n")
    with pytest.raises(InputError, match=r"run\.csv is no log of a training"):
        trained(tmp_path / "run.training")
    assert (tmp_path / "run.csv").read_text() == "name,age\n"


def test_a_directory_in_place_of_the_state_is_named_before_training(tmp_path):
    (tmp_path / "run.training").mkdir()
    with pytest.raises(InputError, match=r"run\.training is no state"):
        trained(tmp_path / "run.training")


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*file"):
        trained(tmp_path / "file" / "run.training")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"sigma": 0.25}, r"with sigma = 0.5, not 0.25: remove it, or write elsewhere"),
        ({"learning_rate": 0.2}, "learning_rate = 0.1, not 0.2"),
        ({"architecture": "resnet20"}, "architecture = 'small-cnn', not 'resnet20'"),
        (
            {"method": {"name": "macer"}},
            "method = {'name': 'gaussian'}, not {'name': 'macer'",
        ),
        ({"shares": 2}, "shares = 1, not 2"),
    ],
)
def test_the_state_of_another_recipe_is_refused(fields, complaint, tmp_path):
    state = tmp_path / "run.training"
    trained(state)
    before = state.read_bytes()
    with pytest.raises(InputError, match=complaint):
        trained(state, **fields)
    assert state.read_bytes() == before


def test_the_state_of_other_images_is_refused(tmp_path):
    state = tmp_path / "run.training"
    trained(state)
    with pytest.raises(InputError, match="was trained on other images"):
        trained(state, dataset=DIGITS.select(np.arange(199)))


@pytest.mark.parametrize("keep", [0, 7, 1000, -1])
def test_a_damaged_state_is_refused(keep, tmp_path):
    state = tmp_path / "run.training"
    trained(state)
    state.write_bytes(state.read_bytes()[:keep])
    with pytest.raises(InputError, match="is damaged: remove it to start again"):
        trained(state)


def test_weights_that_are_no_state_are_refused(tmp_path):
    state = tmp_path / "run.training"
    save_file({"weight": torch.zeros(3)}, state)
    with pytest.raises(InputError, match="is no state of a training run"):
        trained(state)


def test_weights_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    state = tmp_path / "run.training"
    trained(state)
    # A later version, say, whose network of this name has other layers.
    from simplicert.models.catalogue import ARCHITECTURES

    monkeypatch.setitem(ARCHITECTURES, "small-cnn", ARCHITECTURES["resnet20"])
    with pytest.raises(InputError, match=r"run.training: weight .* is unknown"):
        trained(state)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    state = tmp_path / "run.training"
    options = {"learning_rate": 1e30, "warmup_epochs": 2.0, "warmup_factor": 1e-31}
    told = []
    for _ in range(2):  # the second time it goes on, and finds the same
        with pytest.raises(InputError) as caught:
            trained(state, **options, milestones=[])
        told.append(str(caught.value))
        assert len(log(state)) == 2
        assert all(w.isfinite().all() for w in load_file(state).values())
    assert told[0] == told[1]
    assert "the loss became nan in epoch 3 of 4" in told[0]
    assert "lower learning_rate (it is 1e+30), warmup_epochs" in told[0]
    with pytest.raises(InputError, match=r"learning_rate = .*write elsewhere with -o"):
        trained(state, **options | {"learning_rate": 0.1}, milestones=[])


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    # One step an epoch, the last: no loss has seen what it did.
    state = tmp_path / "run.training"
    options = {"learning_rate": 1e30, "batch_size": 200, "weight_decay": 1e12}
    with pytest.raises(InputError, match="weights became infinite in epoch 1 of 4"):
        trained(state, **options, precision="bf16")
    assert not state.exists()
