"""A model's features and classes by name, whatever order a table has them in."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import simplicert as sc
from simplicert.classifiers import as_classifier
from simplicert.classifiers.features import in_order_of_features
from simplicert.errors import InputError
from simplicert.sampling import Sampler
from simplicert.units import Unit

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["a", "b", "c"])
NUMBERS = (FRAME["a"] + 2 * FRAME["c"] > 0).to_numpy(int) + (FRAME["b"] > 1)
KINDS = np.array(["cat", "dog", "owl"])[NUMBERS.to_numpy()]
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, KINDS)
HOW = {"sigma": 0.2, "draws": 200, "seed": 0}


def test_a_fitted_model_names_its_features_and_classes():
    classifier = as_classifier(MODEL)
    assert classifier.features == ("a", "b", "c")
    assert classifier.class_names == ("cat", "dog", "owl")
    bare = as_classifier(LogisticRegression().fit(FRAME.to_numpy(), KINDS == "cat"))
    assert (bare.features, bare.class_names) == ((), ())


def test_columns_in_another_order_are_given_in_the_models_own():
    plain = sc.sample(MODEL, FRAME[:9], **HOW)
    moved = sc.sample(MODEL, FRAME[:9][["c", "a", "b"]], **HOW)
    # Other noise falls on each feature: the votes agree but for chance.
    assert np.abs(plain.counts - moved.counts).max() < 40
    wrong = sc.sample(MODEL, FRAME[:9][["c", "a", "b"]].to_numpy(), **HOW)
    assert np.abs(plain.counts - wrong.counts).max() > 100
    sampler = Sampler(MODEL, FRAME[["c", "a", "b"]])
    told = " ".join(sampler.classifier.warnings(precision="fp32"))
    assert "in another order: it is given them in its own" in told
    assert sampler.classifier.digest != Sampler(MODEL, FRAME).classifier.digest
    assert not Sampler(MODEL, FRAME).classifier.warnings(precision="fp32")


def test_scales_follow_their_features():
    scales = {"a": 1.0, "b": 100.0, "c": 0.01}
    clean = MODEL.predict_proba(FRAME)
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        unit = Unit(name="own", scale=[scales[name] for name in order])
        sampler = Sampler(MODEL, FRAME[order], unit=unit)
        inputs = sampler.asked._clean(60)
        np.testing.assert_allclose(sampler.outputs(inputs).numpy(), clean, atol=1e-5)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (FRAME.drop(columns="b"), "was fitted on features that array lacks: 'b'$"),
        (FRAME.rename(columns={"b": "z"}), "lacks: 'b'. Instead it has 'z'"),
        (
            FRAME.assign(z=1.0),
            "array has features that Pipeline was not fitted on: 'z'. Choose .*"
            r"\(--feature-columns a,b,c\)",
        ),
    ],
)
def test_other_features_are_refused(frame, told):
    with pytest.raises(InputError, match=told):
        Sampler(MODEL, frame)


def test_features_without_names_are_taken_as_they_are():
    classifier = as_classifier(MODEL)
    assert in_order_of_features(classifier, (), source="x") is classifier
    assert in_order_of_features(classifier, "abc", source="x") is classifier


def test_a_table_of_some_classes_is_numbered_as_the_model_is():
    rows = np.flatnonzero(KINDS != "cat")[:6]
    sampler = Sampler(MODEL, FRAME.iloc[rows].assign(label=KINDS[rows]))
    dataset = sampler.dataset
    assert dataset.class_names == ("cat", "dog", "owl")
    assert [dataset.class_names[k] for k in dataset.labels] == KINDS[rows].tolist()
    again = sampler.on(FRAME.iloc[rows[:1]].assign(label=KINDS[rows[:1]]))
    assert again.dataset.labels.tolist() == dataset.labels[:1].tolist()
    with pytest.raises(InputError, match="3 classes but array has 1"):
        Sampler(MODEL, FRAME[:2].assign(label="emu"))
