import json
import shlex
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.data import load_dataset
from simplicert.report import load_runs
from simplicert.votes import DataSource, RunDirectory


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


@pytest.mark.slow
def test_figures_in_several_formats_of_runs_that_share_a_name(
    run, tmp_path, simplicert, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for parent in "ab":
        store = RunDirectory.create(f"{parent}/run", manifest())
        store.append(rows(*EVERY_BLOCK))
    code, out, _ = simplicert(
        *("report", "a/run", "b/run", "--alpha", "0.1", "--framework", "multinomial"),
        *("--figures", "figures", "--format", "png", "--format", "svg"),
    )
    written = len(list(tmp_path.glob("figures/*")))
    assert (code, f"figures: {written} in figures" in out) == (0, True)
    assert {path.name for path in tmp_path.glob("figures/fig6b*")} == {
        f"fig6b-times-{parent}-run-multinomial.{suffix}"
        for parent in "ab"
        for suffix in ("png", "svg")
    }


def test_a_mechanism_of_one_s_own_is_in_every_table(run, tmp_path, simplicert):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def half(e0, e1, *, sigma):\n"
        "    return sigma * np.maximum(e0 - e1, 0) / 2\n"
    )
    code, _, _ = simplicert(
        *("report", run, "-o", tmp_path / "page.html", "--alpha", "0.1"),
        *("--mechanism", f"{tmp_path / 'mine.py'}:half", "--tables", tmp_path / "t"),
    )
    assert code == 0
    columns = {"table1": "mechanism", "draws": "mechanism", "times": "step"}
    for name, column in columns.items():
        table = pd.read_csv(tmp_path / "t" / f"{name}.csv")
        assert "mine.half" in set(table[column])
        assert set(table["run"]) == {"run-multinomial", "run-softmax"}


def test_photographs_are_shown_at_the_size_that_was_sampled(tmp_path, simplicert):
    folder = tmp_path / "photos" / "test" / "thing"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for name, width in {"a": 40, "b": 30}.items():
        pixels = random.integers(0, 256, (50, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    photos = load_dataset(str(tmp_path / "photos"), size=16)
    source = DataSource(name="photos", digest=photos.digest, shape=[3, 16, 16])
    store = RunDirectory.create(
        tmp_path / "run", manifest(images=[0, 1], labels=None, data=source)
    )
    store.append(rows(*[(image, block) for image in (0, 1) for block in range(3)]))
    page = tmp_path / "page.html"
    asked = ["report", store.path, "-o", page, "--alpha", "0.1"]
    asked += ["--data", tmp_path / "photos"]
    code, _, err = simplicert(*asked)
    assert (code, "give the size that was sampled" in err) == (2, True)
    assert simplicert(*asked, "--size", "16")[0] == 0
    assert "data:image/" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "RUN"], "is named twice"),
        (["RUN", "--format", "pdf"], "go with --figures"),
        (["RUN", "--split", "test"], "--split and --size go with --data"),
        (["RUN", "--size", "8"], "--split and --size go with --data"),
        (["no-such-run"], "no-such-run does not exist"),
        (["RUN", "--alpha", "2"], "alpha must be in (0, 1)"),
        (["RUN", "--alpha", "0.001", "--mechanism", "cohn"], "did you mean 'cohen'"),
        (
            ["RUN", "--alpha", "0.1", "--data", "digits"],
            "would show other images",
        ),
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


@pytest.mark.parametrize("option", ["-o", "--figures", "--tables"])
@pytest.mark.parametrize("place", ["file", "file/sub", "loop/sub", "\udcff", "a" * 300])
def test_a_place_that_cannot_be_is_refused_before_anything_is_written(
    run, tmp_path, simplicert, option, place
):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    there = tmp_path / place
    if option == "-o":
        there = there / "page.html"
    before = sorted(tmp_path.rglob("*"))
    everything = {"-o": "page.html", "--figures": "f", "--tables": "t"}
    places = {name: tmp_path / each for name, each in everything.items()}
    options = [x for pair in (places | {option: there}).items() for x in pair]
    code, out, err = simplicert("report", run, "--alpha", "0.1", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert [p for p in sorted(tmp_path.rglob("*")) if p.is_file()] == [
        p for p in before if p.is_file()
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alpha": 0.1234567891},
        {"mechanism": "li,cohen", "framework": "multinomial"},
        {"mechanism": "cohen", "partial": True},
    ],
)
def test_the_commands_on_the_page_give_its_numbers(run, tmp_path, simplicert, options):
    path = run
    if "partial" in options:
        path = tmp_path / "an unfinished run"
        store = RunDirectory.create(path, manifest())
        store.append(rows(*EVERY_BLOCK[:3]))
    [loaded] = load_runs([path], **{"alpha": 0.1} | options)
    assert len(loaded.commands) == len(loaded.certificates)
    for command, certificates in zip(loaded.commands, loaded.certificates, strict=True):
        code, out, err = simplicert(*shlex.split(command)[1:], "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["images"] == certificates.table().to_dict("records")


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
