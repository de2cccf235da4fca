"""Classifiers whose draws would not be independent are refused before the first one."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper, save
from onnxruntime.quantization import quantize_dynamic
from torch import nn

import simplicert as sc
from simplicert.classifiers import NumpyClassifier
from simplicert.errors import InputError
from simplicert.sampling import Sampler, sample
from simplicert.sampling.glance import glance
from simplicert.sampling.probe import _follows_a_pattern, _shares_a_pass
from simplicert.votes import RunDirectory

IMAGES = np.full((3, 1, 8, 8), 0.5, dtype=np.float32)
WEIGHTS = torch.from_numpy(
    np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
)
CORNERS = 9 * torch.eye(3)


class Module(nn.Module):
    """A function as a module; ``self`` may keep a state."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.passes = 0
        self.mean = torch.zeros(64)

    def forward(self, x):
        self.passes += 1
        return self.function(self, x.flatten(1))


def linear(_, x):
    return x @ WEIGHTS


def with_own_generator():
    generator = np.random.default_rng(0)

    def function(_, x):
        noise = generator.standard_normal((len(x), 64)).astype(np.float32)
        return (x + torch.from_numpy(noise)) @ WEIGHTS

    return function


FUNCTIONS = {
    "linear": linear,
    "constant": lambda _, x: torch.tensor([[3.0, 1.0, 2.0]]).expand(len(x), 3),
    "huge and masked": lambda _, x: x @ WEIGHTS + torch.tensor([0.0, 0.0, -1e9]),
    "settles": lambda m, x: x @ WEIGHTS * (1 if m.passes < 7 else -1),
    "not finite": lambda _, x: (x @ WEIGHTS).where(x[:, :1] > -0.5, torch.nan),
}
RANDOM = {
    "dropout": lambda _, x: nn.functional.dropout(x, 0.5, training=True) @ WEIGHTS,
    "noise a draw": lambda _, x: (x + torch.randn_like(x)) @ WEIGHTS,
    "a coin a draw": lambda _, x: (
        9.0 * nn.functional.one_hot(torch.randint(3, (len(x),)), 3)
    ),
    "a generator of its own": with_own_generator(),
    "numpy's generator": lambda _, x: (
        (
            x + torch.from_numpy(np.random.standard_normal((len(x), 64)).astype("f4"))  # noqa: NPY002
        )
        @ WEIGHTS
    ),
}


def a_roll(_, x):
    return x.roll(int(torch.randint(3, ())), 1) @ WEIGHTS


def a_shared_and_an_own_mask(_, x):
    return nn.functional.dropout(x * (torch.rand(64) > 0.5), 0.2, True) @ WEIGHTS


def the_mean_and_dropout(_, x):
    return nn.functional.dropout(x - x.mean(), 0.5, training=True) @ WEIGHTS


def int8_of_the_batch(_, x):
    step = x.abs().max() / 127
    return (x / step).round() * step @ WEIGHTS


WITH_COMPANY = {
    "a coin a pass": lambda _, x: (
        9 * torch.eye(3)[torch.randint(3, ())].expand(len(x), 3)
    ),
    "one roll a pass": a_roll,
    "a shared and an own mask": a_shared_and_an_own_mask,
    "the mean": lambda _, x: (x - x.mean()) @ WEIGHTS,
    "the mean and dropout": the_mean_and_dropout,
    "the median": lambda _, x: (x - x.median(dim=0).values) @ WEIGHTS,
    "its deviation": lambda _, x: x / x.std() @ WEIGHTS,
    "int8": int8_of_the_batch,
    "the first": lambda _, x: (x - x[:1]) @ WEIGHTS,
    "the neighbour": lambda _, x: (x + 0.01 * x.roll(1, 0)) @ WEIGHTS,
    "the position": lambda _, x: (
        (x @ WEIGHTS + 0.1 * (torch.arange(len(x)) % 7 == 0)[:, None])
        * torch.tensor([1.0, 0.0, 1.0])
    ),
    "the size": lambda _, x: x @ WEIGHTS * (1 + (len(x) > 40)),
    "softmax over the batch": lambda _, x: (x @ WEIGHTS).softmax(dim=0),
    "a rank": lambda _, x: (x @ WEIGHTS).argsort(dim=0).argsort(dim=0).float(),
}


def running_mean(module, x):
    module.mean = 0.9 * module.mean + 0.1 * x.mean(dim=0)
    return (x - module.mean) @ WEIGHTS


WITH_STATE = {
    "alternates": lambda m, x: CORNERS[m.passes % 2].expand(len(x), 3),
    "every third": lambda m, x: (
        9 * torch.eye(3)[int(m.passes % 3 == 0)].expand(len(x), 3)
    ),
    "every tenth": lambda m, x: x @ WEIGHTS * (-1 if m.passes % 10 == 0 else 1),
    "drifts": lambda m, x: x @ WEIGHTS + torch.tensor([0.1 * m.passes, 0, 0]),
    "running statistics": running_mean,
    "every second time": lambda m, x: x @ WEIGHTS * (-1 if m.passes % 4 < 2 else 1),
}


def from_place_40(_, x):
    return (x @ WEIGHTS).where(torch.arange(len(x))[:, None] < 40, CORNERS[:1])


def where_one_is_far_out(_, x):
    return x @ WEIGHTS * (1 if x.max() < 2.8 else -1)


# Which the probe does not see: what is answered is held against what is counted.
LATER = {
    "every 50th pass": lambda m, x: x @ WEIGHTS * (-1 if m.passes % 50 == 0 else 1),
    "from the 200th pass": lambda m, x: x @ WEIGHTS * (-1 if m.passes > 200 else 1),
    "a place in the pass": from_place_40,
    "an outlier beside it": where_one_is_far_out,
}


@pytest.mark.parametrize("name", LATER)
def test_what_only_shows_in_the_run_is_not_kept(name, tmp_path):
    with pytest.raises(InputError, match=r"asked again otherwise|no longer answers"):
        sample(
            Module(LATER[name]), IMAGES, sigma=0.5, draws=20_000, block=1000, seed=0,
            batch=100, out=tmp_path / "run",
        )  # fmt: skip
    assert not list((tmp_path / "run").rglob("*.npz"))


def test_nor_is_it_when_the_run_is_interrupted(tmp_path):
    def interrupt(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    run = {"sigma": 0.5, "draws": 2000, "block": 1000, "seed": 0, "batch": 100}
    for function, kept in ((from_place_40, 0), (linear, 1)):
        out = tmp_path / f"{kept}"
        with pytest.raises(KeyboardInterrupt):
            sample(Module(function), IMAGES, **run, out=out, progress=interrupt)
        assert (RunDirectory.open_or_create(out, RunDirectory.manifest_at(out))
                .done().sum() > 0) == kept  # fmt: skip


def of(function, **options):
    return sample(
        Module(function), IMAGES, sigma=0.5, draws=200, seed=0, nonfinite="count",
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("batch", [None, 1, 2, 33])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_the_input_are_sampled(name, batch):
    of(FUNCTIONS[name], batch=batch)


@pytest.mark.parametrize("batch", [None, 1, 2])
@pytest.mark.parametrize("name", RANDOM)
def test_answers_that_are_random_but_independent_are_sampled(name, batch, tmp_path):
    of(RANDOM[name], batch=batch, out=tmp_path / "run")
    manifest = RunDirectory.manifest_at(tmp_path / "run")
    assert not manifest.probe.repeatable


@pytest.mark.parametrize("name", WITH_COMPANY)
def test_what_a_pass_has_in_common_is_refused_at_any_batch_but_1(name):
    for batch in (None, 50):
        with pytest.raises(InputError, match=r"certificates would be false.*--batch 1"):
            of(WITH_COMPANY[name], batch=batch)
    of(WITH_COMPANY[name], batch=1)


@pytest.mark.parametrize("batch", [None, 1])
@pytest.mark.parametrize("name", WITH_STATE)
def test_a_state_is_refused_at_any_batch(name, batch):
    with pytest.raises(InputError, match=r"keeps a state|in common|would be false"):
        of(WITH_STATE[name], batch=batch)


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_what_works_in_place_is_told_so(batch):
    with pytest.raises(InputError, match="changes its input in place"):
        of(lambda _, x: x.mul_(0.5) @ WEIGHTS, batch=batch)


def test_labels_are_probed_too():
    def above_the_mean(batch):
        flat = batch.reshape(len(batch), -1)
        return (flat.mean(axis=1) > flat.mean()).astype(int)

    model = NumpyClassifier(above_the_mean, output="labels", classes=2)
    with pytest.raises(InputError, match="would be false"):
        sample(model, IMAGES, sigma=0.5, draws=100)


def test_a_smoothed_classifier_is_probed():
    for call in ("predict", "certify"):
        smoothed = sc.SmoothedClassifier(Module(a_roll), sigma=0.5)
        with pytest.raises(InputError, match="would be false"):
            getattr(smoothed, call)(IMAGES, draws=100)


def onnx_file(path, *nodes, **weights):
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), *nodes],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", 15)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return str(path)


def test_an_int8_onnx_file_with_a_scale_of_the_batch_needs_batch_1(tmp_path):
    matmul = helper.make_node("MatMul", ["flat", "w"], ["y"])
    plain = onnx_file(tmp_path / "float.onnx", matmul, w=WEIGHTS.numpy())
    quantize_dynamic(plain, str(tmp_path / "int8.onnx"))
    settings = {"sigma": 0.5, "draws": 200, "seed": 0}
    sample(plain, IMAGES, **settings)
    with pytest.raises(InputError, match=r"scale of the whole batch.*--batch 1"):
        sample(str(tmp_path / "int8.onnx"), IMAGES, **settings)
    sample(str(tmp_path / "int8.onnx"), IMAGES, **settings, batch=1)


def test_an_onnx_batch_norm_left_in_training_is_refused(tmp_path):
    norm = helper.make_node(
        "BatchNormalization",
        ["z", "scale", "bias", "mean", "var"],
        ["y", "new_mean", "new_var"],
        training_mode=1,
    )
    path = onnx_file(
        tmp_path / "net.onnx",
        helper.make_node("MatMul", ["flat", "w"], ["z"]),
        norm,
        w=WEIGHTS.numpy(),
        scale=np.ones(3, np.float32),
        bias=np.zeros(3, np.float32),
        mean=np.zeros(3, np.float32),
        var=np.ones(3, np.float32),
    )
    with pytest.raises(InputError, match="statistics"):
        sample(path, IMAGES, sigma=0.5, draws=200)


def test_independent_answers_are_seldom_refused_and_weak_dependence_is_not_missed():
    generator = np.random.default_rng(0)
    for _ in range(15):
        own = generator.standard_normal((64, 4, 3))
        assert not _shares_a_pass(own)
        assert not _follows_a_pattern(own.mean(axis=1))
    # As much in common as of each draw's own: a quarter would be enough here.
    assert _shares_a_pass(own + generator.standard_normal((64, 1, 3)))
    steps = np.cumsum(generator.standard_normal((64, 3)), axis=0)
    assert _follows_a_pattern(steps)


class Elsewhere(NumpyClassifier):
    """A function whose weights the digest does not see."""

    def __init__(self):
        self.weights = WEIGHTS.numpy()
        super().__init__(self.answer, output="logits", digest="of the source")

    def answer(self, images):
        return images.reshape(len(images), -1) @ self.weights


def test_another_function_under_the_same_digest_does_not_go_on(tmp_path):
    model = Elsewhere()
    run = {"sigma": 0.5, "draws": 200, "seed": 0, "out": tmp_path / "run"}
    before = sample(model, IMAGES, **run)
    assert sample(model, IMAGES, **run).digest == before.digest
    model.weights = -model.weights
    with pytest.raises(InputError, match="something that the digest does not see"):
        sample(model, IMAGES, **run)


def test_what_is_drawn_after_a_service_has_changed_is_not_kept(tmp_path):
    model = Elsewhere()

    def change(done, total):
        if done > total / 2:
            model.weights = -WEIGHTS.numpy()

    run = tmp_path / "run"
    with pytest.raises(InputError, match="no longer answers"):
        sample(
            model, IMAGES, sigma=0.5, draws=20_000, block=1000, batch=100, seed=0,
            out=run, flush=0, progress=change,
        )  # fmt: skip
    model.weights = WEIGHTS.numpy()
    here = sample(
        model, IMAGES, sigma=0.5, draws=20_000, block=1000, batch=100, seed=0, out=run
    )
    whole = sample(
        model, IMAGES, sigma=0.5, draws=20_000, block=1000, batch=100, seed=0
    )
    assert here.digest == whole.digest


def test_a_glance_at_the_first_images():
    labels = np.arange(60) % 6
    right = glance(labels, clean=labels, noisy=labels, classes=6)
    assert (right.clean, right.noisy, right.warning) == (60, 60, None)
    assert "100% right" in right.line
    sorted_as_text = np.array([0, 1, 3, 4, 5, 2])[labels]
    other = glance(labels, clean=sorted_as_text, noisy=labels, classes=6)
    assert "in another order 100%" in other.warning
    wrong = glance(labels, clean=labels * 0, noisy=labels * 0, classes=6)
    assert "than by chance" in wrong.warning
    few = glance(labels[:3], clean=1 - labels[:3], noisy=labels[:3], classes=6)
    assert few.warning is None
    assert few.reordered is None


def test_fewer_questions_are_the_first_of_more():
    # What memory made fewer of at the start is asked again in full.
    sampler = Sampler(Module(linear), np.random.default_rng(0).random(
        (3, 1, 8, 8), dtype=np.float32
    ))  # fmt: skip
    plan = sampler.plan(sigma=0.5, draws=100, seed=0)
    questions = sampler.asked.questions(plan)
    assert torch.equal(questions.draw(range(8)), questions.draw(range(32))[:8])


def test_a_classifier_is_asked_again_in_passes_that_memory_has_room_for():
    def small(_, x):
        if len(x) > 8:
            raise torch.OutOfMemoryError("no room")
        return x @ WEIGHTS

    settings = {"sigma": 0.5, "draws": 4000, "block": 100, "seed": 0, "flush": 0}
    votes = sample(Module(small), IMAGES[:1], **settings, batch=64)
    whole = sample(Module(linear), IMAGES[:1], **settings)
    assert np.abs(votes.counts - whole.counts).sum() <= 2
