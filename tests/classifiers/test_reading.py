"""How outputs are read: one number for two classes, one of several, label by label."""

from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from torch import nn

import simplicert as sc
from simplicert.classifiers import NumpyClassifier, TorchClassifier, as_classifier
from simplicert.classifiers.class_names import in_order_of
from simplicert.classifiers.reading import Reading, reading_of
from simplicert.errors import InputError
from simplicert.sampling.tally import Tally

IMAGES = np.linspace(0.2, 0.8, 8, dtype=np.float32).reshape(2, 1, 2, 2)
SETTINGS = {"sigma": 0.5, "draws": 60, "seed": 1, "batch": 20}


class Labels(nn.Module):
    """Logits of two labels that do not exclude each other."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 2)
        self.eval()

    def forward(self, x):
        return self.layer(x.flatten(1))


def column(k, reads=lambda z: z):
    net = Labels()
    return lambda x: reads(net(x)[:, k])


def sampled(model, images=IMAGES, **options):
    return sc.sample(model, images, **(SETTINGS | options))


def rows(logit):
    return torch.stack([torch.zeros_like(logit), logit], dim=1)


# --- two classes ---------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize("wrapped", ["torch", "numpy"])
@pytest.mark.parametrize("kind", ["logit", "probability"])
def test_one_number_a_draw_is_two_classes(kind, wrapped, shape):
    reads = torch.sigmoid if kind == "probability" else torch.clone
    function = column(1, lambda z: reads(z).reshape(shape))
    if wrapped == "torch":
        model = TorchClassifier(function, output=kind)
    else:
        model = NumpyClassifier(
            lambda x: function(torch.from_numpy(x)).detach().numpy(), output=kind
        )
    votes, both = sampled(model), sampled(TorchClassifier(column(1, rows)))
    np.testing.assert_array_equal(votes.counts, both.counts)
    assert 0 < votes.counts[:, 1].sum() < 120
    np.testing.assert_allclose(votes.score_sums, both.score_sums, rtol=1e-6)
    assert (votes.score_sums.sum(axis=1) <= votes.draws).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_probability_and_its_complement_are_sound_scores(dtype):
    torch.manual_seed(0)
    edges = torch.tensor([0, 1, 0.5, 1e-10, 1 - 2**-24, 1 / 3, 1 + 1e-6])
    given = torch.cat([edges, torch.rand(1000)]).to(dtype)
    read = reading_of("probability").of(given, draws=len(given), name="x")
    tally = Tally(len(given), 2, output="probabilities", device=torch.device("cpu"))
    tally.add(read, torch.arange(len(given)))
    sums = tally.columns["score_sums"]
    assert bool((sums.sum(dim=1) <= 1).all())
    grid = 2.0**32
    expected = (given.double().clamp(max=1) * grid).floor() / grid
    torch.testing.assert_close(sums[:, 1], expected, rtol=0, atol=0)
    assert float((sums.sum(dim=1) - 1).abs().max()) <= 2 / grid
    assert bool((tally.columns["counts"].sum(dim=1) == 1).all())
    assert (tally.columns["counts"][:, 1] == (given > 0.5)).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, 1.01])
@pytest.mark.parametrize("kind", ["logit", "probability"])
def test_numbers_that_are_neither_are_not_counted(kind, bad):
    given = torch.tensor([0.75, bad])
    read = reading_of(kind).of(given, draws=2, name="x")
    output = reading_of(kind).output
    tally = Tally(2, 2, output=output, device=torch.device("cpu"))
    tally.add(read, torch.arange(2))
    fine = kind == "logit" and np.isfinite(bad)
    assert tally.columns["counts"].sum(dim=1).tolist() == [1, int(fine)]


def test_a_logit_of_1_is_no_probability():
    def one(x):
        return 1 + 4 * (x.flatten(1).mean(dim=1) - 0.5)

    votes = sampled(TorchClassifier(one, output="logit"), np.full_like(IMAGES, 0.5))
    assert votes.counts.sum() == 120


@pytest.mark.parametrize(
    ("output", "reads", "message"),
    [
        ("logits", torch.clone, r"one logit, that of class 1: logit; .*--output"),
        ("probabilities", torch.sigmoid, r"the probability of class 1: probability"),
        (
            "logit",
            torch.sigmoid,
            r"as a sigmoid does, a logit .*output=\"probability\"",
        ),
        ("probability", lambda z: z - 9, r"a probability, but returned -.*say logit"),
        (
            "logit",
            rows,
            r"must return one logit .* \(1, 2\). Of several .*logit:label=0",
        ),
        ("logits:label=0", torch.clone, r"must return one row of labels a draw"),
        ("logits:label=2", rows, r"has no label 2: it returns 2, the first"),
        ("name=head:logits", torch.clone, r"returns torch.float32 .*: no name=head"),
        ("item=1:logits", torch.clone, r"returns torch.float32 .*: no item=1"),
    ],
)
def test_what_was_said_and_is_not_so_is_refused_with_the_cure(output, reads, message):
    with pytest.raises(InputError, match=message):
        sampled(TorchClassifier(column(0, reads), output=output))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"'' says nothing"),
        (":", r"'' says nothing"),
        ("logits:", r"'' says nothing"),
        ("name=:logits", r"'name=' says nothing"),
        ("label=x:logits", r"'label=x' says nothing"),
        ("label=-1:logits", r"'label=-1' says nothing"),
        ("logits:probabilities", r"says kind twice: logits and probabilities"),
        ("labels:3:4", r"says classes twice"),
        ("labels", r"how many classes there are: say classes=…, or labels:NUMBER"),
        ("labels:1", r"at least 2 classes, not 1"),
        ("logits:classes=0", r"at least 2 classes, not 0"),
        ("probability:3", r"of two classes, not of 3"),
        ("label=1", r"of what kind the output is: say label=1:logits or"),
        ("logits:name=a:item=1", r"a name \('a'\) or a number \(1\)"),
        ("probabilites", r"did you mean 'probabilities'.* is name=probabilites"),
    ],
)
def test_words_that_say_nothing_or_too_much_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        reading_of(text)
    with pytest.raises(InputError, match=message):
        TorchClassifier(Labels(), output=text)


# --- one of several ------------------------------------------------------------------

Pair = namedtuple("Pair", ["features", "head"])
SEVERAL = {
    "dictionary": (lambda x, z: {"features": x, "head": z}, "name=head"),
    "record": (lambda x, z: SimpleNamespace(features=x, head=z), "name=head"),
    "named tuple": (Pair, "name=head"),
    "tuple": (lambda x, z: (x, z), "item=1"),
    "list": (lambda x, z: [x, z], "item=1"),
}


@pytest.mark.parametrize(
    ("wrapped", "form"),
    [("torch", form) for form in SEVERAL]
    + [("numpy", form) for form in SEVERAL if form != "record"],
)
def test_of_several_outputs_the_named_one_is_certified(form, wrapped):
    net, (several, words) = Labels(), SEVERAL[form]

    def tensors(x):
        return several(x.flatten(1), net(x))

    def arrays(x):
        return several(x.reshape(len(x), -1), net(torch.from_numpy(x)).detach().numpy())

    make = {"torch": (TorchClassifier, tensors), "numpy": (NumpyClassifier, arrays)}
    kind, function = make[wrapped]
    votes = sampled(kind(function, output=f"logits:{words}"))
    np.testing.assert_array_equal(votes.counts, sampled(net).counts)
    with pytest.raises(InputError, match="must return one row"):
        sampled(kind(function, output="logits"))


@pytest.mark.parametrize("several", [dict, SimpleNamespace])
@pytest.mark.parametrize(("kind", "key"), [("logit", "logit"), ("logit", "logits")])
def test_a_kind_finds_its_name_unless_two_fit(kind, key, several):
    def one(x):
        return several(features=x, labels=x, **{key: column(0)(x)})

    def both(x):
        return several(probabilities=x, **{key: column(0)(x)})

    own = sampled(TorchClassifier(column(0), output=kind)).counts
    found = sampled(TorchClassifier(one, output=kind)).counts
    np.testing.assert_array_equal(found, own)
    with pytest.raises(InputError, match=rf"{key} and .* are both there|and {key}"):
        sampled(TorchClassifier(both, output=kind))
    by_name = TorchClassifier(both, output=f"{kind}:name={key}")
    np.testing.assert_array_equal(sampled(by_name).counts, own)


def test_classes_of_a_logit_are_put_into_the_order_of_the_data_s():
    named = TorchClassifier(column(0), output="logit", class_names=("cat", "dog"))
    other = in_order_of(named, ("dog", "cat"), source="data")
    counts = [sampled(each).counts for each in (named, other)]
    np.testing.assert_array_equal(counts[0], counts[1][:, ::-1])
    normal = as_classifier(named, mean=[0.0], std=[1.0])
    np.testing.assert_array_equal(sampled(normal).counts, counts[0])
    assert len({each.digest for each in (named, other, normal)}) == 3


def test_what_is_read_otherwise_is_another_classifier():
    net = Labels()
    texts = ["logits", "logits:name=a", "logits:item=1", "logit", "probability"]
    texts += ["logits:label=0", "logits:label=1", "probability:label=1", "labels:2"]
    digests = {text: TorchClassifier(net, output=text).digest for text in texts}
    assert digests["logits"] == digests["labels:2"] == TorchClassifier(net).digest
    assert len(set(digests.values())) == len(texts) - 1
    for text, digest in digests.items():
        assert as_classifier(net, output=text).digest == digest
        assert as_classifier(net).read_as(text).digest == digest


# --- label by label ------------------------------------------------------------------


@pytest.mark.parametrize("squashed", [False, True])
def test_each_label_of_several_is_a_classifier_of_two_classes(squashed):
    # For a statement about both labels of an input each gets half of alpha.
    net = nn.Sequential(Labels(), nn.Sigmoid()) if squashed else Labels()
    kind = "probabilities" if squashed else "logits"
    whole = TorchClassifier(net, output=kind, class_names=["cat", "dog"])
    for k in range(2):
        label = as_classifier(whole, output=f"label={k}")
        one = "probability" if squashed else "logit"
        assert label.name == f"{whole.name}:{one}:label={k}"
        assert label.classes == 2
        assert label.class_names == ()  # "cat or not" is none of them
        votes = sampled(label, draws=400)
        alone = sampled(TorchClassifier(column(k), output="logit"), draws=400)
        np.testing.assert_array_equal(votes.counts, alone.counts)
        np.testing.assert_allclose(votes.score_sums, alone.score_sums, rtol=1e-6)
        half, full = (sc.certify(votes, alpha=a).radius for a in (0.025, 0.05))
        assert (half <= full).all()
        assert half.max() > 0


def test_several_labels_are_refused_with_the_way_to_certify_them():
    net = nn.Sequential(Labels(), nn.Sigmoid())
    cure = r"certify them one by one, .* output=\"probability:label=0\" is the first"
    for output in ("logits", "probabilities"):
        with pytest.raises(InputError, match=cure):
            sampled(TorchClassifier(net, output=output))
    answers = NumpyClassifier(
        lambda x: (x.reshape(len(x), -1) > 0.5).astype(int), output="labels:label=3"
    )
    assert sampled(answers).counts[0].tolist() != sampled(answers).counts[1].tolist()


def test_an_estimator_of_several_labels():
    rng = np.random.default_rng(0)
    points = rng.random((40, 4))
    labels = (points[:, :2] > 0.5).astype(int)
    model = MLPClassifier(hidden_layer_sizes=(2,), max_iter=1000, tol=1.0)
    model.fit(points, labels)
    with pytest.raises(InputError, match="one by one"):
        sampled(model)
    votes = sampled(as_classifier(model, output="label=1"))
    assert votes.counts.shape == (2, 2)
    assert not as_classifier(model, output="label=1").has_changed()
    forest = DecisionTreeClassifier().fit(points, labels)
    with pytest.raises(InputError, match=r"a list of classes_.* one by one"):
        as_classifier(forest)


# --- the command line ----------------------------------------------------------------

FILE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, x):
        z = self.layer(x.flatten(1))
        return {"z": z, "label": z.argmax(dim=1)}

def inputs(*, split):
    import numpy as np
    return np.full((2, 1, 2, 2), 0.5, np.float32), np.arange(2)
"""


def test_the_command_says_what_a_file_returns(simplicert, tmp_path):
    (tmp_path / "mine.py").write_text(FILE)

    def run(output, out):
        return simplicert(
            *("sample", f"{tmp_path}/mine.py:Net", f"{tmp_path}/mine.py:inputs"),
            *("--sigma", 0.5, "--draws", 40, "--seed", 1, "--batch", 20),
            *("--out", tmp_path / out, "--output", output),
        )

    code, _, err = run("labels:3:name=label", "labels")
    assert code == 0, err
    votes = sc.read_run(tmp_path / "labels")
    assert votes.score_sums is None
    code, _, err = run("name=z", "z")
    assert code == 0, err
    counts = sc.read_run(tmp_path / "z").counts
    np.testing.assert_array_equal(votes.counts, counts)
    code, _, err = run("label=1:name=z", "z")
    assert code == 2
    assert "holds another run" in err
    code, _, err = run("labels:name=label", "x")
    assert code == 2
    assert "say classes=…, or labels:NUMBER" in err.splitlines()[-1]


def test_no_name_is_another_and_a_label():
    asked = Reading(kind="logits", name="a", label=1)
    named = Reading(kind="logit", name="a:label=1")
    assert asked.kind == named.kind
    assert asked.facts == "logit:name=a:label=1" != named.facts
