import html
import json
import re

import numpy as np
import pytest
from looked import stopped_run
from pages import XSS, data_in, grey_pictures, report_run
from voted import by_hand, random_votes

from simplicert.analysis import false_certificates, table1
from simplicert.errors import InputError
from simplicert.report import ReportRun, load_runs, render_report, write_report
from simplicert.report.portraits import Pictures
from simplicert.rounding import round_down


def words(page):
    """The text of the page without scripts and styles."""
    text = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_everything_that_the_numbers_rest_on_is_said():
    run = report_run(name="mine")
    text = words(render_report([run]))
    for said in (
        "40 images of random, classified by a network",
        "sigma = 0.25",
        "2,000 noisy draws an image",
        "alpha = 0.001",
        "multinomial and softmax",
        run.digest,
        "not the classifier",
        "Per image, not for the table",
        f"at most {false_certificates(40, alpha=0.001, failure=0.001)} of a run's",
        "simplicert certify runs/mine --alpha 0.001",
    ):
        assert said in text


def test_table1_is_the_analysis_rounded_down():
    run = report_run()
    text = words(render_report([run]))
    for certificates in run.certificates:
        for row in table1(certificates).itertuples():
            median = float(round_down(row.median_radius, 4))
            average = float(round_down(row.average_certified_radius, 4))
            top1 = 100 * float(round_down(row.top1, 3))
            cells = f"{row.mechanism} {top1:.1f} % {median:.4f} {average:.4f}"
            assert cells in text


def test_an_alpha_keeps_every_digit():
    alpha = 0.0001234567
    text = words(render_report([report_run(alpha=alpha)]))
    assert text.count(f"alpha = {alpha}") == 5  # the promise, two titles twice
    assert f"alpha an image {alpha}" in text
    assert not re.search(r"0\.00012345(?!67)|0\.000123457", text)


def test_hostile_text_is_shown_and_not_run():
    names = [XSS, "</script><script>alert(2)</script>", "<!-- \u2028 -->"]
    certificates = by_hand({"cohen": [0.1, 0.2]}, labels=[0, 1])
    run = ReportRun(
        name=XSS,
        certificates=[certificates],
        digest=XSS,
        facts={XSS: XSS},
        class_names=names,
    )
    page = render_report([run], title=XSS)
    assert XSS not in page
    assert "alert(2)</script>" not in page
    assert words(page).count(XSS) >= 5  # title twice, name, digest, fact
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1]
    assert not {"<", ">", "&", "\u2028"} & set(data)
    assert data_in(page)["runs"][0]["classNames"] == names


def test_the_page_fetches_nothing_and_its_policy_forbids_it():
    page = render_report([report_run(portraits=[Pictures(grey_pictures)])])
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(?!data:)\w", without_scripts)
    policy = html.unescape(page.split("Content-Security-Policy")[1].split(">")[0])
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]


def test_without_labels_there_is_no_accuracy_and_no_pretence():
    page = render_report([report_run(random_votes(30, labels=False))])
    assert "none, so no accuracy" in words(page)
    assert data_in(page)["runs"][0]["views"][0]["label"] is None
    assert "cohen – " in words(page)  # its top-1


def test_reported_radii_are_not_presented_as_derived():
    certificates = by_hand(
        {"reported": [0.5, 0.0]}, labels=[0, 1], top=[0, -1], mechanism="reported"
    )
    log = ReportRun(name="theirs", certificates=[certificates], digest="")
    text = words(render_report([report_run(), log]))
    assert "Reported, not derived." in text
    assert "reported (theirs) is what a log printed" in text
    assert "reported – " in text  # top-1: that of the abstention is not known
    assert "Reported, not derived." not in words(render_report([report_run()]))


def test_all_abstain():
    votes = random_votes(5)
    even = votes.counts * 0 + votes.draws[:, None] // votes.classes
    page = render_report([report_run(type(votes)(**vars(votes) | {"counts": even}))])
    assert "5 (multinomial)" in words(page)


@pytest.mark.parametrize("shape", [(1, 2), (1, 1000), (3, 2)])
def test_one_image_and_few_or_many_classes(shape):
    images, classes = shape
    page = render_report([report_run(random_votes(images, classes=classes))])
    assert data_in(page)["runs"][0]["images"] == images


def test_a_thousand_images_with_pictures_stay_under_15_mb():
    random = np.random.default_rng(0)

    def noise(indices):  # which compresses worst
        return random.random((len(indices), 3, 32, 32))

    page = render_report([report_run(random_votes(1000), portraits=[Pictures(noise)])])
    assert len(page.encode()) < 15e6


def test_many_images_are_sampled_for_the_list_only():
    run = report_run(random_votes(100_000, classes=3, draws=200))
    page = render_report([run])
    assert len(page.encode()) < 15e6
    [listed] = data_in(page)["runs"]
    assert listed["images"] == 100_000
    assert 2000 <= len(listed["views"][0]["image"]) < 2100
    assert "100,000 images" in words(page)


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        ([], {}, "no runs"),
        (None, {"most_images": 0}, "at least 1"),
    ],
)
def test_nothing_to_show_is_refused(runs, options, message):
    with pytest.raises(InputError, match=message):
        render_report([report_run()] if runs is None else runs, **options)


def test_runs_that_do_not_fit_together_are_refused():
    few, many = report_run(random_votes(3)), report_run(random_votes(4))
    with pytest.raises(InputError, match="different images"):
        report_run(certificates=[few.certificates[0], many.certificates[0]])
    with pytest.raises(InputError, match="2 class names for 6 classes"):
        report_run(class_names=["a", "b"])
    with pytest.raises(InputError, match="no images"):
        report_run(certificates=[])


def test_writing_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report("one", path).read_text() == "one"
    write_report("two", path)
    assert path.read_text() == "two"
    with pytest.raises(UnicodeEncodeError):
        write_report("\ud800", path)  # fails half-way
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_directory_is_no_page(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        write_report("", tmp_path)


def test_where_the_draws_went_is_said_of_runs_that_stop_images(tmp_path):
    store = stopped_run(tmp_path / "mine")
    page = render_report(load_runs([store.path]))
    text = words(page)
    spent = int(store.read().draws.sum())
    for said in (
        "Where the draws went mine An image stops when each radius of 0.25 is",
        "40 of 40 images are decided. ",
        f"The images took {spent:,} draws, {spent / 40:,.1f} each",
        "1,000 for each, the last look, would have been 40,000: ",
    ):
        assert said in text
    images = np.unique(store.read().draws, return_counts=True)
    for draws, count in zip(*images, strict=True):
        row = f"{draws:,} {'0.6' if draws == 1000 else '0.0444'} {count} "
        assert f" {row}{draws * count:,}" in text
    widths = [float(each) for each in re.findall(r'"width: ([\d.]+)%"', page)]
    assert sum(widths) == pytest.approx(200, abs=0.5)  # two columns
    [view] = data_in(page)["runs"][0]["views"]
    assert view["decisions"]["until 0.25"][0] == "certified"


def test_of_fixed_runs_there_is_no_such_section():
    page = render_report([report_run()])
    assert "Where the draws went" not in page
    view, _ = data_in(page)["runs"][0]["views"]
    assert view["looks"] == view["decisions"] == {}


def test_notes_and_rules_of_a_manifest_are_shown_as_they_are(tmp_path):
    store = stopped_run(tmp_path / "mine")
    file = store.path / "manifest.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps(fields | {"rule": {"name": XSS, "alpha": XSS}}))
    page = render_report(load_runs([store.path]))
    assert XSS not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "The table does not say what was decided: this version knows" in words(page)
