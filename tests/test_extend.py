"""Every whole file in docs/extend.md, run through the loader of its kind."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch

import simplicert as sc
from simplicert import mechanisms, plugins
from simplicert.certificates import find_procedure
from simplicert.classifiers.catalogue import CLASSIFIERS
from simplicert.data import load_dataset
from simplicert.data.catalogue import DATASETS
from simplicert.figures import FIGURES
from simplicert.interop import certify_path
from simplicert.mechanisms.catalogue import MECHANISMS, find_mechanism
from simplicert.noises import NOISES
from simplicert.procedures import PROCEDURES
from simplicert.stopping import RULES, replay, spread
from simplicert.training import load_recipe, train
from simplicert.training.methods import METHODS
from simplicert.votes import RunDirectory

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
FILES = dict(
    re.findall(r"Save as `(\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
)
KINDS = {
    "mine.py:fixed_epsilon": MECHANISMS,
    "chernoff.py:chernoff": PROCEDURES,
    "laplace.py:laplace": NOISES,
    "moved.py:moved": DATASETS,
    "nearest.py:classifier": CLASSIFIERS,
    "stability.py:Stability": METHODS,
    "radii.py:radii": FIGURES,
    "quarter.py:quarter": RULES,
}
RUN = ROOT / "results" / "cifar10" / "resnet110-0.50"


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_files(tmp_path, monkeypatch):
    for name, source in FILES.items():
        (tmp_path / name).write_text(source, "utf-8")
    monkeypatch.chdir(tmp_path)


def test_there_is_one_file_of_each_kind():
    assert sorted(FILES) == sorted(spec.split(":")[0] for spec in KINDS)


@pytest.mark.parametrize("spec", KINDS)
def test_the_page_names_what_the_file_holds_in_a_command(spec):
    assert re.search(rf"^    simplicert .*{re.escape(spec)}", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("spec", "kind"), KINDS.items())
def test_a_package_may_offer_it_under_the_group_that_the_page_says(
    spec, kind, monkeypatch
):
    assert f"`{kind.group}` |" in PAGE
    monkeypatch.syspath_prepend(Path.cwd())
    value = spec.replace(".py", "")
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [EntryPoint("theirs", value, group)]
    )
    assert kind.names == [*kind.built_in, "theirs"]
    assert kind.find("theirs") is not None


def test_the_mechanism():
    found = find_mechanism("mine.py:fixed_epsilon")
    best = mechanisms.lecuyer(0.9, 0.05, sigma=1.0)
    assert 0 < found(0.9, 0.05, sigma=1.0) < best
    made = certify_path(RUN, mechanism="mine.py:fixed_epsilon")
    assert made.mechanism == "mine.fixed_epsilon"
    assert np.all(made.radius <= made.radii["lecuyer"])


def test_the_procedure_is_never_wider_than_hoeffding_s():
    votes = sc.read_run(RUN)
    theirs = find_procedure("chernoff.py:chernoff")(votes, alpha=0.001)
    ours = find_procedure("hoeffding")(votes, alpha=0.001)
    assert np.all(theirs.e0_lower >= ours.e0_lower)
    assert np.all(theirs.e1_upper <= ours.e1_upper)
    # All of n scores are 1: KL(1 || x) is -ln x.
    ones = sc.Votes(
        counts=np.array([[100, 0]]),
        score_sums=np.array([[100.0, 0.0]]),
        score_squares=np.array([[100.0, 0.0]]),
        draws=np.array([100]),
        indices=np.array([0]),
        sigma=1.0,
        source={},
    )
    found = find_procedure("chernoff.py:chernoff")(ones, alpha=0.01)
    assert found.e0_lower[0] == pytest.approx(0.005 ** (1 / 100), rel=1e-9)
    assert found.e0_lower[0] <= 0.005 ** (1 / 100)
    assert found.e1_upper[0] == pytest.approx(1 - 0.005 ** (1 / 100), rel=1e-9)


def test_the_noise_and_its_mechanism():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2, bias=False))
    with torch.no_grad():
        model[1].weight[:] = torch.tensor([[1.0], [-1.0]])
    images = np.full((1, 1, 8, 8), 0.05, dtype=np.float32)
    votes = sc.sample(
        model, images, sigma=0.5, draws=1000, seed=0, noise="laplace.py:laplace"
    )
    assert (votes.noise.name, votes.noise.norm) == ("laplace", "l1")
    made = sc.certify(votes, mechanism="laplace.py:pure")
    assert (made.mechanism, made.norm) == ("laplace.pure", "l1")
    # exp(-r / b) E0 = exp(r / b) E1, with b = sigma / sqrt(2).
    scale = 0.5 / 2**0.5
    factor = np.exp(made.radius / scale)
    assert made.radius[0] > 0
    np.testing.assert_allclose(made.e0_lower / factor, made.e1_upper * factor)
    with pytest.raises(sc.InputError, match="no mechanism has a proof for laplace"):
        sc.certify(votes)


def test_the_noise_is_laplace_s():
    values = np.empty((1000, 100))
    NOISES.find("laplace.py:laplace").fill(values, np.random.default_rng(0))
    # P(|X| > t) = exp(-t sqrt(2)); five standard errors of 100,000 are below 0.008.
    for t in (0.1, 0.5, 1.0, 2.0):
        share = (np.abs(values) > t).mean()
        assert share == pytest.approx(np.exp(-t * 2**0.5), abs=0.008)


def test_the_data_set():
    moved, digits = load_dataset("moved.py:moved"), load_dataset("digits")
    ours, theirs = (each.read(np.array([0])) for each in (digits, moved))
    np.testing.assert_array_equal(theirs[..., 1:], ours[..., :-1])
    np.testing.assert_array_equal(moved.labels, digits.labels)


def test_the_classifier():
    digits = load_dataset("digits").select(np.arange(0, 355, 5))
    votes = sc.sample("nearest.py:classifier", digits, sigma=0.25, draws=100, seed=0)
    assert (sc.certify(votes).top == digits.labels).mean() > 0.8


def test_the_training_method():
    recipe = load_recipe(
        "digits", epochs=1, method={"name": "stability.py:Stability", "weight": 1.0}
    )
    _, metadata = train(load_dataset("digits", split="train"), recipe)
    assert metadata.recipe["method"] == {
        "name": "stability.py:Stability",
        "weight": 1.0,
    }


def test_the_figure():
    from simplicert.report import write

    written = write([RUN], figures="figures", only=["radii.py:radii"])
    assert [path.name for path in written.figures] == [
        "radii-resnet110-0.50-multinomial.png",
        "radii-resnet110-0.50-softmax.png",
    ]
    for path in written.figures:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_stopping_rule():
    found = replay(
        RunDirectory(RUN),
        RULES.find("quarter.py:quarter"),
        looks=spread([1000, 3000, 10_000]),
        alpha=0.001,
    )
    early = found.draws < 10_000
    assert early.any()
    assert np.all(found.by_looks.radius[early] >= 0.25)


def test_the_files_that_a_built_in_s_line_goes_into_exist():
    table = PAGE.split("## As a built-in")[1]
    lines = re.findall(r"`([\w/]+\.py)`:? ", table)
    assert len(lines) > 5
    for name in lines:
        place = ROOT / "src" / "simplicert" / name
        assert place.parent.is_dir(), name
        assert place.is_file() or place.name == "mine.py", name
