"""``compare`` and ``report`` with what a verifier proved, as they are typed."""

import html
import json
import re
import shlex

import pandas as pd
import pytest
from pages import run_of
from voted import random_votes

from simplicert.cli.app import main
from simplicert.data.given import as_dataset


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
def run(tmp_path):
    """A run of six images of class 0, all unanimous."""
    random = random_votes(6).counts[:, :4].reshape(6, 1, 2, 2) % 7 / 7
    return run_of(tmp_path, as_dataset(random, [0] * 6))[0]


@pytest.fixture
def crown(tmp_path):
    path = tmp_path / "crown.csv"
    path.write_text(
        "image,epsilon,status,predicted\n0,0.1,safe,0\n0,0.3,timeout,0\n"
        "1,0.1,unsafe,0\n2,0.2,safe,1\n"
    )
    return path


def test_both_stand_side_by_side_and_say_whose_they_are(typed, run, crown, tmp_path):
    code, out, err = typed(
        "compare", run, "--verified", crown, "-o", tmp_path / "o.csv"
    )
    assert (code, err) == (0, "")
    assert "smoothed: the smoothed classifier g" in out
    assert "base: the base classifier f, which the file does not name" in out
    assert "certified accuracy of each, on the same 3 images" in out
    assert "larger of the two is one of neither" in out
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["base_radius"].tolist() == [0.1, 0, 0.2]
    assert table["base_radius_upper"].isna().tolist() == [True, False, True]
    assert (table["smoothed_radius"] > 0.2).all()
    assert not any("max" in name for name in table)


def test_json_has_all_of_it(typed, run, crown):
    code, out, _ = typed(
        *("compare", run, "--verified", crown, "--json", "--radii", "0.1,0.2"),
        *("--verified-norm", "linf", "--verified-network", "net.onnx"),
    )
    found = json.loads(out)
    assert code == 0
    assert "net.onnx" in found["about"]["base"]
    assert [row["0.2"] for row in found["accuracy"]] == [1.0, 0.0]
    assert [row["images"] for row in found["summary"]] == [1, 2, 0, 0]
    assert [row["image"] for row in found["images"]] == [0, 1, 2]
    assert "linf balls" in " ".join(found["notes"])


def test_the_page_has_a_section_and_the_command(typed, run, crown, tmp_path):
    page = tmp_path / "r.html"
    code, _, err = typed("report", run, "--verified", crown, "-o", page)
    assert (code, err) == (0, "")
    text = page.read_text()
    assert "Two classifiers side by side" in text
    assert "The base classifier f, which the file does not name" in text
    command = re.search(r"simplicert compare .*", html.unescape(text))[0]
    assert command.endswith(f"--verified {crown} --verified-norm l2")
    assert "--alpha 0.001 --procedure " in command
    assert typed(*shlex.split(command)[1:])[0] == 0
    typed("report", run, "-o", page)
    assert "Two classifiers" not in page.read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--verified-norm", "linf"), "go with --verified"),
        (("--verified", "{crown}", "--baseline", "li"), "--verified goes with one run"),
        (("{run}", "--verified", "{crown}"), "--verified goes with one run"),
        (("--verified", "{crown}", "--verified-unit", "volts"), "are in volts"),
        (("--verified", "{crown}", "--verified-norm", "l1"), "l1 balls"),
        (("--verified", "{crown}.gone"), "crown.csv.gone"),
        (("--verified", "{run}"), ""),
    ],
)
def test_what_does_not_go_together_is_one_line(typed, run, crown, options, says):
    options = [each.format(run=run, crown=crown) for each in options]
    code, out, err = typed("compare", run, *options)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_page_of_two_runs_has_no_verifier(typed, run, crown, tmp_path):
    code, _, err = typed(
        "report", run, run, "--verified", crown, "-o", tmp_path / "r.html"
    )
    assert code == 2
    assert "--verified goes with one run" in err
    assert not (tmp_path / "r.html").exists()
