"""What identifies a classifier: equal in every process, and no other's."""

import copy
import io
import pickle
import re
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators
from torch import nn

import simplicert as sc
from simplicert.classifiers import NumpyClassifier, TorchClassifier
from simplicert.classifiers.catalogue import as_classifier
from simplicert.classifiers.digest import classifier_digest, weights_digest

SAMPLES, LABELS = make_classification(60, 6, n_informative=4, random_state=0)
SAMPLES -= SAMPLES.min()  # as some want them
BASES = {
    **dict.fromkeys(("estimator",), LogisticRegression()),
    "estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())],
    "param_grid": {"max_iter": [50, 60]},
    "param_distributions": {"max_iter": [50, 60]},
    "random_state": 0,
}


def fitted(kind, labels=LABELS):
    """An estimator with what it cannot do without, if that is enough."""
    for given in ({}, BASES):
        try:
            known = kind.__init__.__code__.co_varnames
            made = kind(**{key: given[key] for key in given if key in known})
            if "random_state" in made.get_params():
                made.set_params(random_state=0)
            return made.fit(SAMPLES, labels)
        except Exception:  # noqa: BLE001 (of several classes a sample, for one)
            continue
    return None


@pytest.fixture(scope="module")
def estimators():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {name: fitted(kind) for name, kind in all_estimators("classifier")}
        searches = {
            "GridSearchCV": GridSearchCV(
                make_pipeline(LogisticRegression()), {"logisticregression__C": [0.1, 1]}
            ).fit(SAMPLES, LABELS),
            "Sparse": SVC().fit(sparse.csr_matrix(SAMPLES), LABELS),
        }
    return {name: each for name, each in (made | searches).items() if each is not None}


def used(estimator):
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(estimator, method):
            getattr(estimator, method)(SAMPLES)
    return estimator


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_estimators_have_one_digest_before_and_after_use_and_on_disk(
    estimators, tmp_path
):
    assert len(estimators) > 38
    digests = {name: classifier_digest(each) for name, each in estimators.items()}
    assert len(set(digests.values())) == len(digests)
    joblib.dump(estimators, tmp_path / "all.joblib")
    for name, estimator in estimators.items():
        for copied in (pickle.loads(pickle.dumps(estimator)), estimator):
            assert classifier_digest(used(copied)) == digests[name], name
    script = """if True:
        import joblib, sys
        from simplicert.classifiers.digest import classifier_digest
        for name, each in joblib.load(sys.argv[1]).items():
            print(name, classifier_digest(each))
    """
    found = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", script, tmp_path / "all.joblib"]
    )
    assert dict(line.split() for line in found.decode().splitlines()) == digests


@pytest.mark.filterwarnings("ignore")
def test_estimators_that_were_fitted_otherwise_differ(estimators):
    for name, estimator in estimators.items():
        if name not in {"DummyClassifier", "Sparse"}:  # of which one says the mode only
            other = copy.deepcopy(estimator).fit(SAMPLES, np.roll(LABELS, 7))
            assert classifier_digest(other) != classifier_digest(estimator), name


def other_tree(estimator):
    state = estimator.estimators_[0].tree_.__getstate__()
    state["nodes"]["threshold"][0] += 1e-9
    estimator.estimators_[0].tree_.__setstate__(state)


def test_one_number_of_an_estimator_is_enough():
    forest = RandomForestClassifier(3, random_state=0).fit(SAMPLES, LABELS)
    pipeline = make_pipeline(FunctionTransformer(lambda x: x * 2), forest)
    before = classifier_digest(pipeline.fit(SAMPLES, LABELS))
    other_tree(forest)
    assert classifier_digest(pipeline) != before
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [2, 3]})
    before = classifier_digest(search.fit(SAMPLES, LABELS))
    assert (
        classifier_digest(search.fit(SAMPLES, LABELS)) == before
    )  # another time taken
    search.best_estimator_.n_neighbors += 1
    assert classifier_digest(search) != before


FILE = """
import joblib, numpy as np
from pathlib import Path
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

def fit(estimator, features=64):
    samples, labels = load_digits(return_X_y=True)
    return estimator.fit(samples[:300] / 16, labels[:300])

def forest(): return fit(RandomForestClassifier(5, random_state=0))
def neighbours(): return fit(KNeighborsClassifier(algorithm="kd_tree"))
def search(): return fit(GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2))
"""


@pytest.mark.slow
def test_a_run_of_an_estimator_goes_on_in_another_process(tmp_path, simplicert):
    (tmp_path / "mine.py").write_text(FILE)
    commands, before = [], []
    for name in ("forest", "neighbours", "search"):
        run, settings = (
            tmp_path / name,
            "--images 0:2 --sigma 0.2 --draws 40 --block 20",
        )
        command = ["sample", f"{tmp_path}/mine.py:{name}", "digits", "-o", str(run)]
        commands.append([*command, *settings.split(), "--batch", "20"])
        code, _, err = simplicert(*commands[-1], "--seed", 3)
        assert code == 0, err
        before.append(sc.read_run(run).counts.tolist())
        for part in (run / "parts").iterdir():
            part.unlink()  # as if it had been killed before its first flush
    script = f"""if True:
        from simplicert.cli import main
        for command in {commands}:
            try:
                main(command)
            except SystemExit as end:
                assert end.code == 0
    """
    subprocess.run([sys.executable, "-c", script], check=True)
    runs = [sc.read_run(command[4]) for command in commands]
    assert [run.counts.tolist() for run in runs] == before


class Net(nn.Module):
    def __init__(self, scale=2.0, shift=1.0):
        super().__init__()
        self.layer, self.scale = nn.Linear(4, 3), scale
        nn.init.ones_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.shift, self.inner = (
            shift,
            nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh()),
        )

    def moved(self, x):
        return x + self.shift

    def forward(self, x):
        return self.moved(self.inner(self.layer(x.flatten(1)) * self.scale))


def exported(net):
    return torch.export.export(
        net.eval(),
        (torch.zeros(2, 4),),
        dynamic_shapes=({0: torch.export.Dim("draws")},),
    )


MAKE = {
    "script": torch.jit.script,
    "trace": lambda net: torch.jit.trace(net.eval(), torch.zeros(2, 4)),
    "freeze": lambda net: torch.jit.freeze(torch.jit.script(net.eval())),
    "export": exported,
    "function": lambda net: lambda x: net(x) + 1,
    "quantised": lambda net: torch.ao.quantization.quantize_dynamic(net, {nn.Linear}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", MAKE)
def test_modules_in_another_form_are_told_apart_by_all_they_compute_with(how):
    def digest(**changes):
        weight = changes.pop("weight", 1.0)
        net = Net(**changes)
        nn.init.constant_(net.layer.weight, weight)
        return classifier_digest(MAKE[how](net))

    before = digest()
    assert before == digest()
    for change in ({"scale": 2.5}, {"shift": 1.5}, {"weight": 1.25}):
        assert digest(**change) != before, change


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["script", "trace", "freeze"])
def test_torchscript_has_one_digest_after_saving_and_in_company(how):
    file = io.BytesIO()
    made = MAKE[how](Net())
    before = weights_digest(made)
    torch.jit.save(made, file)
    file.seek(0)
    assert weights_digest(torch.jit.load(file)) == before
    torch.jit.script(Net(scale=3))  # classes of one name are numbered
    assert weights_digest(MAKE[how](Net())) == before


@pytest.mark.filterwarnings("ignore")
def test_quantised_weights_are_told_apart_by_their_scale():
    numbers = torch.linspace(-1, 1, 6).view(2, 3)
    scales = torch.tensor([0.5, 0.25])
    found = {
        classifier_digest(each)
        for each in (
            numbers,
            torch.quantize_per_tensor(numbers, 0.5, 0, torch.qint8),
            torch.quantize_per_tensor(2 * numbers, 1.0, 0, torch.qint8),
            torch.quantize_per_tensor(numbers, 0.5, 1, torch.qint8),
            torch.quantize_per_channel(
                numbers, scales, torch.zeros(2), axis=0, dtype=torch.qint8
            ),
            numbers.to_sparse(),
            numbers.bfloat16(),
        )
    }
    assert len(found) == 6


def test_a_module_is_not_read_for_ever_by_its_own_functions():
    def made(by):
        net = Net()
        net.function = lambda x: net.layer(x) * by
        net.order = [net.inner, net.layer]
        return net

    assert weights_digest(made(1)) == weights_digest(made(1)) != weights_digest(made(2))
    other = made(1)
    other.order.reverse()
    assert weights_digest(other) != weights_digest(made(1))


def test_the_weights_behind_a_function_are_part_of_it():
    net = Net()
    model = NumpyClassifier(lambda x: net(torch.from_numpy(x)).numpy(), output="logits")
    before = model.digest
    assert as_classifier(model) is model
    with torch.no_grad():
        net.layer.bias += 1
    again = NumpyClassifier(model._function, output="logits")
    assert again.digest != before
    assert TorchClassifier(net).digest != TorchClassifier(Net()).digest


@pytest.mark.parametrize("key", ["mine", "_mine"])
def test_what_a_module_keeps_is_part_of_it_public_or_private(key):
    kept = [
        (1, 2), (1, 3), [1], {"a": 1}, {"a": 2}, {1}, torch.ones(2), torch.zeros(2),
        np.ones(2), np.zeros(2), re.compile("a"), re.compile("b"), abs, len,
        torch.Generator().manual_seed(1), torch.Generator().manual_seed(2),
    ]  # fmt: skip
    digests = []
    for value in kept:
        module = Net()
        setattr(module, key, value)
        digests.append(weights_digest(module))
        assert weights_digest(module) == digests[-1]
    assert len(set(digests)) == len(kept)
