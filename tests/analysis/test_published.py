"""The table that papers print, against the long tables and the published formula."""

import numpy as np
import pandas as pd
import pytest
from voted import by_hand, random_votes

from simplicert.analysis import (
    accuracy_at,
    average_certified_radius,
    certified_accuracy,
    table1,
    usual_radii,
)
from simplicert.analysis.published import AS_PRINTED, usual_step
from simplicert.certificates.certify import certify
from simplicert.errors import InputError


@pytest.mark.parametrize("labels", [True, False])
def test_the_table_is_the_curve_and_the_average(labels):
    certificates = certify(random_votes(labels=labels))
    radii = np.array([0.0, 0.1, 0.25, 0.7])
    table = accuracy_at(certificates, radii)
    average = average_certified_radius(certificates)
    name = average.columns[1]
    assert list(table) == ["mechanism", name, "0", "0.1", "0.25", "0.7"]
    assert name == ("average_certified_radius" if labels else "average_radius")
    pd.testing.assert_frame_equal(table[["mechanism", name]], average)
    curve = certified_accuracy(certificates, radii)["share"].to_numpy()
    np.testing.assert_array_equal(table.iloc[:, 2:].to_numpy().ravel(), curve)
    np.testing.assert_array_equal(table1(certificates)[name], average[name])


def test_the_average_radius_is_the_area_under_the_curve():
    certificates = certify(random_votes())
    steps = np.linspace(0, 2, 20_001)
    curve = certified_accuracy(certificates, steps)["share"].to_numpy()
    area = curve.reshape(-1, len(steps))[:, 1:].sum(axis=1) * steps[1]
    found = accuracy_at(certificates)["average_certified_radius"]
    np.testing.assert_allclose(found, area, atol=steps[1])


@pytest.mark.parametrize(
    "sigma", [1e-9, 0.01, 0.05, 0.1, 0.12, 0.249, 0.25, 0.3, 0.5, 1, 1.3, 2, 5, 77]
)
def test_the_usual_radii_are_few_round_and_reach_far_enough(sigma):
    radii = usual_radii(by_hand({"cohen": [0.1 * sigma, 3.7 * sigma]}, sigma=sigma))
    assert radii[0] == 0
    assert (np.diff(radii) > 0).all()
    assert 4 <= len(radii) <= 41
    assert radii[-1] <= 3.7 * sigma < radii[-1] + 1.001 * usual_step(sigma)
    texts = [np.format_float_scientific(radius, trim="-") for radius in radii]
    assert max(len(text.split("e")[0]) for text in texts) <= 5
    if 0.25 <= sigma <= 1:
        np.testing.assert_array_equal(radii, np.arange(len(radii)) / 4)


def test_the_usual_radii_of_several_runs_are_those_of_each():
    few = by_hand({"cohen": [0.3]}, sigma=0.12)
    more = by_hand({"cohen": [0.6]}, sigma=0.25)
    assert usual_radii(few, more).tolist() == [0, 0.1, 0.2, 0.25, 0.3, 0.5]
    assert usual_radii(by_hand({"cohen": [0.0]})).tolist() == [0, 0.25]


def test_what_was_printed_is_counted_as_the_published_scripts_do():
    log = pd.DataFrame(
        {
            "label": [0, 1, 0, 2, 1],
            "predict": [0, 1, 1, -1, 1],
            "radius": [0.50, 0.25, 0.9, 0.0, 0.0],
        }
    )
    correct = log["label"] == log["predict"]
    certificates = by_hand(
        {"reported": np.maximum(log["radius"] - 0.01, 0)},
        mechanism="reported",
        labels=log["label"],
        top=log["predict"],
        printed=log["radius"].to_numpy(),
    )
    radii = [0.0, 0.25, 0.5, 0.75]
    table = accuracy_at(certificates, radii).set_index("mechanism")
    row = table.loc[AS_PRINTED]
    assert "not guaranteed" in AS_PRINTED
    # https://github.com/locuslab/smoothing, code/analyze.py
    assert row.tolist()[1:] == [(correct & (log["radius"] >= r)).mean() for r in radii]
    acr = (log["radius"] * correct).mean()
    assert row["average_certified_radius"] == pytest.approx(acr)
    assert (table.loc["reported"] <= row).all()
    assert accuracy_at(by_hand({"cohen": [0.5]}, labels=[0]))["mechanism"].tolist() == [
        "cohen"
    ]


def test_what_was_printed_is_never_certified():
    printed = np.array([0.5])
    with pytest.raises(InputError, match="no mechanism can be called 'printed'"):
        by_hand({"cohen": [0.4], "printed": [0.5]})
    with pytest.raises(InputError, match="'printed'"):
        by_hand({"cohen": [0.4]}, printed=printed, mechanism="printed")

    def own(e0_lower, e1_upper, *, sigma):
        return 0.0 * e0_lower * e1_upper * sigma

    own.__name__ = "printed"
    with pytest.raises(InputError, match="cannot be called 'printed'"):
        certify(random_votes(), mechanism=own)
    made = by_hand({"cohen": [0.4]}, labels=[0], printed=printed)
    assert made.radius == [0.4]
    assert made.table()["printed"].tolist() == [0.5]
    assert set(certified_accuracy(made, [0.0])["mechanism"]) == {"cohen"}


@pytest.mark.parametrize(
    ("radii", "message"),
    [
        ([0.5, -0.25], "must not be negative, NaN or infinite.*got -0.25"),
        ([np.nan], "must not be negative, NaN or infinite"),
        ([np.inf], "must not be negative, NaN or infinite"),
        ([], "must be a list of distances"),
        (np.array([[0.1]]), "must be a list of distances"),
        (np.array(["a"]), "radii must hold real numbers"),
    ],
)
def test_lists_that_are_no_distances_are_refused(radii, message):
    for make in (accuracy_at, certified_accuracy):
        with pytest.raises(InputError, match=message):
            make(certify(random_votes()), radii)


def test_of_no_images_there_is_no_average():
    for make in (accuracy_at, average_certified_radius):
        with pytest.raises(InputError, match="no images"):
            make(by_hand({"cohen": []}))
