"""Certificates of two classifiers, laid side by side and never mixed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from voted import by_hand

from simplicert.analysis import beside
from simplicert.errors import InputError
from simplicert.interop import Verified
from simplicert.noises import gaussian
from simplicert.units import PIXELS, PLAIN, Unit
from simplicert.votes import DataSource

NONE = np.full(4, np.nan)


def proved(radius=(0.3, 0.0, 0.2, 0.1), *, indices=(0, 1, 2, 3), **changes):
    fields = {
        "path": Path("crown.csv"),
        "network": "small",
        "norm": "l2",
        "unit": "",
        "indices": np.array(indices),
        "radius": np.array(radius),
        "falsified": np.full(len(radius), np.nan),
    }
    return Verified(**fields | changes)


@pytest.fixture
def ours():
    """Of four images; the third is certified as a wrong class."""
    made = by_hand(
        {"cohen": [0.5, 0.4, 0.3, 0.0]},
        labels=np.array([0, 0, 1, 0]),
        top=np.array([0, 0, 0, 0]),
    )
    return replace(made, indices=np.arange(4), noise=gaussian, data=source())


def source(unit=None, shape=(1, 2, 2)):
    return DataSource(name="d", digest="0" * 64, shape=list(shape), unit=unit)


def test_each_radius_keeps_its_own_column_and_says_what_it_is_about(ours):
    both = beside(ours, proved(predicted=np.array([0, 0, 0, 1])))
    table = both.table()
    assert table["smoothed_radius"].tolist() == [0.5, 0.4, 0.3, 0.0]
    assert table["base_radius"].tolist() == [0.3, 0.0, 0.2, 0.1]
    assert set(table["about_smoothed"]) == {both.about["smoothed"]}
    assert "smoothed classifier g" in both.about["smoothed"]
    assert "probability at least 1 - " in both.about["smoothed"]
    assert "base classifier f, small" in both.about["base"]
    assert "no alpha" in both.about["base"]
    radii = [name for name in table if "radius" in name]
    assert radii == ["smoothed_radius", "base_radius"]


def test_what_counts_is_right_on_both_sides(ours):
    both = beside(ours, proved(predicted=np.array([0, 0, 0, 1])))
    assert both.quantity == "certified accuracy"
    assert both.summary()["images"].tolist() == [1, 1, 0, 2]
    accuracy = both.accuracy([0, 0.3, 0.4]).set_index("classifier")
    assert accuracy.loc["smoothed"].tolist() == [0.225, 0.5, 0.5, 0.5]
    assert accuracy.loc["base"].tolist() == [0.075, 0.25, 0.25, 0.0]


def test_a_class_that_is_not_known_makes_no_accuracy(ours):
    both = beside(ours, proved())
    assert both.quantity == "share certified"
    assert both.summary()["images"].tolist() == [2, 1, 1, 0]
    assert "may be a wrong one" in " ".join(both.notes)
    assert "base_class" not in both.table()


def test_correct_alone_names_the_class_where_it_is_right(ours):
    both = beside(ours, proved(right=np.array([True, True, False, True])))
    assert both.quantity == "certified accuracy"
    assert both.base_class.tolist() == [0, 0, -1, 0]
    assert both.summary()["images"].tolist() == [1, 1, 1, 1]


def test_two_classes_are_no_contradiction_and_are_said(ours):
    both = beside(ours, proved(predicted=np.array([1, 0, 1, 1])))
    assert "2 images are certified by both, as another class" in " ".join(both.notes)


def test_rows_go_by_the_numbers_of_the_images(ours):
    both = beside(ours[[2, 0, 3]], proved([0.7, 0.2], indices=[0, 3]))
    assert both.certificates.indices.tolist() == [0, 3]
    assert both.table()["smoothed_radius"].tolist() == [0.5, 0.0]
    assert both.table()["base_radius"].tolist() == [0.7, 0.2]
    assert "1 of the run's 3 images are not in crown.csv" in " ".join(both.notes)


def test_a_ball_of_linf_holds_the_ball_of_l2(ours):
    both = beside(ours, proved(norm="linf", falsified=NONE + 0))
    assert both.verified.radius.tolist() == [0.3, 0.0, 0.2, 0.1]
    assert both.verified.norm == "l2"
    assert "what was verified are linf balls" in " ".join(both.notes)
    known = proved(norm="linf", falsified=np.full(4, 0.5))
    both = beside(ours, known)  # what is outside the l2 ball says nothing
    assert "base_radius_upper" not in both.table()
    assert "is left out" in " ".join(both.notes)


def test_a_ball_of_l1_does_not(ours):
    with pytest.raises(InputError, match="l1 balls, and the run's are of l2 balls"):
        beside(ours, proved(norm="l1"))


def test_levels_become_pixels_and_are_rounded_down(ours):
    run = replace(ours, data=source(PIXELS))
    both = beside(run, proved([51.0, 0.0, 1.0, 2.0], unit="levels"))
    assert (both.verified.radius <= np.array([51.0, 0.0, 1.0, 2.0]) / 255).all()
    assert both.verified.radius == pytest.approx([0.2, 0, 1 / 255, 2 / 255])
    levels = Unit(name="levels", low=0.0, high=255.0, scale=(1 / 255,))
    both = beside(replace(ours, data=source(levels)), proved(unit="pixels"))
    assert both.verified.radius == pytest.approx([76.5, 0, 51, 25.5])


@pytest.mark.parametrize(
    ("unit", "said"), [(PIXELS, "volts"), (Unit(name="volts"), ""), (None, "volts")]
)
def test_other_units_are_no_distances_of_one_kind(ours, unit, said):
    run = replace(ours, data=None if unit is None else source(unit))
    with pytest.raises(InputError, match="the run's radii are"):
        beside(run, proved(unit=said))


def test_of_inputs_in_their_own_numbers_nothing_need_be_said(ours):
    both = beside(replace(ours, data=source(PLAIN)), proved())
    assert both.verified.radius.tolist() == [0.3, 0.0, 0.2, 0.1]
    assert "own numbers" in both.about["base"]


def test_a_radius_beyond_all_pixels_is_asked_about(ours):
    run = replace(ours, data=source(PIXELS))
    notes = " ".join(beside(run, proved([2.1, 2.0, 0.1, 0.2])).notes)
    assert "1 verified radii are larger than 2," in notes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"indices": np.array([0, 1, 2, 9])}, "image 9 is not in the run"),
        ({"labels": np.array([0, 0, 1, 1])}, r"image 3: 1, in the run 0"),
        ({"predicted": np.array([0, 0, 1, 77])}, "image 3 has the class 77"),
    ],
)
def test_what_is_about_other_images_is_refused(ours, changes, says):
    with pytest.raises(InputError, match=says):
        beside(ours, proved(**changes))
