"""Every kind of classifier is sampled and certified; every bad one is named."""

import copy
import subprocess
import sys
import types
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from torch import nn

import simplicert as sc
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.sampling import NumpyClassifier, TorchClassifier, as_classifier

SETTINGS = {"sigma": 0.25, "draws": 300, "seed": 1}


@pytest.fixture(scope="module")
def logistic():
    samples, labels = load_digits(return_X_y=True)
    return LogisticRegression(max_iter=500).fit(samples / 16, labels)


def certified(model, images, **options):
    votes = sc.sample(model, images, **SETTINGS, **options)
    return votes, sc.certify(votes, alpha=0.01)


# --- kinds ---------------------------------------------------------------------------


def test_logistic_regression_is_certified_as_it_votes(logistic):
    digits = load_dataset("digits").select(np.arange(0, 355, 40))
    votes, certificates = certified(logistic, digits)
    assert (certificates.predicted == digits.labels).mean() > 0.5
    assert certificates.radius.max() > 0.1
    # Its scores are its own probabilities, not their softmax.
    soft = votes.score_sums / votes.draws[:, None]
    assert soft.max() > 0.9
    assert np.all(soft.sum(axis=1) <= 1)
    assert np.all(soft.sum(axis=1) > 1 - 1e-6)


def test_an_estimator_without_probabilities_gives_labels_in_classes_order():
    samples, labels = load_digits(return_X_y=True)
    names = np.array([f"digit {label}" for label in labels])
    machine = LinearSVC(max_iter=5000).fit(samples / 16, names)
    digits = load_dataset("digits").select(np.arange(0, 355, 40))
    votes, certificates = certified(machine, digits)
    assert votes.score_sums is None
    assert (certificates.predicted == digits.labels).mean() > 0.5


@pytest.mark.parametrize("output", ["logits", "probabilities", "labels"])
def test_a_numpy_function_votes_like_the_network_it_wraps(network, images, output):
    def function(batch):
        assert batch.dtype == np.float32
        logits = network(torch.from_numpy(batch))
        if output == "logits":
            return logits.numpy()
        if output == "probabilities":
            return logits.softmax(dim=1).numpy()
        return logits.argmax(dim=1).numpy()

    wrapped = NumpyClassifier(function, output=output, classes=10)
    votes, _ = certified(wrapped, images, batch=100)
    own, _ = certified(network, images, batch=100)
    np.testing.assert_array_equal(votes.counts, own.counts)
    if output == "labels":
        assert votes.score_sums is None
    else:  # float32 softmax against float64
        np.testing.assert_allclose(votes.score_sums, own.score_sums, rtol=1e-5)


def test_labels_are_stored_without_soft_columns(images, tmp_path):
    bright = NumpyClassifier(
        lambda batch: (batch.mean(axis=(1, 2, 3)) > 0.5).astype(np.int32),
        output="labels",
        classes=2,
    )
    votes, _ = certified(bright, images, out=tmp_path / "run")
    assert votes.score_sums is None
    assert votes.counts.sum() == 900
    with pytest.raises(InputError, match="soft"):
        sc.certify(votes, framework="softmax")


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("onnx") / "digits.onnx"
    # In a process of its own: exporting warns, and leaves much imported.
    script = """if True:
        import sys, torch
        from simplicert.models import build_model
        torch.manual_seed(0)
        network = build_model("small-cnn", shape=(1, 8, 8), classes=10).eval()
        torch.onnx.export(
            network, (torch.zeros(2, 1, 8, 8),), sys.argv[1], dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("draws")},), verbose=False,
        )
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, path], check=True)
    return path


@pytest.mark.slow
def test_an_onnx_export_votes_like_the_network(network, images, onnx_file):
    votes, certificates = certified(str(onnx_file), images, batch=100)
    own, theirs = certified(network, images, batch=100)
    # Another library's arithmetic: only near-ties may differ, and none is expected.
    assert np.abs(votes.counts - own.counts).sum() <= 2
    np.testing.assert_allclose(votes.score_sums, own.score_sums, rtol=1e-4)
    np.testing.assert_array_equal(certificates.predicted, theirs.predicted)


def test_an_onnx_file_is_identified_by_all_of_its_bytes(onnx_file, tmp_path):
    before = as_classifier(onnx_file).digest
    copies = tmp_path / "copies"
    copies.mkdir()
    for file in onnx_file.parent.iterdir():
        (copies / file.name).write_bytes(file.read_bytes())
    assert as_classifier(copies / onnx_file.name).digest == before
    weights = copies / "digits.onnx.data"  # where torch puts them
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    assert as_classifier(copies / onnx_file.name).digest != before


def test_onnx_files_that_do_not_fit_are_refused(onnx_file, images, tmp_path):
    with pytest.raises(InputError, match="no ONNX file at"):
        as_classifier(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="onnxruntime cannot load"):
        as_classifier(tmp_path / "bad.onnx")
    with pytest.raises(InputError, match="unknown kind of output 'logitz'"):
        as_classifier(f"{onnx_file}:logitz")
    with pytest.raises(InputError, match=r"said to return probabilities, but they sum"):
        sc.sample(f"{onnx_file}:probabilities", images, **SETTINGS)
    with pytest.raises(InputError, match="images of shape"):
        sc.sample(onnx_file, np.zeros((1, 1, 9, 9), np.float32), **SETTINGS)


FILE = """
import numpy as np
import torch
from torch import nn
from simplicert.sampling import NumpyClassifier

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 64 * 3).view(64, 3))
    def forward(self, images):
        return images.flatten(1) @ self.weight

def build():
    return Net()

instance = Net()

def bright():
    return NumpyClassifier(
        lambda x: (x.mean(axis=(1, 2, 3)) > 0.5).astype(int), output="labels", classes=2
    )

def broken():
    return 1 / 0

def plain(images):
    return images

nothing = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize("attribute", ["build", "instance", "Net"])
def test_a_file_and_callable_is_a_classifier(file, images, attribute):
    votes, certificates = certified(f"{file}:{attribute}", images)
    assert votes.counts.shape == (3, 3)
    assert certificates.radius.max() > 0
    assert votes.source["model"] == f"{file}:{attribute}"


def test_what_a_callable_returns_may_be_any_classifier(file, images):
    votes, _ = certified(f"{file}:bright", images)
    assert votes.score_sums is None


def test_a_module_and_callable_is_a_classifier(images, monkeypatch):
    module = types.ModuleType("a_package")
    module.inner = types.SimpleNamespace(
        build=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    )
    monkeypatch.setitem(sys.modules, "a_package", module)
    votes, _ = certified("a_package:inner.build", images)
    assert votes.counts.shape == (3, 3)


@pytest.mark.slow
def test_the_command_takes_a_file_and_callable(file, tmp_path):
    command = [sys.executable, "-m", "simplicert", "sample", f"{file}:bright", "digits"]
    options = ["--images", "0:2", "--sigma", "0.5", "--draws", "200"]
    done = subprocess.run(
        [*command, *options, "--out", tmp_path / "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2  # 2 classes, but 10 digits
    assert "the model has 2 classes but digits has 10" in done.stderr


# --- what is recorded ----------------------------------------------------------------


def test_the_digest_is_of_the_weights_or_of_the_source(network, logistic, tmp_path):
    assert as_classifier(network).digest == TorchClassifier(network, name="x").digest
    before = as_classifier(network).digest
    with torch.no_grad():
        network[1].weight[0, 0, 0, 0] += 1
    assert as_classifier(network).digest != before

    first = as_classifier(logistic).digest
    assert as_classifier(logistic).digest == first
    logistic.coef_[0, 0] += 1
    assert as_classifier(logistic).digest != first
    logistic.coef_[0, 0] -= 1

    def digest(name, code):
        path = tmp_path / f"{name}.py"
        path.write_text(f"import simplicert.sampling as s\n{code}\n")
        return as_classifier(f"{path}:model").digest

    code = (
        'def f(x): return x[:, 0, 0, :3]\nmodel = s.NumpyClassifier(f, output="logits")'
    )
    assert digest("a", code) == digest("b", code)
    assert digest("a", code) != digest("c", code.replace(":3", ":4"))


def test_the_digest_sees_the_files_of_base_classes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    head = "import torch\nFACTOR = {}\nclass Base(torch.nn.Module):\n"
    body = "    def forward(self, x): return FACTOR * x.flatten(1)[:, :3]\n"
    (tmp_path / "child.py").write_text(
        "import parent\nclass Child(parent.Base): pass\nmodel = Child()\n"
    )
    found = []
    for factor in (1, 2):
        (tmp_path / "parent.py").write_text((head + body).format(factor))
        found.append(as_classifier(f"{tmp_path}/child.py:model").digest)
        sys.modules.pop("parent")
    assert found[0] != found[1]


def test_the_digest_is_the_same_under_another_torch(monkeypatch):
    def digest(**settings):
        module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, **settings))
        for weight in module.parameters():
            nn.init.ones_(weight)
        return TorchClassifier(module).digest

    before = digest()
    # As torch 2.13 did to it: a parameter more, kept as it is, and shown in print.
    build = nn.BatchNorm2d.__init__

    def constructor(
        self, channels, eps=1e-5, momentum=0.1, affine=True,
        track_running_stats=True, *, floor=0.0,
    ):  # fmt: skip
        build(self, channels, eps, momentum, affine, track_running_stats)
        self.floor = floor

    monkeypatch.setattr(nn.BatchNorm2d, "__init__", constructor)
    monkeypatch.setattr(nn.BatchNorm2d, "extra_repr", lambda self: f"{self.floor}")
    assert digest(floor=0.5) != before
    assert digest() == before
    assert digest(eps=1e-3) != before


class Setting(Enum):
    ONE = 1
    TWO = 2


@dataclass
class Settings:
    power: int


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.float32(2), np.float32(3)),
        (np.array([2]), np.array([3])),
        (Setting.ONE, Setting.TWO),
        (Settings(2), Settings(3)),
        ({2}, {3}),
        (partial(pow, exp=2), partial(pow, exp=3)),
        (torch.float32, torch.float64),
    ],
)
@pytest.mark.parametrize("name", ["setting", "_private"])
def test_the_digest_is_of_the_settings_too(one, other, name):
    def digest(value):
        module = Plain()
        if name == "_private":
            value = str(value)  # others may be caches
        setattr(module, name, value)
        return TorchClassifier(module).digest

    assert digest(one) != digest(other)
    assert digest(one) == digest(copy.deepcopy(one))


class Plain(nn.Module):
    pass


def test_the_digest_is_of_the_order_of_modules_that_are_used_twice():
    tanh, relu = nn.Tanh(), nn.ReLU()
    first, second = (nn.Sequential(tanh, relu, last) for last in (tanh, relu))
    assert TorchClassifier(first).digest != TorchClassifier(second).digest


def test_functions_typed_into_an_interpreter_differ_too():
    def digest(code):
        return NumpyClassifier(eval(code), output="logits").digest

    assert digest("lambda x: x[:, 0, 0]") == digest("lambda x: x[:, 0, 0]")
    assert digest("lambda x: x[:, 0, 0]") != digest("lambda x: x[:, 0, 1]")
    assert NumpyClassifier(np.sum, output="logits", digest="mine").digest == "mine"


# --- bad ones ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.py:build", "no file none.py"),
        ("no_such_package:build", "no module no_such_package: is it installed"),
        ("{file}:absent", "unknown name in .*'absent'"),
        ("{file}:broken", r"broken\(\) raised ZeroDivisionError: division by zero"),
        ("{file}:plain", r"plain\(\) raised TypeError.*must take no arguments"),
        ("{file}:nothing", "nothing is no classifier"),
        ("resnet", "unknown model 'resnet': expected a checkpoint"),
        ("weights.pth", "is a pickle"),
        ("weights.pth.tar", "is a pickle"),
        ("model.pkl", "is a pickle"),
    ],
)
def test_names_that_lead_nowhere_are_refused(file, name, message):
    with pytest.raises(InputError, match=message):
        as_classifier(name.format(file=file))


def test_a_file_that_does_not_run_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("import nonsense_of_mine")
    with pytest.raises(InputError, match=r"bad.py raised ModuleNotFoundError"):
        as_classifier(f"{tmp_path}/bad.py:build")


def test_things_that_are_no_classifiers_are_refused():
    with pytest.raises(InputError, match="NumpyClassifier"):
        as_classifier(lambda x: x)
    with pytest.raises(InputError, match="model int is no classifier"):
        as_classifier(3)
    with pytest.raises(InputError, match="LogisticRegression has no classes_: fit it"):
        as_classifier(LogisticRegression())
    with pytest.raises(InputError, match="say classes="):
        NumpyClassifier(np.argmax, output="labels")
    with pytest.raises(InputError, match="unknown kind of output 'probs'"):
        NumpyClassifier(np.argmax, output="probs")


def raising(_):
    raise KeyError("weights")


@pytest.mark.parametrize(
    ("function", "output", "message"),
    [
        (raising, "logits", "raising raised KeyError on images of shape"),
        (lambda x: x[:, 0, 0, 0], "logits", "must return one row of"),
        (lambda x: x.tolist(), "logits", "must return one row of .*list"),
        (lambda x: x[:, 0, 0, :3].astype(str), "logits", "must return one row of"),
        (lambda x: np.full((len(x), 4), 0.25), "logits", "numbers that sum to 1"),
        (lambda x: x[:, 0, 0, :4] + 9, "probabilities", "said to return probabilities"),
        (lambda x: x[:, 0, 0, 0], "labels", "one integer label a draw.*float32"),
        (lambda x: np.zeros((len(x), 1), int), "labels", "one integer label a draw"),
        (lambda x: np.zeros(len(x), bool), "labels", "one integer label a draw"),
        (lambda x: np.full(len(x), -1), "labels", "returned label -1, but .* 0 … 3"),
        (lambda x: np.full(len(x), 4), "labels", "returned label 4, but .* 0 … 3"),
    ],
)
def test_functions_that_do_not_keep_their_word_are_refused(
    images, function, output, message
):
    with pytest.raises(InputError, match=message):
        sc.sample(
            NumpyClassifier(function, output=output, classes=4), images, **SETTINGS
        )


def test_a_number_of_classes_other_than_was_said_is_refused(network, images):
    with pytest.raises(InputError, match="one row of 7 logits"):
        sc.sample(TorchClassifier(network, classes=7), images, **SETTINGS)


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"runtime": "onnxruntime"}])
def test_what_is_not_torch_runs_in_float32(logistic, images, change):
    with pytest.raises(InputError, match="is not a torch module"):
        sc.sample(logistic, images, **SETTINGS, **change)


# --- probabilities -------------------------------------------------------------------


def votes_of(rows, **options):
    """Votes where the classifier returns these probabilities, by a draw's last bits."""
    rows = np.array(rows)
    [first] = np.zeros((1, 1, 8, 8), np.float32)[None]

    def function(batch):
        return rows[batch[:, 0, 0, 0].view(np.int32) % len(rows)]

    model = NumpyClassifier(function, output="probabilities")
    settings = {"sigma": 0.5, "draws": 200, "seed": 0, "batch": 100}
    return sc.sample(model, first, **settings, **options)


def test_probabilities_are_certified_as_they_are():
    rows = np.array([[0.75, 0.25], [0.375, 0.625]])
    votes = votes_of(rows)
    assert votes.counts.min() > 0
    np.testing.assert_array_equal(votes.score_sums, votes.counts @ rows)
    np.testing.assert_array_equal(votes.score_squares, votes.counts @ rows**2)


def test_probabilities_that_sum_to_a_little_more_than_1_do_not_after_flooring():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(7), size=100).astype(np.float32) * np.float32(1.00005)
    assert (rows.sum(axis=1) > 1).all()
    votes = votes_of(rows)
    assert np.all(votes.score_sums.sum(axis=1) <= votes.draws)
    assert np.all(votes.score_sums.sum(axis=1) > votes.draws - 1e-5)


@pytest.mark.parametrize(
    "row", [[np.nan, 0.5], [-0.1, 0.6], [1.5, 0.0], [0.7, 0.7], [np.inf, 0.0]]
)
def test_numbers_that_are_no_probabilities_are_never_counted_silently(row):
    rows = [[0.5, 0.5], row]
    votes = votes_of(rows, nonfinite="count")
    [[right, none]] = votes.counts
    assert 0 < right < 200
    assert none == 0
    np.testing.assert_array_equal(votes.score_sums, [[right / 2, right / 2]])
    with pytest.raises(
        InputError, match=f"no probabilities for {200 - right} of 200 draws"
    ):
        votes_of(rows)
