"""The command: what it prints, writes and exits with."""

import json
import re
import shutil
from html import unescape

import numpy as np
import pytest
from audited import edit_manifest, honest_log, honest_rows, rewritten, write_run

from simplicert.votes import RunDirectory


@pytest.fixture
def spoilt(tmp_path):
    write_run(tmp_path / "spoilt", honest_rows())
    edit_manifest(tmp_path / "spoilt", sigma=1.0)
    return tmp_path / "spoilt"


def test_the_last_line_is_the_verdict_and_the_exit_code_follows(
    simplicert, run, spoilt
):
    code, out, err = simplicert("audit", run)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("NOT FALSIFIED (")
    assert "That is no proof" in out.splitlines()[-1]
    code, out, err = simplicert("audit", spoilt)
    assert (code, err) == (1, "")
    assert out.splitlines()[-1].startswith("FALSIFIED (")
    assert "sigma = 0.5" in out


def test_json_has_everything(simplicert, run, spoilt):
    _, out, _ = simplicert("audit", run, "--json")
    found = json.loads(out)
    assert found["verdict"].startswith("NOT FALSIFIED")
    assert found["facts"]["votes"] == RunDirectory(run).read().digest
    assert all(f.keys() >= {"check", "outcome", "says"} for f in found["findings"])
    code, out, _ = simplicert("audit", spoilt, "--json")
    assert code == 1
    assert json.loads(out)["falsified"] is True


@pytest.mark.parametrize("replays", [True, False])
def test_the_page_is_one_file_that_says_what_the_text_says(
    simplicert, run, checkpoint, tmp_path, replays
):
    page = tmp_path / "new" / "audit.html"
    given = (checkpoint, "digits", "--replay", "10%") if replays else ()
    code, out, _ = simplicert("audit", run, *given, "-o", page)
    assert code == 0
    html = page.read_text("utf-8")
    assert "<script" not in html
    assert "script-src 'none'" in unescape(html)
    assert not re.search(r"(src|href)=|url\(|@import", html)
    findings = [line[13:] for line in out.splitlines() if re.match("held|not c", line)]
    assert len(findings) == (8 if replays else 7)
    for check in findings:
        assert f"<h3>{check}</h3>" in html
    assert ("missed with probability" in html) == replays


def test_names_on_the_page_are_text(simplicert, tmp_path):
    path = tmp_path / "<script>alert(1)<b>.tsv"
    honest_log().to_csv(path, sep="\t", index=False)
    page = tmp_path / "page.html"
    options = ("--sigma", "0.5", "--draws", "1000", "--alpha", "0.001")
    assert simplicert("audit", path, *options, "-o", page)[0] == 0
    html = page.read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;b&gt;" in html


def test_replay_draws_again_and_says_of_what(simplicert, run, checkpoint, tmp_path):
    code, out, _ = simplicert(
        "audit", run, checkpoint, "digits", "--replay", "5", "--seed", "3"
    )
    assert code == 0
    assert "5 of 200 blocks, chosen with seed 3" in out
    assert "to the last bit" in out
    forged = tmp_path / "forged"
    shutil.copytree(run, forged)

    def unanimous(rows):  # certified more, and scores that allow it
        rows.counts[:] = [[100] + [0] * 9]
        shape = len(rows.images), 1
        random = np.random.default_rng(0).uniform(0.98, 0.99, shape)
        rows.columns["score_sums"][:] = rows.counts * random
        rows.columns["score_squares"][:] = rows.counts * random**2

    rewritten(RunDirectory(forged), unanimous)
    code, out, _ = simplicert("audit", forged)
    assert code == 0, out
    code, out, _ = simplicert("audit", forged, checkpoint, "digits", "--replay", "1%")
    assert code == 1
    assert out.splitlines()[-1].endswith("blocks drawn again")


def test_what_is_false_of_votes_is_replayed_nevertheless(
    simplicert, run, checkpoint, tmp_path
):
    shutil.copytree(run, tmp_path / "forged")

    def reversed_votes(rows):
        rows.counts[:] = rows.counts[:, ::-1].copy()

    rewritten(RunDirectory(tmp_path / "forged"), reversed_votes)
    _, out, _ = simplicert(
        "audit", tmp_path / "forged", checkpoint, "digits", "--replay", "1%"
    )
    assert re.search("falsified +scores beside votes", out)
    assert re.search("falsified +blocks drawn again", out)


def test_what_cannot_be_read_is_not_replayed(simplicert, spoilt, checkpoint):
    code, out, _ = simplicert("audit", spoilt, checkpoint, "digits", "--replay", "1%")
    assert code == 1
    assert "cannot be read as votes of one run" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none",), "does not exist"),
        (("RUN", "model.safetensors"), "go with --replay"),
        (("RUN", "--replay", "1%"), "go with --replay"),
        (("RUN", "CHECKPOINT", "digits"), "go with --replay"),
        (("RUN", "CHECKPOINT", "digits", "--replay", "2 of them"), "neither a share"),
        (("RUN", "CHECKPOINT", "digits", "--split=train", "--replay", "1"), "digest"),
        (("RUN", "--sigma", "0.5"), "leave --sigma out"),
        (("RUN", "-o", "."), "is a directory"),
        (("RUN", "--trials", "9"), "--trials would say nothing here: it goes with a "),
        (("RUN", "--attacked", "a.npz"), "goes with --attack"),
        (("RUN", "CHECKPOINT", "digits", "--attack=1", "--attacked=."), "a directory"),
        (("RUN", "--seed", "1"), "goes with a procedure, or --replay or --attack"),
        (("RUN", "CHECKPOINT", "digits", "--replay=1", "--mechanism=li"), "goes with"),
        (("RUN", "CHECKPOINT", "digits", "--replay=1", "--sigma=1"), "a log or a "),
        (("two_stage", "--sigma", "0.5"), "goes with a log or a table"),
        (("TABLE", "--sigma", "9"), "a table of certificates, which says all of it"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(
    simplicert, run, checkpoint, tmp_path, arguments, message
):
    table = tmp_path / "table.csv"
    if "TABLE" in arguments:
        assert simplicert("certify", run, "-o", table)[0] == 0
    named = {"RUN": run, "CHECKPOINT": checkpoint, "TABLE": table}
    code, out, err = simplicert("audit", *(named.get(a, a) for a in arguments))
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
