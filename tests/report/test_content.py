import json
from dataclasses import replace

import numpy as np
import pytest
from leads import given
from pages import grey_pictures, report_run, with_scores
from voted import by_hand, random_votes

from simplicert.analysis import certified_accuracy
from simplicert.certificates.certify import certify
from simplicert.report import ReportRun
from simplicert.report.content import page_data, shown_rows
from simplicert.report.portraits import Pictures


def data_of(*runs, most_images=2000):
    return page_data(runs, most_images=most_images)


def test_columns_are_the_certificates_to_the_last_digit():
    run = report_run()
    views = json.loads(json.dumps(data_of(run)))["runs"][0]["views"]
    for view, certificates in zip(views, run.certificates, strict=True):
        table = certificates.table()
        for name in ("image", "label", "top", "e0", "e0_lower", "e1_upper", "largest"):
            assert view[name] == table[name].tolist()
        for name, radius in certificates.radii.items():
            assert view["radii"][name] == radius.tolist()


def test_curves_are_those_of_the_analysis_and_of_all_images():
    run = report_run(random_votes(300))
    view = data_of(run, most_images=20)["runs"][0]["views"][0]
    radii = np.array(view["curves"]["radius"])
    table = certified_accuracy(run.certificates[0], radii)
    for name, curve in view["curves"]["shares"].items():
        expected = table[table["mechanism"] == name]["share"]
        np.testing.assert_allclose(curve["share"], expected, atol=1e-6)


def test_sampled_rows_are_spread_evenly_and_keep_the_extremes():
    certificates = certify(random_votes(5000, seed=3))
    rows = shown_rows(certificates, 100)
    assert 100 <= len(rows) <= 100 + 3 * len(certificates.radii)
    assert np.diff(rows).max() <= 51  # an even choice has gaps of 50.5
    radius, right = certificates.radius, certificates.correct
    assert right is not None
    least = np.flatnonzero(right)[radius[right].argmin()]
    wrong = np.flatnonzero((radius > 0) & ~right)
    assert {least, wrong[radius[wrong].argmax()]} <= set(rows.tolist())


def test_few_rows_are_all_listed():
    assert shown_rows(certify(random_votes(7)), 7).tolist() == list(range(7))


def test_unknown_estimates_become_null():
    certificates = by_hand({"cohen": [0.3]}, e0=np.array([np.nan]))
    data = data_of(ReportRun(name="log", certificates=[certificates], digest=""))
    assert json.dumps(data, allow_nan=False)
    assert data["runs"][0]["views"][0]["e0"] == [None]


def test_images_that_are_too_close_are_marked():
    votes = random_votes(40, classes=2, draws=1000)
    counts = np.array(votes.counts)
    counts[[3, 17]] = 560, 440
    run = report_run(replace(votes, counts=counts))
    reasons = run.certificates[0].table()["abstention"]
    view = data_of(run)["runs"][0]["views"][0]
    assert {3, 17} <= set(view["too_close"])
    assert view["too_close"] == np.flatnonzero(reasons == "too close").tolist()
    log = by_hand({"cohen": [0.3]})
    alone = data_of(ReportRun(name="log", certificates=[log], digest=""))
    assert alone["runs"][0]["views"][0]["too_close"] == []


def test_confidences_are_those_of_the_certificates_within_the_pages_radii():
    made = certify(given(images=4), procedure="margins")
    run = ReportRun(name="margins", certificates=[made], digest="")
    data = page_data([run], most_images=2000, radii=np.array([0.0, 0.125]))
    [view] = data["runs"][0]["views"]
    assert view["confidence"] == [
        {"radius": each, "least": made.confidence(each).tolist()}
        for each in (0.0, 0.125)
    ]
    assert min(view["confidence"][1]["least"]) > 0
    others = page_data([report_run()], most_images=2000, radii=np.array([0.125]))
    assert [view["confidence"] for view in others["runs"][0]["views"]] == [[], []]


def test_regions_are_between_the_ensemble_members_of_the_view():
    regions = [view["regions"] for view in data_of(report_run())["runs"][0]["views"]]
    assert {n["name"] for n in regions[0]["names"]} == {"cohen", "li", "cullen"}
    assert len(regions[0]["curves"]) == 3
    # Among {lecuyer, cullen} one wins everywhere, so that there is no boundary.
    assert regions[1]["curves"] == []
    assert [n["name"] for n in regions[1]["names"]] == ["cullen"]


def test_runs_of_the_same_images_share_one_sheet_of_pictures():
    runs = [report_run(portraits=[Pictures(grey_pictures)], name=name) for name in "ab"]
    data = data_of(*runs)
    assert len(data["sprites"]) == 1
    assert [run["portraits"] for run in data["runs"]] == [[0], [0]]
    assert data["portraits"][0]["sheet"] == 0


@pytest.mark.parametrize(
    ("change", "same"), [({}, True), ({"images": 30}, False), ({"seed": 1}, False)]
)
def test_runs_without_a_data_digest_are_told_apart_by_images_and_labels(change, same):
    runs = [report_run(random_votes(**{"images": 40} | c)) for c in ({}, change)]
    one, other = (run["data"] for run in data_of(*runs)["runs"])
    assert (one == other) is same


def test_a_data_digest_decides_where_it_is_known():
    runs = [
        report_run(random_votes(images), facts={"data digest": "ab"})
        for images in (40, 30)
    ]
    assert [run["data"] for run in data_of(*runs)["runs"]] == ["ab", "ab"]


def test_a_thousand_classes_stay_light():
    votes = with_scores(random_votes(1000, classes=1000, draws=1000))
    content = json.dumps(data_of(report_run(votes)))
    assert len(content) < 1_500_000
