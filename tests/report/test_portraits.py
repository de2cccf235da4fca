"""What the page shows of an input: one kind for each kind of input."""

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from pages import data_in, report_run, run_of

from simplicert.data import load_dataset
from simplicert.data.given import as_dataset
from simplicert.data.units import measured_in
from simplicert.errors import InputError
from simplicert.report import load_runs, render_report
from simplicert.report.page import SCRIPTS, asset
from simplicert.report.portraits import Pictures, features, portraits_of
from simplicert.units import PLAIN, Unit

ROWS = np.array([[3.0, 50.0, -2.0], [1.0, 90.0, -2.0], [2.0, 10.0, -2.0]])
NAMES = ("length", "weight", "angle")
UNIT = Unit(name="deviations", scale=(1.0, 20.0, 2.0), offset=(2.0, 50.0, -2.0))


def table(unit=None, **changes):
    dataset = replace(as_dataset(ROWS, None), features=NAMES, **changes)
    return dataset if unit is None else measured_in(dataset, unit)


def read(page):
    """What a reader sees without the script."""
    body = page.split("<main>")[1].split("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def kinds(dataset):
    return [each.show(np.arange(1))["kind"] for each in portraits_of(dataset)]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((3,), "features"),
        ((1, 3, 3), "picture"),
        ((2, 50), "waveform"),
        ((300, 50), "statistics"),
        ((2, 3, 4, 5), "statistics"),
    ],
)
def test_each_shape_has_its_own(shape, kind):
    dataset = as_dataset(np.full((2, *shape), 0.5, np.float32), None)
    assert kinds(dataset) == [kind]
    json.dumps([each.show(np.arange(2)) for each in portraits_of(dataset)])


def test_texts_stand_for_embeddings_and_beside_the_rest():
    texts = ["one", "two", "three"].__getitem__
    assert kinds(replace(as_dataset(ROWS, None), texts=texts)) == ["words"]
    assert kinds(table(texts=texts)) == ["words", "features"]
    sound = as_dataset(np.zeros((3, 1, 9), np.float32), None)
    assert kinds(replace(sound, texts=texts)) == ["words", "waveform"]
    [words] = portraits_of(replace(as_dataset(ROWS, None), texts=texts))
    assert words.show(np.array([2, 0]))["rows"] == ["three", "one"]
    long = replace(as_dataset(ROWS, None), texts=lambda _: "x" * 5000)
    [words] = portraits_of(long)
    assert len(words.show(np.array([0]))["rows"][0]) == 1002


def test_texts_of_too_few_are_refused_in_a_line():
    [words] = portraits_of(replace(as_dataset(ROWS, None), texts=["one"].__getitem__))
    with pytest.raises(InputError, match=r"the texts of array raised IndexError: .*"):
        words.show(np.arange(3))


def test_features_are_the_same_however_many_are_read_at_once(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(9, 20))
    [portrait] = portraits_of(as_dataset(rows, None))
    whole = portrait.show(np.arange(9))
    monkeypatch.setattr(features, "AT_ONCE", 2)
    assert portrait.show(np.arange(9)) == whole
    assert [len(row) for row in whole["rows"]] == [8] * 9
    far = np.abs(rows - rows.mean(axis=0)) / rows.std(axis=0)
    assert [row[0][0] for row in whole["rows"]] == far.argmax(axis=1).tolist()


def test_every_kind_is_drawn_by_the_script():
    assert "portraits" in SCRIPTS
    for kind in ("features", "picture", "waveform", "statistics", "words"):
        assert f"\n  {kind}: {{" in asset("portraits.js")


def test_features_are_told_in_the_unit_and_in_their_own_values_most_unusual_first():
    [portrait] = portraits_of(table(UNIT))
    shown = portrait.show(np.array([1, 0]))
    assert shown["names"] == list(NAMES)
    assert shown["scale"] == [1.0, 20.0, 2.0]
    assert shown["rows"][0] == [[1, 2.0, 90.0], [0, -1.0, 1.0], [2, 0.0, -2.0]]
    assert shown["rows"][1][0] == [0, 1.0, 3.0]


def test_without_an_offset_unusual_is_what_is_far_from_the_others():
    [portrait] = portraits_of(table())
    shown = portrait.show(np.arange(3))
    assert shown["unit"] is None
    assert [row[0][0] for row in shown["rows"]] == [0, 0, 1]
    assert {row[-1][0] for row in shown["rows"]} <= {1, 2}  # the angle never changes


def test_a_waveform_keeps_what_is_least_and_most_in_each_step():
    sound = np.zeros((1, 2, 10_000), np.float32)
    sound[0, 0, 4321], sound[0, 1, 17] = 1.0, -1.0
    unit = Unit(name="full scale", low=-1.0, high=1.0)
    dataset = replace(as_dataset(sound, None), unit=unit)
    [waveform] = portraits_of(dataset)
    [[left, right]] = waveform.show(np.array([0]))["rows"]
    assert len(left) == len(right) == 300
    assert (min(left), max(left)) == (0, 50)  # from the top: 1, and 0 in the middle
    assert (min(right), max(right)) == (50, 100)
    silent = replace(as_dataset(np.zeros((1, 1, 5), np.float32), None))
    [waveform] = portraits_of(silent)
    assert waveform.show(np.array([0]))["rows"] == [[[0] * 5]]


def test_pictures_of_another_unit_show_the_same():
    digits = load_dataset("digits")
    levels = measured_in(digits, Unit(name="levels", low=0, high=255, scale=1 / 255))
    [ours], [theirs] = portraits_of(digits), portraits_of(levels)
    indices = digits.indices[:4]
    assert ours.show(indices) == theirs.show(indices)
    plain = measured_in(digits, PLAIN)
    [ranged] = portraits_of(replace(plain, reader=lambda rows: 7 - digits.reader(rows)))
    inverse = Pictures(lambda rows: 1 - digits.reader(rows))
    assert ranged.show(indices) == inverse.show(indices)


def test_what_is_sampled_in_a_unit_is_shown_in_it(tmp_path):
    run, dataset = run_of(tmp_path, table(), unit=UNIT)
    [loaded] = load_runs([run], alpha=0.1, dataset=dataset)
    [portrait] = loaded.portraits
    assert portrait.show(np.array([1]))["rows"][0][0] == [1, 2.0, 90.0]


def test_the_page_says_the_unit_wherever_a_length_stands(tmp_path):
    run, dataset = run_of(tmp_path, table(), unit=UNIT)
    page = render_report(load_runs([run], alpha=0.1, dataset=dataset))
    data = data_in(page)
    assert "image" not in read(page).lower()
    for said in (
        "sigma = 0.25 in deviations",
        "l2 distance, in deviations",
        "each divided by its feature's scale",
        "fill an ellipsoid",
        "l2 radii in deviations",
    ):
        assert said in read(page)
    [view, *_] = data["runs"][0]["views"]
    assert view["radius_name"] == "l2 radius in deviations"
    assert view["unit"]["scale"] == [1.0, 20.0, 2.0]


def test_a_table_says_what_the_median_radius_is_in_each_feature(tmp_path):
    run, _ = run_of(tmp_path, table(), unit=UNIT)
    [loaded] = load_runs([run], alpha=0.1)  # the data are not needed
    page = render_report([loaded])
    part = page.split('aria-label="What a radius is')[1].split("</table>")[0]
    median = float(np.median(loaded.certificates[0].radius))
    assert median > 0
    for name, scale in zip(NAMES, UNIT.scale, strict=True):
        row = part.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
        cells = [float(cell.split("<")[0]) for cell in row.split('"number">')[1:]]
        assert cells[0] == scale
        assert 0.999 * median * scale < cells[1] <= median * scale


def test_of_runs_in_several_units_the_page_says_which_is_whose(tmp_path):
    paths = [
        run_of(tmp_path, table(), unit=unit, name=name)[0]
        for name, unit in {"a": UNIT, "b": None, "c": UNIT}.items()
    ]
    page = read(render_report(load_runs(paths, alpha=0.1)))
    assert "In which unit. a, c: Sigma and radii are in deviations" in page
    assert "In which unit. b: Sigma and radii are in the inputs' own numbers" in page


def test_a_channel_is_not_said_to_move_as_a_whole(tmp_path):
    sounds = as_dataset(np.zeros((3, 2, 8), np.float32), None)
    unit = Unit(name="volts", scale=(1.0, 2.0))
    run, _ = run_of(tmp_path, sounds, unit=unit)
    page = render_report(load_runs([run], alpha=0.1))
    assert "By less than this one value of a channel may move" in read(page)
    assert "each channel's own" in read(page)


def test_pixels_go_without_saying():
    page = read(render_report([report_run()]))
    assert "In which unit" not in page
    assert "What a radius is in each" not in page
