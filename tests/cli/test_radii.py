"""``--radii``, average radii and what one has, as they are typed."""

import json

import numpy as np
import pandas as pd
import pytest
from voted import random_votes

from simplicert.analysis import accuracy_at, average_certified_radius
from simplicert.analysis.published import AS_PRINTED
from simplicert.bounds import clopper_pearson_lower
from simplicert.interop import certify_path
from simplicert.mechanisms import cohen

LOG = """idx\tlabel\tpredict\tradius\tcorrect\ttime
0\t0\t0\t0.739\t1\t0:00:01
1\t1\t1\t0.25\t1\t0:00:01
2\t1\t0\t0.5\t0\t0:00:01
3\t1\t-1\t0.0\t0\t0:00:01
"""
CONDITIONS = ("--sigma", 0.5, "--draws", 100_000, "--alpha", 0.001)


@pytest.fixture
def run(tmp_path):
    return random_votes().save(tmp_path / "run")


@pytest.fixture
def log(simplicert, tmp_path):
    (tmp_path / "log.tsv").write_text(LOG)
    assert simplicert("import", tmp_path / "log.tsv", *CONDITIONS, "-o", tmp_path / "l")
    return tmp_path / "l"


def header(out, first="mechanism"):
    return [line.split() for line in out.splitlines() if line.startswith(first)]


def test_certify_prints_the_average_radius_and_papers_radii(simplicert, run):
    code, out, _ = simplicert("certify", run)
    assert code == 0
    assert "certified accuracy at l2 radius:\n" in out
    *_, columns = header(out)
    assert columns[:4] == ["mechanism", "average_certified_radius", "0", "0.25"]
    found = json.loads(simplicert("certify", run, "--json")[1])
    expected = average_certified_radius(certify_path(run))
    for rows in (found["summary"], found["accuracy"]):
        acr = [row["average_certified_radius"] for row in rows]
        assert acr == expected["average_certified_radius"].tolist()


@pytest.mark.parametrize("command", ["certify", "compare"])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0.25,0.5,0.75,1", [0.25, 0.5, 0.75, 1]),
        ("1, .5", [0.5, 1]),
        ("0.1,0.1,1e-1", [0.1]),
        ("0", [0]),
        ("0.123456789", [0.123456789]),
    ],
)
def test_radii_are_those_that_are_asked_for(simplicert, run, command, typed, meant):
    code, out, _ = simplicert(command, run, "--radii", typed)
    assert code == 0
    columns = [float(name) for name in header(out)[command == "certify"][2:]]
    assert columns == meant
    rows = json.loads(simplicert(command, run, "--radii", typed, "--json")[1])
    expected = accuracy_at(certify_path(run), meant)
    pd.testing.assert_frame_equal(pd.DataFrame(rows["accuracy"]), expected)


@pytest.mark.parametrize("command", ["certify", "compare", "report"])
@pytest.mark.parametrize(
    "typed",
    [
        "0.25,,0.5",
        "x",
        "",
        "-1",
        "0.5,-0.1",
        "nan",
        "inf",
        "1e400",
        "0.5;1",
        "1_0",
        "١",
    ],
)
def test_lists_that_are_none_are_refused_in_words(simplicert, command, typed):
    code, out, err = simplicert(command, "no run", f"--radii={typed}")
    assert (code, out) == (2, "")
    assert f"{typed!r} is not a list of distances with commas between" in err
    assert len(err.splitlines()) == 1


def test_without_labels_it_is_the_share_certified(simplicert, tmp_path):
    run = random_votes(labels=False).save(tmp_path / "run")
    _, out, _ = simplicert("certify", run)
    assert "share certified at l2 radius:" in out
    assert header(out)[1][1] == "average_radius"


@pytest.mark.parametrize("command", ["certify", "compare"])
def test_a_log_is_shown_as_printed_beside_what_is_certain(simplicert, log, command):
    code, out, _ = simplicert(command, log, "--radii", "0.25,0.5")
    assert code == 0
    assert "0.250  0.500  0.250" not in out
    [printed] = [line for line in out.splitlines() if line.startswith(AS_PRINTED)]
    assert printed.split()[3:] == ["0.247", "0.500", "0.250"]
    [reported] = [
        line
        for line in out.splitlines()
        if line.startswith("reported") and len(line.split()) == 4 and "–" not in line
    ]
    assert reported.split()[2:] == ["0.250", "0.250"]  # 0.25 is at least 0.249 only
    assert "they are not guaranteed" in out
    found = json.loads(simplicert(command, log, "--json")[1])
    assert found["accuracy"][-1]["mechanism"] == AS_PRINTED


def test_what_a_log_printed_is_in_no_way_certified(simplicert, log):
    code, _, err = simplicert("certify", log, "--mechanism", "printed")
    assert code == 2
    assert "printed cannot be had of it" in err
    assert certify_path(log).mechanism != "printed"


def test_compare_shows_what_one_has(simplicert, log, tmp_path):
    table = tmp_path / "counts.txt"
    np.savetxt(table, random_votes(labels=False).counts, fmt="%d")
    uniform = tmp_path / "uniform"
    options = ("--sigma", 0.25, "--noise", "uniform", "-o", uniform)
    assert simplicert("import", table, *options)[0] == 0
    for path in (uniform, log):
        code, out, _ = simplicert("compare", path, "-o", tmp_path / "all.csv")
        assert code == 0
        assert "radius" in header(out)[0][1]
        assert "alpha" in pd.read_csv(tmp_path / "all.csv")
    code, _, err = simplicert("compare", uniform, "--baseline", "cohen")
    assert (code, "cohen does not apply" in err) == (2, True)


def test_two_runs_stand_under_each_other(simplicert, run, tmp_path):
    other = random_votes(sigma=0.12).save(tmp_path / "other")
    code, out, _ = simplicert("compare", run, other)
    assert code == 0
    [columns] = header(out, "run  ")
    assert columns[3:8] == ["0", "0.1", "0.2", "0.25", "0.5"]
    shares = [line.split()[3] for line in out.splitlines() if line.startswith(("/",))]
    assert len(shares) == 4  # two headings, two rows


def test_the_page_and_the_tables_have_them(simplicert, log, run, tmp_path):
    page, tables = tmp_path / "page.html", tmp_path / "tables"
    code, *_ = simplicert(
        *("report", run, log, "-o", page, "--tables", tables),
        *("--radii", "0.5,0.125"),
    )
    assert code == 0
    text = page.read_text()
    assert "≥ 0.125" in text
    assert "≥ 0.5" in text
    assert AS_PRINTED in text
    assert "not guaranteed" in text
    accuracy = pd.read_parquet(tables / "accuracy.parquet")
    assert {"0.125", "0.5", "average_certified_radius"} <= set(accuracy)
    guarantee = pd.read_parquet(tables / "guarantee.parquet")
    assert set(guarantee["radius"]) == {0.125, 0.5}
    assert not guarantee["mechanism"].str.contains("printed").any()


def test_at_another_alpha_nothing_was_printed(simplicert, tmp_path):
    lower = clopper_pearson_lower(np.array([90, 99]), trials=100, alpha=0.001)
    radii = cohen(lower, 1.0 - lower, sigma=0.5)
    rows = [f"{i}\t0\t0\t{radius:.9f}\t1" for i, radius in enumerate(radii)]
    file = tmp_path / "log.tsv"
    file.write_text("\n".join(["idx\tlabel\tpredict\tradius\tcorrect", *rows, ""]))
    options = ("--sigma", 0.5, "--draws", 100, "--alpha", 0.001)
    assert simplicert("import", file, *options, "-o", tmp_path / "l")[0] == 0
    assert AS_PRINTED in simplicert("certify", tmp_path / "l")[1]
    code, out, _ = simplicert("certify", tmp_path / "l", "--alpha", 0.01)
    assert code == 0
    assert "printed" not in out
