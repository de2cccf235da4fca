"""``certify --confidence``: a table for people, a column an image for programs."""

import json

import pandas as pd
import pytest
from leads import led_run

from simplicert.interop import certify_path


@pytest.fixture(scope="module")
def led(tmp_path_factory):
    return led_run(tmp_path_factory.mktemp("led") / "run").path


MARGINS = ("--procedure", "margins", "--alpha", "0.01")


def test_it_is_printed_and_written_as_it_is_certified(simplicert, led, tmp_path):
    asked = (*MARGINS, "--confidence", "0.25,0")
    code, out, _ = simplicert("certify", led, *asked, "-o", tmp_path / "c.parquet")
    assert code == 0
    made = certify_path(led, procedure="margins", alpha=0.01)
    table = out.split("certified confidence within l2 radius, each at alpha 0.01:")[1]
    rows = [line.split() for line in table.splitlines() if line[:1].isspace()]
    rows = [[float(cell) for cell in row] for row in rows if "." in row[0]]
    assert [radius for radius, _ in rows] == [0, 0.25]
    right = made.correct
    for radius, shown in rows:
        mean = (made.confidence(radius) * right).mean()
        assert 0 <= mean - shown < 0.001
    written = pd.read_parquet(tmp_path / "c.parquet")
    for radius in (0.0, 0.25):
        column = written[f"confidence {radius:g}"].tolist()
        assert column == made.confidence(radius).tolist()
        assert min(column) > 0
    found = json.loads(simplicert("certify", led, *asked, "--json")[1])
    assert [row["radius"] for row in found["confidence"]] == [0, 0.25]
    assert found["images"][1]["confidence 0.25"] == made.confidence(0.25)[1]


def test_without_being_asked_it_is_nowhere(simplicert, led):
    _, out, _ = simplicert("certify", led, *MARGINS)
    assert "confidence" not in out
    found = json.loads(simplicert("certify", led, *MARGINS, "--json")[1])
    assert "confidence" not in found
    assert not [name for name in found["images"][0] if "confidence" in name]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--confidence", "0.1"), "clopper_pearson bounds no margin"),
        ((*MARGINS, "--confidence", "-1"), "is not a list of distances"),
        ((*MARGINS, "--confidence", "nan"), "is not a list of distances"),
        ((*MARGINS, "--confidence", ""), "is not a list of distances"),
        ((*MARGINS, "--confidence", "0.1", "-o", "c.tsv"), "no place for confidences"),
    ],
)
def test_what_cannot_be_is_one_line(
    simplicert, led, tmp_path, monkeypatch, asked, says
):
    monkeypatch.chdir(tmp_path)
    code, out, err = simplicert("certify", led, *asked)
    assert code == 2
    assert says in err
    assert not out
    assert not (tmp_path / "c.tsv").exists()
