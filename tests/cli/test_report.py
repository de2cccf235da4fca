import sys

import pytest
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.votes import RunDirectory


@pytest.fixture
def run(tmp_path):  # two images; the shared one takes seconds to sample
    store = RunDirectory.create(tmp_path / "run", manifest())
    store.append(rows(*EVERY_BLOCK))
    return store.path


def test_a_page_is_written_and_named(run, tmp_path, simplicert):
    page = tmp_path / "page.html"
    code, out, err = simplicert("report", run, "-o", page, "--alpha", "0.1")
    assert (code, out, err) == (0, f"page: {page}\n", "")
    assert "alpha = 0.1" in page.read_text("utf-8").replace("&nbsp;", " ")


def test_figures_and_tables_go_beside_it(run, tmp_path, simplicert):
    code, out, _ = simplicert(
        *("report", run, "-o", tmp_path / "page.html", "--alpha", "0.1"),
        *("--framework", "multinomial"),
        *("--figures", tmp_path / "figures", "--tables", tmp_path / "tables"),
    )
    assert code == 0
    assert f"in {tmp_path / 'figures'}" in out
    assert (tmp_path / "figures" / "fig4-accuracy-run-multinomial.png").is_file()
    assert (tmp_path / "figures" / "fig6a-draws-run-multinomial.png").is_file()
    assert (tmp_path / "tables" / "table1.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-run"], "no-such-run does not exist"),
        (["RUN", "--alpha", "2"], "alpha must be in (0, 1)"),
        (["RUN", "--alpha", "0.001", "--mechanism", "cohn"], "did you mean 'cohen'"),
        (["RUN", "--alpha", "0.1", "--data", "digits"], "would be of other images"),
        (["RUN", "--alpha", "0.1", "-o", "."], "is a directory"),
        (["RUN", "--alpha", "0.1", "-o", "/proc/page.html"], "/proc"),
        (["RUN", "--frmework", "softmax"], "--frmework"),
        ([], "RUNS"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, simplicert, arguments, message):
    given = [str(run) if a == "RUN" else a for a in arguments]
    code, out, err = simplicert("report", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_help_has_an_example(simplicert):
    code, out, _ = simplicert("report", "--help")
    assert code == 0
    assert "simplicert report runs/s0.25 runs/s0.50" in out


def test_a_report_needs_no_torch(run, tmp_path, monkeypatch, simplicert):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails
    for name in [m for m in sys.modules if m.startswith("simplicert.report")]:
        monkeypatch.delitem(sys.modules, name)
    page = tmp_path / "page.html"
    assert simplicert("report", run, "-o", page, "--alpha", "0.1")[0] == 0
