"""Commands refuse what is asymptotic, and print that it is."""

import json

import pytest

from simplicert.interop import import_file

REFUSED = "goodman is asymptotic: nothing bounds how often its radii are false"


@pytest.fixture
def counted(tmp_path):
    file = tmp_path / "counts.csv"
    file.write_text("label,0,1,2\n0,900,60,40\n1,480,500,20\n2,0,0,1000\n")
    import_file(file, tmp_path / "run", sigma=0.5)
    return tmp_path / "run"


def commands(run):
    out = run.parent / "page.html"
    how = ("--procedure", "goodman")
    return {
        "certify": ("certify", run, *how),
        "compare": ("compare", run, *how),
        "two runs": ("compare", run, run, *how),
        "plan": ("plan", run, "--until", 0.1, "--looks", 1000, *how),
        "report": ("report", run, "-o", out, *how),
        "audit": ("audit", "goodman", "--trials", 20, "--draws", 20),
    }


@pytest.mark.parametrize(
    "command", ["certify", "compare", "two runs", "plan", "report", "audit"]
)
def test_refused_unless_asymptotic_is_said(simplicert, counted, command):
    line = commands(counted)[command]
    code, out, err = simplicert(*line)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert REFUSED in err
    assert "--asymptotic" in err
    assert not (counted.parent / "page.html").exists()
    code, out, _ = simplicert(*line, "--asymptotic")
    assert code in {0, 1}
    assert "asymptotic" in (out if command != "report" else page_of(counted))


def page_of(run):
    return (run.parent / "page.html").read_text("utf-8")


@pytest.mark.parametrize("option", ["--until", "--within", "--budget"])
def test_sample_refuses_before_it_looks_for_the_model(simplicert, tmp_path, option):
    value = {"--until": 0.1, "--within": "5%", "--budget": 1e6}[option]
    line = ("sample", "none.safetensors", "none", "--sigma", 0.5, "--draws", 1000)
    line += ("-o", tmp_path / "run", option, value, "--procedure", "goodman")
    code, _, err = simplicert(*line)
    assert code == 2
    assert REFUSED in err
    code, _, err = simplicert(*line, "--asymptotic")
    assert code == 2
    assert "none.safetensors" in err
    alone = (*line[:-4], "--asymptotic")
    code, _, err = simplicert(*alone)
    assert code == 2
    assert "--asymptotic are of --until" in err


def test_certify_prints_it(simplicert, counted):
    line = ("certify", counted, "--procedure", "sison_glaz", "--asymptotic")
    _, out, _ = simplicert(*line)
    first, *_, last = out.splitlines()
    assert first.startswith("multinomial (sison_glaz, asymptotic: no guarantee), ")
    assert "note: sison_glaz is asymptotic: its level holds only" in out
    assert last.startswith("note: ")
    said = json.loads(simplicert(*line, "--json")[1])
    assert all(row["asymptotic"] is True for row in said["summary"] + said["images"])


def test_compare_prints_it_in_every_format(simplicert, counted):
    line = ("compare", counted, "--procedure", "goodman", "--asymptotic")
    assert "goodman, asymptotic: no guarantee" in simplicert(*line)[1]
    assert "asymptotic" in simplicert(*line, "--as", "markdown")[1]
    said = json.loads(simplicert(*line, "--json")[1])
    assert said["facts"][0]["asymptotic"] is True
    simplicert(*line, "-o", counted.parent / "whole.csv")
    assert "asymptotic" in (counted.parent / "whole.csv").read_text()
    two = ("compare", counted, *line[1:], "-o", counted.parent / "two.csv")
    simplicert(*two)
    assert "asymptotic_before" in (counted.parent / "two.csv").read_text()


def test_plan_prints_it(simplicert, counted):
    line = ("plan", counted, "--until", 0.1, "--looks", 1000, "--procedure", "goodman")
    assert "note: goodman is asymptotic" in simplicert(*line, "--asymptotic")[1]
    said = json.loads(simplicert(*line, "--asymptotic", "--json")[1])
    assert "goodman is asymptotic" in said["notes"][0]
    plain = simplicert("plan", counted, "--until", 0.1, "--looks", 1000, "--json")[1]
    assert "notes" not in json.loads(plain)


@pytest.mark.parametrize("command", ["certify", "compare", "plan", "report", "sample"])
def test_help_lists_it_as_what_it_is(simplicert, command):
    out = " ".join(simplicert(command, "--help")[1].replace("│", " ").split())
    assert "goodman (asymptotic)" in out
    assert "sison_glaz (asymptotic)" in out
    assert "clopper_pearson (asymptotic)" not in out


def test_an_audit_of_a_table_prints_it(simplicert, counted):
    out = counted.parent / "g.csv"
    simplicert("certify", counted, "--procedure", "goodman", "--asymptotic", "-o", out)
    code, said, _ = simplicert("audit", out)
    assert code == 0
    assert "doubtful     guarantee of certificates" in said
    assert "These are no certificates" in said
    assert "1 doubtful" in said.splitlines()[-1]


def test_asymptotic_says_nothing_of_a_table(simplicert, counted):
    code, _, err = simplicert("audit", counted, "--asymptotic")
    assert code == 2
    assert "--asymptotic would say nothing here: it goes with a procedure" in err
