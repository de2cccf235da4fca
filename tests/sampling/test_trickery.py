"""Classifiers that would spoil the votes, on purpose or not."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from simplicert.classifiers.digest import weights_digest
from simplicert.errors import InputError
from simplicert.sampling import NumpyClassifier, sample
from simplicert.sampling.engine import Tasks
from simplicert.votes import RunDirectory

IMAGES = np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32)
WEIGHTS = np.random.default_rng(1).normal(size=(64, 5)).astype(np.float32)


def test_answers_in_a_reused_buffer_are_read_in_time():
    buffer = np.empty((100, 5), dtype=np.float32)

    def fresh(x):
        return x.reshape(len(x), -1) @ WEIGHTS

    def reused(x):
        return np.matmul(x.reshape(len(x), -1), WEIGHTS, out=buffer[: len(x)])

    votes = [
        sample(
            NumpyClassifier(f, output="logits"),
            IMAGES,
            sigma=0.5,
            draws=1000,
            batch=100,
            seed=1,
        )
        for f in (fresh, reused)
    ]
    np.testing.assert_array_equal(votes[0].counts, votes[1].counts)


def test_statistics_of_the_batch_are_refused():
    norm = nn.BatchNorm2d(1, track_running_stats=False)
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(InputError, match="0 normalises by the statistics of the batch"):
        sample(model, IMAGES, sigma=0.5, draws=100)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_softmax_is_not_taken_for_logits_in_any_precision(precision):
    for seed in range(5):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(dim=1))
        with pytest.raises(InputError, match="sum to 1, as probabilities do"):
            sample(model, IMAGES, sigma=0.5, draws=100, precision=precision)


def test_what_was_drawn_before_an_error_is_on_disk(tmp_path):
    calls = []

    def failing(x):
        calls.append(len(x))
        if calls.count(500) > 8:
            raise RuntimeError("the cable was pulled")
        return x.reshape(len(x), -1) @ WEIGHTS

    model = NumpyClassifier(failing, output="logits")
    with pytest.raises(InputError, match="the cable was pulled"):
        sample(
            model,
            IMAGES,
            sigma=0.5,
            draws=10_000,
            block=500,
            batch=500,
            out=tmp_path / "run",
        )
    assert RunDirectory(tmp_path / "run").done().sum() >= 1


class Scaled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale
        self.register_buffer("shift", torch.tensor(0.0), persistent=False)


@pytest.mark.parametrize("other", [2.0, [1.0], (1.0, 2.0), {"a": 1}, None])
def test_attributes_are_part_of_the_digest(other):
    assert weights_digest(Scaled(1.0)) != weights_digest(Scaled(other))
    assert weights_digest(Scaled(other)) == weights_digest(Scaled(other))


def test_buffers_that_are_not_saved_are_part_of_the_digest():
    one, two = Scaled(1.0), Scaled(1.0)
    two.shift.add_(1)
    assert weights_digest(one) != weights_digest(two)


def test_functions_in_attributes_have_no_address_in_the_digest():
    assert weights_digest(Scaled((torch.relu,))) == weights_digest(
        Scaled((torch.relu,))
    )


def closing_over(shift):
    return lambda x: x + shift


def with_default(shift):
    def moved(x, by=shift):
        return x + by

    return moved


def calling(function):
    module = nn.Linear(2, 2)
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    module.register_forward_pre_hook(lambda _, inputs: function(*inputs))
    return module


class Adding:
    def __init__(self, shift):
        self.shift = shift

    def __call__(self, x):
        return self.add(x)

    def add(self, x):
        return x + self.shift


@dataclass(frozen=True, slots=True)
class Frozen:
    shift: int

    def __call__(self, x):
        return x + self.shift


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(1, 1)])  # has no code of its own

    def forward(self, x):
        return x + 1


class ScriptedOtherwise(Scripted):
    def forward(self, x):
        return x + 2


def recursive():
    def countdown(x):
        return countdown(x - 1) if x else x

    return countdown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Scaled(lambda x: x + 1), Scaled(lambda x: x + 2)),
        (Scaled(lambda x: x.abs()), Scaled(lambda x: x.exp())),
        (Scaled(closing_over(1)), Scaled(closing_over(2))),
        (Scaled(with_default(1)), Scaled(with_default(2))),
        (calling(closing_over(1)), nn.Linear(2, 2)),
        (calling(Adding(1)), calling(Adding(2))),
        (calling(Adding(1).add), calling(Adding(2).add)),
        (calling(Frozen(1)), calling(Frozen(2))),
    ],
    ids=["constant", "name", "closure", "default", "hook", "object", "method", "slots"],
)
def test_functions_are_part_of_the_digest(one, other):
    assert weights_digest(one) != weights_digest(other)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_scripts_are_part_of_the_digest():
    one, other = Scripted(), ScriptedOtherwise()
    other.load_state_dict(one.state_dict())
    one, other = torch.jit.script(one), torch.jit.script(other)
    assert weights_digest(one) != weights_digest(other)


def test_the_same_functions_have_the_same_digest():
    for make in (closing_over, with_default):
        assert weights_digest(Scaled(make(1))) == weights_digest(Scaled(make(1)))
    assert weights_digest(Scaled(recursive())) == weights_digest(Scaled(recursive()))
    registry = []
    registry.append(lambda x: registry[0](x) + 1)
    assert weights_digest(Scaled(registry)) == weights_digest(Scaled(registry))


@pytest.mark.parametrize("flush", [-1.0, float("nan"), float("inf")])
def test_a_flush_that_never_comes_is_refused(tmp_path, flush):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(InputError, match="flush must be"):
        sample(model, IMAGES, sigma=0.5, draws=100, out=tmp_path / "r", flush=flush)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("layer", [nn.LazyLinear(3), nn.LazyBatchNorm2d()])
def test_modules_without_weights_are_refused(layer):
    with pytest.raises(InputError, match=r"0\..* of Sequential has no values yet"):
        sample(nn.Sequential(layer), IMAGES, sigma=0.5, draws=100)


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("block", "batch"), [(10, 10), (10, 45), (10, 1000)])
def test_shares_are_the_whole_run_once(world, block, batch, manifest_of):
    plan = manifest_of(block=block, batch=batch, draws=70, images=[3, 5, 8])
    done = np.zeros((3, 7), dtype=bool)
    total = 0
    for rank in range(world):
        tasks = Tasks(plan, share=(rank, world))
        missing = tasks.missing(done)
        assert len(missing) == len(tasks)
        for task in (tasks[i] for i in missing):
            assert not done[task.positions, task.blocks].any()
            done[task.positions, task.blocks] = True
        total += tasks.count_blocks(missing)
        assert len(tasks.missing(done)) == 0
    assert done.all()
    assert total == done.size
