"""Two processes under torchrun train what one process does."""

import re

import numpy as np
import pytest
import torch
from commands import CLI, TORCHRUN, TWO, finish, log, same_weights
from PIL import Image
from safetensors.torch import load_file
from torch.distributed import ReduceOp

from simplicert.training.processes import Processes

pytestmark = pytest.mark.slow

# A network with batch norm, and a method that looks at its statistics while it trains.
ATTACKED = (
    *("--set", "architecture=resnet20", "--set", "augment=['crop','flip']"),
    *("--set", "method.name=smoothadv", "--set", "stored=bf16"),
)
RADIUS = ("--set", "method.name=macer", "--set", "method.draws=4")
CONSISTENT = ("--set", "method.name=consistency", "--set", "precision=bf16")


def train_both(tmp_path, *options):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    command = ("train", "digits", *options, "-o")
    assert finish(*CLI, *command, one)[0] == 0
    code, err = finish(*TWO, *command, two)
    assert code == 0, err
    assert "Warning" not in err
    return one, two


# Sums of two shares have one order only, so nothing at all may differ.
@pytest.mark.parametrize(
    "options",
    [(), ATTACKED, RADIUS, CONSISTENT],
    ids=["gaussian", "smoothadv", "macer", "consistency"],
)
def test_two_shares_have_one_loss_curve(options, tmp_path):
    one, two = train_both(tmp_path, "--epochs", 2, "--set", "shares=2", *options)
    assert log(one).equals(log(two))
    assert same_weights(one, two)


def test_more_shares_differ_by_the_order_of_sums(tmp_path):
    """((a + b) + c) + d in one process, (a + c) + (b + d) in two."""
    one, two = train_both(tmp_path, "--epochs", 6, "--set", "shares=4")
    # 72 steps, each of which rounds to 24 bits (6e-8) and passes the error on.
    ours, theirs = log(one), log(two)
    assert (ours["loss"] - theirs["loss"]).abs().max() < 1e-4
    assert (ours["accuracy"] - theirs["accuracy"]).abs().max() < 2 / 1400
    assert not same_weights(one, two), "the order of sums is no longer tested"
    weights = load_file(two)
    for name, value in load_file(one).items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=1e-4)


def test_processes_that_cannot_divide_the_shares_say_so(tmp_path):
    out = tmp_path / "model.safetensors"
    code, err = finish(*TWO, "train", "digits", "--set", "shares=3", "-o", out)
    assert code != 0
    assert (
        "2 processes cannot divide 3 shares of a step equally: give shares = 2" in err
    )
    assert not out.exists()


def test_the_launcher_is_built_in(tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    command = (*CLI, "train", "digits", "--epochs", 2, "--set", "shares=2", "-o")
    assert finish(*command, one)[0] == 0
    code, err = finish(*command, two, "--processes", 2)
    assert code == 0, err
    assert same_weights(one, two)
    assert len(re.findall("100%, epoch 2/2", err)) == 1  # one of them reports


@pytest.mark.slow
def test_what_stops_the_processes_is_said_once(tmp_path):
    options = ("--set", "shares=2", "--set", "learning_rate=1e9", "--processes", 2)
    out = tmp_path / "diverged.safetensors"
    code, err = finish(*CLI, "train", "digits", *options, "-o", out)
    assert code == 2
    assert err.count("simplicert: ") == 1
    assert "Start anew with a lower learning_rate" in err.splitlines()[-1]


def test_what_one_process_refuses_is_said_once(tmp_path):
    # Not kept in memory, so that only the process which needs the image reads it.
    for split, images in {"train": 64, "test": 2}.items():
        for number in range(images):
            folder = tmp_path / "data" / split / str(number % 2)
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.full((8, 8, 3), number, np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    damaged = tmp_path / "data" / "train" / "1" / "33.png"
    damaged.write_bytes(b"cut short")
    code, err = finish(
        *(*CLI, "train", "digits", "--data", tmp_path / "data", "--epochs", 9),
        *("--set", "shares=2", "--processes", 2, "--set", "size=8"),
        *("--set", "augment=['resized-crop']", "-o", tmp_path / "m.safetensors"),
    )
    assert code == 2
    said = [line for line in err.splitlines() if "epoch" not in line and line]
    assert len(said) == 1, err
    assert "33.png" in said[0]


# As on two machines, each with a disk of its own.
OWN_DISKS = """
import os, sys
from pathlib import Path
from simplicert.data import load_dataset
from simplicert.training import load_recipe, train
train(load_dataset("digits", split="train"), load_recipe("digits", epochs=2, shares=2),
      state=Path(sys.argv[1], os.environ["RANK"], "run.training"))
"""


def test_states_that_differ_are_noticed(tmp_path):
    script = tmp_path / "own_disks.py"
    script.write_text(OWN_DISKS)
    assert finish(*TORCHRUN, script, tmp_path)[0] == 0
    assert (tmp_path / "0" / "run.training").exists()
    assert not (tmp_path / "1").exists()
    code, err = finish(*TORCHRUN, script, tmp_path)
    assert code != 0
    assert "the processes read different states of the run" in err


def test_processes_whose_mean_is_one_s_own_number_do_not_agree(monkeypatch):
    def all_reduce(amount, op=ReduceOp.SUM):
        ends = torch.tensor([[1, -1], [3, -3], amount.tolist()])
        amount.copy_(ends.amax(0) if op == ReduceOp.MAX else ends.sum(0))

    monkeypatch.setattr("torch.distributed.all_reduce", all_reduce)
    assert not Processes(1, 3).agree_on(2, device=torch.device("cpu"))
