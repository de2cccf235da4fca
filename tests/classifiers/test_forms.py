"""What people have at hand in the first hour: it runs, or one line says what to do."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import simplicert as sc
from simplicert.classifiers import NumpyClassifier, TorchClassifier
from simplicert.classifiers.catalogue import as_classifier
from simplicert.errors import InputError
from simplicert.plugins import import_place
from simplicert.sampling.plan import usual_block

IMAGES = np.full((2, 1, 2, 2), 0.5, np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3))

    def forward(self, x):
        return self.layers(x)


def net():
    return Net().eval()


def sampled(model, images=IMAGES, **options):
    settings = {"sigma": 0.5, "draws": 60, "seed": 1, "batch": 20}
    return sc.sample(model, images, **(settings | options))


def exported(**axes):
    return torch.export.export(net(), (torch.zeros(2, 1, 2, 2),), **axes)


def closing_over(module):
    return lambda x: module(x) + 0


def test_torchscript_is_copied_without_a_word_of_torch():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that torch prefers exported programs
        module = torch.jit.script(net())
        warnings.simplefilter("error", UserWarning)
        sampled(module)
    assert all(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.py", r"mine\.py:NAME"),
        ("forest.joblib", "function that returns the classifier"),
        ("mine", r"unknown model 'mine': expected"),
    ],
)
def test_what_is_no_classifier_by_itself_says_how_to_name_one(name, said):
    with pytest.raises(InputError, match=said):
        as_classifier(name)


FREE = {"dynamic_shapes": ({0: torch.export.Dim("draws")},)}
FORMS = {
    "scripted in training": lambda: torch.jit.script(Net()),
    "traced": lambda: torch.jit.trace(net(), torch.zeros(2, 1, 2, 2)),
    "frozen": lambda: torch.jit.freeze(torch.jit.script(net())),
    "exported": lambda: exported(**FREE),
    "its module": lambda: exported(**FREE).module(),
    "function": lambda: TorchClassifier(net().forward),
    "closure": lambda: TorchClassifier(closing_over(net())),
    "dictionary": lambda: TorchClassifier(lambda x: {"f": x, "logits": net()(x)}),
    "tuple of one": lambda: TorchClassifier(lambda x: (net()(x),)),
    "arrays": lambda: NumpyClassifier(
        lambda x: {"logits": net()(torch.from_numpy(x)).detach().numpy()},
        output="logits",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_network_votes_as_the_network(form):
    votes, own = sampled(FORMS[form]()), sampled(net())
    np.testing.assert_array_equal(votes.counts, own.counts)


@pytest.mark.filterwarnings("ignore")
def test_quantised_modules_run():
    module = torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear})
    assert sampled(module, batch=1).counts.sum() == 120


@pytest.mark.filterwarnings("ignore")
def test_torchscript_is_read_from_its_file_and_pickles_are_not(tmp_path):
    torch.jit.save(torch.jit.script(net()), tmp_path / "net.pt")
    votes = sampled(str(tmp_path / "net.pt"))
    np.testing.assert_array_equal(votes.counts, sampled(net()).counts)
    torch.save(net(), tmp_path / "pickle.pt")
    with pytest.raises(InputError, match="is a pickle"):
        as_classifier(tmp_path / "pickle.pt")
    with pytest.raises(InputError, match=r"torch\.export\.load\(…\)"):
        as_classifier(tmp_path / "net.pt2")


def alone(x):
    assert len(x) == 1
    return net()(x)


def unavailable(_):
    raise ConnectionError("503: no channels of this size")


def failing(_):
    raise AssertionError("a size of mine")


ADVICE = "Does it take images of this shape"


@pytest.mark.parametrize(
    ("function", "output", "message"),
    [
        (alone, "logits", r"AssertionError.*--batch 1"),
        (lambda x: net()(x)[:1], "logits", r"one row of .*--batch 1"),
        (unavailable, "logits", r"ConnectionError on .*503: no channels of this size$"),
        (lambda _: sys.exit(3), "logits", r"SystemExit on .*: 3$"),
        (failing, "logits", r"AssertionError on .*a size of mine$"),
        (lambda x: nn.Linear(9, 3)(x.flatten(1)), "logits", ADVICE),
        (
            lambda x: net()(x)[:, :1],
            "logits",
            r"say that it is one logit, that of class 1: logit;",
        ),
        (
            lambda x: net()(x)[:, 0],
            "probabilities",
            r"the probability of class 1: probability",
        ),
        (lambda x: (net()(x), x), "logits", r"a tuple of .*: logits:item=0 is"),
        (
            lambda x: {"out": net()(x)},
            "logits",
            r"dictionary of out. Say .*logits:name=KEY",
        ),
        (lambda x: net()(x).sigmoid(), "logits", r"as a sigmoid does"),
        (lambda x: net()(x).clamp(0, 1), "logits", r"as a sigmoid does"),
    ],
)
def test_what_a_classifier_does_is_said_as_it_is(function, output, message):
    with pytest.raises(InputError, match=message) as error:
        sampled(TorchClassifier(function, output=output))
    assert (ADVICE in str(error.value)) == (message == ADVICE)


def test_small_logits_are_no_sigmoids():
    def small(x):
        return 0.5 + 0.01 * x.flatten(1)[:, :3]

    assert sampled(TorchClassifier(small)).counts.sum() == 120
    assert sampled(TorchClassifier(alone), batch=1).counts.sum() == 120


def test_a_function_is_told_from_another_by_how_it_is_wrapped():
    with pytest.raises(
        InputError, match=r"TorchClassifier\(function\).*NumpyClassifier"
    ):
        as_classifier(net().forward)
    training = Net()
    with pytest.raises(InputError, match=r"a Net in training mode: call its eval"):
        sampled(TorchClassifier(closing_over(training)))
    with pytest.raises(InputError, match=r"is a function: it runs in fp32"):
        sampled(TorchClassifier(net().forward), precision="bf16")


def test_arguments_of_another_kind_are_refused_in_words():
    script = """if True:  # without the tests' own checks of types
        import numpy as np, torch, simplicert as sc
        from simplicert.errors import InputError
        net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
        images = np.zeros((1, 1, 2, 2), np.float32)
        for sigma in (np.full(2, 0.5), None, True, "0.5", [0.5], float("nan"), -1.0, 0):
            try:
                sc.sample(net, images, sigma=sigma, draws=20)
            except InputError as error:
                assert "sigma must be a positive, finite number" in str(error), error
            else:
                raise AssertionError(sigma)
        try:
            sc.sample(net, "digits", sigma=0.5, draws=20)
        except InputError as error:
            assert "load_dataset" in str(error), error
        else:
            raise AssertionError
    """
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    "draws", [1, 99, 700, 1000, 1500, 1501, 1999, 10**6 + 3, 10**15]
)
def test_a_block_divides_any_number_of_draws(draws):
    block = usual_block(draws)
    assert draws % block == 0
    assert block >= min(draws, 100)
    assert draws % 1000 or block == 1000
    assert sampled(net(), draws=1500).counts.sum() == 3000


def test_an_estimator_of_named_columns_gets_them():
    frame = pd.DataFrame(np.random.default_rng(0).random((60, 4)), columns=list("abcd"))
    labels = np.arange(60) % 3
    by_name = ColumnTransformer([("scaled", StandardScaler(), ["b", "d"])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (
            make_pipeline(by_name, LogisticRegression()),
            make_pipeline(StandardScaler(), LogisticRegression()),
        ):
            assert sampled(model.fit(frame, labels)).counts.sum() == 120


LATE = """
import torch

class Late(torch.nn.Module):
    def forward(self, x):
        from helpers import scale  # when it is called
        return scale * x.flatten(1)[:, :3]

def late(): return Late()
"""


@pytest.mark.parametrize(
    ("model", "processes"),
    [
        ("net.py:late", 1),
        ("mine.net:late", 1),
        pytest.param("net.py:late", 2, marks=pytest.mark.slow),
    ],
)
def test_files_and_modules_find_what_is_beside_them_from_any_process(
    model, processes, tmp_path
):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for folder in (tmp_path, package):
        (folder / "net.py").write_text(LATE)
        (folder / "helpers.py").write_text("scale = 2.0\n")
    (tmp_path / "data.py").write_text(
        "import numpy as np\ndef inputs(*, split):\n"
        "    return np.full((2, 1, 2, 2), 0.5, np.float32), np.arange(2)\n"
    )
    script = "from simplicert.cli import main; main()"  # as the command does
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", script, "sample", model, "data.py:inputs"),
            *("--sigma", "0.5", "--draws", "40", "-o", "run"),
            *("--processes", str(processes)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_neighbour_that_would_be_another_when_it_is_called_is_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "later_neighbour.py").write_text(f"NAME = '{name}'\n")
        (tmp_path / name / f"{name}.py").write_text(
            "def f():\n    from later_neighbour import NAME\n    return NAME\n"
        )
    assert import_place(f"{tmp_path}/one/one.py")
    with pytest.raises(InputError, match=r"two\.py imports .* rename one of the two"):
        import_place(f"{tmp_path}/two/two.py")
