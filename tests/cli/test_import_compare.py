"""``import`` and ``compare`` as they are typed."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from synthetic import EVERY_BLOCK, manifest, rows
from voted import random_votes

from simplicert.analysis import compare_runs, table2
from simplicert.cli.app import main
from simplicert.interop import certify_path
from simplicert.votes import RunDirectory


@pytest.fixture
def typed(capsys):
    """Run a command line; its exit code, stdout and stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return run


@pytest.fixture
def counts(tmp_path):
    """A 500 × 10 table of counts, as text without a header."""
    votes = random_votes(500, classes=10, draws=10_000)
    path = tmp_path / "counts.txt"
    np.savetxt(path, votes.counts, fmt="%d")
    return path


def test_counts_from_text_to_a_row_of_table_2_in_one_command_each(
    typed, counts, tmp_path
):
    run = tmp_path / "run"
    code, out, err = typed("import", counts, "--sigma", 0.25, "-o", run)
    assert (code, out) == (
        0,
        f"wrote {run}: votes of 500 images, 10,000 draws each, sigma 0.25\n",
    )
    assert "there are no labels" in err
    code, out, _ = typed("certify", run, "--alpha", 0.001)
    assert code == 0
    assert "500 images" in out
    code, out, _ = typed("compare", run, "--json")
    [row] = [r for r in json.loads(out)["table2"] if r["mechanism"] == "ensemble"]
    expected = table2(certify_path(run)).set_index("mechanism").loc["ensemble"]
    assert row["mean_gain_percent"] == pytest.approx(expected["mean_gain_percent"])
    assert row["images"] == expected["images"]


def test_two_runs_in_every_format(typed, counts, tmp_path):
    other = tmp_path / "other.txt"
    np.savetxt(other, np.loadtxt(counts, dtype=int)[:, ::-1], fmt="%d")
    runs = [tmp_path / "a", tmp_path / "b"]
    for file, run in zip([counts, other], runs, strict=True):
        assert typed("import", file, "--sigma", 0.25, "-o", run)[0] == 0
    out = tmp_path / "images.parquet"
    code, printed, _ = typed("compare", *runs, "--as", "csv", "-o", out)
    assert code == 0
    accuracy, summary, tests = printed.split("\n\n")
    accuracy = pd.read_csv(io.StringIO(accuracy))
    assert accuracy["run"].tolist() == [str(run) for run in runs]
    assert accuracy["0"][0] == (certify_path(runs[0]).radius > 0).mean()
    assert pd.read_csv(io.StringIO(summary))["images"].sum() == 500
    assert pd.read_csv(io.StringIO(tests)).shape == (1, 7)
    whole = compare_runs(*map(certify_path, runs))
    pd.testing.assert_frame_equal(pd.read_parquet(out), whole)
    code, printed, _ = typed("compare", *runs, "--json")
    found = json.loads(printed)
    assert set(found) == {"facts", "accuracy", "summary", "tests", "images"}
    assert [facts["norm"] for facts in found["facts"]] == ["l2", "l2"]
    assert len(found["images"]) == 500
    assert {row["noise_after"] for row in found["images"]} == {"gaussian-float32"}
    headings = typed("compare", *runs)[1].splitlines()[:2]
    for heading, run in zip(headings, runs, strict=True):
        assert heading.startswith(f"{run}: multinomial (clopper_pearson), gaussian")


def test_json_keeps_every_digit(typed, counts, tmp_path):
    run = tmp_path / "run"
    typed("import", counts, "--sigma", 0.25, "-o", run)
    _, out, _ = typed("certify", run, "--json")
    printed = pd.DataFrame(json.loads(out)["images"])
    stored = certify_path(run).table()
    for name in stored.select_dtypes("number"):
        np.testing.assert_array_equal(printed[name], stored[name])
    assert json.loads(out)["summary"][0]["top1"] is None  # NaN: no labels


def test_the_finished_images_of_an_unfinished_run(typed, tmp_path):
    run = tmp_path / "run"
    store = RunDirectory.create(run, manifest())
    store.append(rows(*EVERY_BLOCK[:3]))
    code, _, err = typed("compare", run, "--alpha", 0.1)
    assert (code, "not finished" in err) == (2, True)
    code, out, _ = typed("compare", run, run, "--alpha", 0.1, "--partial", "--json")
    assert (code, len(json.loads(out)["images"])) == (0, 1)


@pytest.mark.parametrize("arguments", [["certify"], ["compare"], ["compare", "other"]])
def test_a_file_that_cannot_be_written_is_refused_before_any_work(typed, arguments):
    command, *others = arguments
    code, out, err = typed(command, "no such run", *others, "-o", "images.xlsx")
    assert (code, out) == (2, "")
    assert "cannot write 'images.xlsx': the name must end in one of" in err


def test_nothing_is_printed_where_nothing_can_be_written(typed, counts, tmp_path):
    run = tmp_path / "run"
    typed("import", counts, "--sigma", 0.25, "-o", run)
    code, out, err = typed("certify", run, "-o", tmp_path / "log.tsv")
    assert (code, out) == (2, "")
    assert "have no labels" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "none.csv", "-o", "run"], "none.csv does not exist"),
        (["compare", "none"], "none does not exist"),
        (["compare", "a", "b", "--baseline", "li"], "--baseline goes with one run"),
        (["compare", "a", "--json", "--as", "csv"], "only one of --as and"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(typed, arguments, message, tmp_path):
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_what_needs_votes_says_what_a_log_is_and_of_counts_only_what_is_known(
    typed, counts, tmp_path
):
    log = tmp_path / "log.tsv"
    log.write_text("idx label predict radius correct time\n0 1 1 0.5 1 0:00:01\n")
    theirs = tmp_path / "theirs"
    given = ("--sigma", 0.5, "--draws", 1000, "--alpha", 0.001)
    assert typed("import", log, *given, "-o", theirs)[0] == 0
    for command in (
        ("status", theirs),
        ("compact", theirs),
        ("plan", theirs, "--looks", "100,1000"),
        ("merge", theirs, theirs, "-o", tmp_path / "merged"),
    ):
        code, _, err = typed(*command)
        assert (code, "is an imported log: it has radii" in err) == (2, True)
    run = tmp_path / "run"
    assert typed("import", counts, "--sigma", 0.25, "-o", run)[0] == 0
    first = typed("status", run)[1].splitlines()[0]
    assert (
        first
        == f"{run}: imported from counts.txt, gaussian-float32 noise of sigma 0.25"
    )
