"""Runtimes: the same votes but for ties, recorded, held against torch, and chosen."""

from contextlib import suppress
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from torch import nn

import simplicert.sampling.sampler as sampler_module
from simplicert.audit.replay import replay
from simplicert.classifiers import TorchClassifier, runtimes
from simplicert.classifiers.runtimes import RUNTIMES, Runtime, eagerly, held
from simplicert.errors import InputError
from simplicert.sampling import Sampler, sample, trials
from simplicert.sampling.forecast import forecast
from simplicert.sampling.trials import RuntimeTrial
from simplicert.votes import RunDirectory

SETTINGS = {"sigma": 0.5, "draws": 300, "block": 100, "batch": 30, "seed": 1}
PACKAGES = {"onnxruntime": {"onnxruntime"}, "openvino": {"openvino"}}
EXPORTED = [pytest.param(name, marks=pytest.mark.slow) for name in PACKAGES]


class Small(nn.Module):
    """Convolutions, normalisation, a residual; a record of outputs."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        x = self.norms[0](self.first(x)).relu()
        x = x + self.norms[1](self.second(x))
        return {"features": x, "logits": self.last(x.mean(dim=(2, 3)))}


@pytest.fixture
def small():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Small()
        for norm in module.norms:
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)
    return module


@pytest.fixture
def added(monkeypatch):
    """Adds a runtime whose pass is this function of the module's own."""

    def add(change, **facts):
        def build(module, inputs):
            return lambda inputs: change(module(inputs))

        made = Runtime(name="mine", build=build, **facts)
        monkeypatch.setitem(RUNTIMES, "mine", made)

    return add


@pytest.mark.parametrize("runtime", ["folded", *PACKAGES])
def test_votes_are_those_of_torch_but_for_ties(runtime, small, images, tmp_path):
    eager = sample(small, images, **SETTINGS)
    found = sample(small, images, **SETTINGS, runtime=runtime, out=tmp_path / "run")
    assert np.abs(found.counts - eager.counts).sum() <= 2
    # Floored to 2**-32, sums of 300 scores that differ in float32's last bits.
    np.testing.assert_allclose(found.score_sums, eager.score_sums, atol=1e-3)
    assert not np.array_equal(found.score_sums, eager.score_sums)  # it was not torch
    there = RunDirectory(tmp_path / "run").manifest
    assert there.runtime == there.evidence()["runtime"] == runtime
    assert there.versions.keys() >= PACKAGES.get(runtime, set())
    with pytest.raises(InputError, match=f"runtime is '{runtime}' there and 'eager'"):
        sample(small, images, **SETTINGS, out=tmp_path / "run")


@pytest.mark.parametrize("runtime", ["folded", *EXPORTED])
def test_a_run_that_was_stopped_goes_on_and_is_replayed(
    runtime, small, images, tmp_path
):
    settings = SETTINGS | {"runtime": runtime}
    whole = sample(small, images, **settings)

    def stop(done, total):
        if done > total / 3:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        sample(small, images, **settings, out=tmp_path, progress=stop)
    assert RunDirectory(tmp_path).found().blocks.any()
    again = sample(small, images, **settings, out=tmp_path)
    assert again.digest == whole.digest
    sampler = Sampler(small, images, runtime=RunDirectory(tmp_path).manifest.runtime)
    [finding, *_] = replay(sampler, RunDirectory(tmp_path), share="100%", seed=0)
    assert finding.outcome == "held"
    with pytest.raises(InputError, match="runtime is"):
        replay(Sampler(small, images), RunDirectory(tmp_path), share="1", seed=0)


def odd_only(logits):
    return logits + (len(logits) % 2) * 0.01


@pytest.mark.parametrize(
    "change",
    [
        lambda logits: logits.bfloat16().float(),
        lambda logits: logits.flip(0),
        lambda logits: logits[:, :-1],
        lambda logits: logits * torch.nan,
        odd_only,
        lambda logits: logits if len(logits) < 20 else logits + 0.01,
    ],
)
def test_a_runtime_that_answers_otherwise_is_refused(change, added, small, images):
    added(change)
    with pytest.raises(InputError, match=r"otherwise by mine than by itself: of \d+"):
        sample(small, images, **SETTINGS, runtime="mine")


def test_of_one_that_compiles_each_size_is_compared_and_probes_are_torchs(
    added, small, images, monkeypatch
):
    monkeypatch.setattr(held, "_COMPARED", 0)
    sizes = []

    def counted(logits):
        sizes.append(len(logits))
        return logits + (len(logits) == 10) * 0.01  # the rest of a block of 100

    added(counted, compiles=True)
    settings = SETTINGS | {"batch": 45}
    with pytest.raises(InputError, match="of 10 inputs at once"):
        sample(small, images, **settings, runtime="mine")
    assert sizes == [45, 45, 10]
    with eagerly():
        sample(small, images, **settings, runtime="mine")
    assert len(sizes) == 3


def test_comparing_ends(added, small, images, monkeypatch):
    monkeypatch.setattr(held, "_COMPARED", 3)
    passes, forward = [], Small.forward

    def heard(self, x):
        passes.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(Small, "forward", heard)
    added(lambda logits: logits)
    asked = Sampler(small, images, runtime="mine").asked
    assert sorted({*passes}) == [1, 7]
    for size, more in ((2, 2), (2, 1), (3, 1), (4, 1)):  # the runtime's own, beside
        before = len(passes)
        with torch.inference_mode():
            asked.forward(torch.zeros(size, 1, 8, 8))
        assert len(passes) - before == more


def test_gradients_are_torchs(small, images):
    inputs = torch.from_numpy(images).requires_grad_(True)
    slopes = [
        torch.autograd.grad(
            Sampler(small, images, runtime=name).outputs(inputs).square().sum(), inputs
        )[0]
        for name in ("eager", "folded")
    ]
    assert torch.equal(*slopes)
    assert slopes[0].any()


class Curious(nn.Module):
    """Nothing that traces it can know which way it goes."""

    def forward(self, x):
        x = x.flatten(1)[:, :3]
        return x if x.sum() > 0 else 2 * x


def labelled():
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    return TorchClassifier(lambda x: module(x).argmax(1), output="labels", classes=3)


@pytest.mark.parametrize(
    ("model", "settings", "says"),
    [
        (Curious(), {"runtime": "folded"}, "torch.fx cannot trace it"),
        pytest.param(
            *(Curious(), {"runtime": "onnxruntime"}, "cannot export it for any number"),
            marks=pytest.mark.slow,
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), {}, "no batch normalisation"),
        (Small(), {"precision": "bf16"}, "computes in fp32, not bf16"),
        (lambda x: x.flatten(1)[:, :3], {}, "is a function"),
        (labelled(), {}, "is a function"),
        (
            TorchClassifier(nn.Flatten(), output="labels", classes=3),
            {"runtime": "openvino"},
            "labels do not show that",
        ),
        (
            "TorchScript",
            {"runtime": "openvino"},
            "TorchScript cannot be exported",
        ),
        (Small(), {"runtime": "tensorrt"}, "unknown runtime 'tensorrt'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_what_cannot_be_run_is_refused_in_words(model, settings, says, images):
    if model == "TorchScript":
        model = torch.jit.script(nn.Flatten())
    elif callable(model) and not isinstance(model, nn.Module | TorchClassifier):
        model = TorchClassifier(model, name="mine")
    with pytest.raises(InputError, match=says):
        sample(model, images, **SETTINGS, **({"runtime": "folded"} | settings))


def test_a_device_that_a_runtime_lacks_is_refused():
    gpu = torch.device("cuda")
    with pytest.raises(InputError, match="runtime openvino runs on the CPU, not on cu"):
        RUNTIMES["openvino"].check(precision="fp32", device=gpu, output="logits")
    RUNTIMES["compiled"].check(precision="bf16", device=gpu, output="logits")


@pytest.mark.parametrize("runtime", PACKAGES)
def test_what_is_not_installed_is_named_with_its_extra(
    runtime, small, images, monkeypatch
):
    monkeypatch.setattr(runtimes.export, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=f"needs {runtime} and onnxscript: pip inst"):
        sample(small, images, **SETTINGS, runtime=runtime)


# --- auto ----------------------------------------------------------------------------


@pytest.fixture
def clocked(monkeypatch):
    """Trials that measure what is said, of runs of any length."""

    def measured(**speeds):
        for name in set(RUNTIMES) - speeds.keys() - {"compiled"}:
            monkeypatch.delitem(RUNTIMES, name)
        monkeypatch.setattr(sampler_module, "WORTH_DRAWS", 0)
        monkeypatch.setattr(trials, "_WORTH_TRYING", 0.5)
        monkeypatch.setattr(
            Sampler, "trial", lambda self, plan, seconds=1.0: speeds[self.runtime]
        )

    return measured


def test_auto_is_the_fastest_and_the_manifest_says_which(
    clocked, small, images, tmp_path
):
    clocked(eager=1000.0, folded=1200.0)
    settings = SETTINGS | {"out": tmp_path}
    chosen = sample(small, images, **settings, runtime="auto")
    assert RunDirectory(tmp_path).manifest.runtime == "folded"
    assert chosen.digest == sample(small, images, **settings, runtime="folded").digest
    clocked(eager=1000.0, folded=1.0)  # another share's trial would choose otherwise
    other = sample(small, images, **settings, runtime="auto")
    assert other.digest == chosen.digest
    found = sample(small, images, **SETTINGS, runtime="auto")
    assert found.digest == sample(small, images, **SETTINGS).digest


def test_auto_says_what_it_found(clocked, images):
    clocked(eager=1000.0, folded=1200.0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    sampler = Sampler(module, images, runtime="auto")
    plan = sampler.plan(sigma=0.5, draws=300)
    assert plan.runtime == sampler.runtime == "eager"
    lines = forecast(plan, speed=1.0, missing=1, runtimes=sampler.runtimes).lines
    assert "runtime eager, of a trial: eager 1,000 draws/s" in lines
    assert "not compiled: tried of runs of 600 s or more" in lines
    anothers = plan.model_copy(update={"runtime": "folded"})
    told = forecast(anothers, speed=1.0, missing=1, runtimes=sampler.runtimes).lines
    assert not any("of a trial" in line for line in told)
    assert any(
        line.startswith("not folded: Sequential cannot be run") for line in lines
    )


def test_a_long_run_tries_what_compiles(clocked, small, images, monkeypatch):
    clocked(eager=1000.0, compiled=3000.0)
    monkeypatch.setattr(trials, "_WORTH_COMPILING", 0.5)
    sampler = Sampler(small, images, runtime="auto")
    plan = sampler.plan(sigma=0.5, draws=300)
    assert plan.runtime == sampler.runtime == "compiled"
    assert "cpu by compiled, batch" in forecast(plan, speed=1.0, missing=1).lines[1]


@pytest.mark.parametrize(
    ("speed", "best"), [(900.0, "eager"), (1040.0, "eager"), (1060.0, "folded")]
)
def test_torch_itself_is_given_up_for_a_gain_only(speed, best):
    assert RuntimeTrial(speeds={"eager": 1000.0, "folded": speed}).fastest == best


def test_a_short_run_is_torchs(small, images):
    sampler = Sampler(small, images, runtime="auto")
    assert sampler.plan(sigma=0.5, draws=300).runtime == "eager"
    assert sampler.runtimes is None


def test_auto_runs_what_only_torch_can(clocked, images):
    clocked(eager=1.0, folded=2.0)
    function = TorchClassifier(lambda x: x.flatten(1)[:, :3], name="mine")
    votes = sample(function, images, **SETTINGS, runtime="auto")
    assert votes.digest == sample(function, images, **SETTINGS).digest


def test_the_command_knows_every_runtime():
    from simplicert.cli.sample import sample_command

    hint = get_type_hints(sample_command)["runtime"]
    assert {*get_args(hint)} == {*RUNTIMES, "auto"}


def test_a_run_by_a_runtime_that_is_not_here_is_read_and_not_drawn(
    small, images, tmp_path
):
    votes = sample(small, images, **SETTINGS, out=tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"eager"', '"tensorrt"'))
    for part in (tmp_path / "parts").iterdir():
        part.unlink()
    assert RunDirectory(tmp_path).manifest.runtime == "tensorrt"
    with pytest.raises(InputError, match="unknown runtime 'tensorrt'"):
        sample(small, images, **SETTINGS, out=tmp_path, runtime="auto")
    assert votes.draws.sum() == 900


@pytest.mark.slow
@pytest.mark.parametrize("runtime", PACKAGES)
@pytest.mark.parametrize("threads", [1, 2])
def test_exported_networks_answer_in_order_at_any_size(runtime, threads):
    from simplicert.models import build_model

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model("resnet20", shape=(3, 32, 32), classes=10)
    images = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    ask = Sampler(network, images, runtime=runtime, threads=threads).asked.forward
    inputs = torch.rand(37, 3, 32, 32, generator=torch.manual_seed(1))
    inputs = inputs.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = network.eval()(inputs)
        for rows in (range(37), range(36, -1, -1), [5], [1, 3]):
            found = ask(inputs[list(rows)])
            # Rounding of some 20 layers: 1e-4 of logits' size, as everywhere.
            scale = float(expected.abs().max())
            torch.testing.assert_close(
                found, expected[list(rows)], rtol=0, atol=1e-4 * scale
            )


class Several(torch.nn.Module):
    """A dictionary, of which one entry is a number a draw."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(64, 2)

    def forward(self, x):
        both = self.linear(x.flatten(1))
        return {"features": both, "p": both[:, :1].sigmoid()}


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_part_that_is_meant_is_run(runtime, images):
    torch.manual_seed(0)
    classifier = TorchClassifier(Several(), output="probability:name=p")
    ours, theirs = (
        sample(classifier, images, **SETTINGS, runtime=each)
        for each in (runtime, "eager")
    )
    assert abs(ours.counts - theirs.counts).max() <= 1
    np.testing.assert_allclose(ours.score_sums, theirs.score_sums, rtol=1e-5)
