"""``simplicert simplex``: files, numbers, and one clear line on bad input."""

import json

import pandas as pd
import pytest

QUICK = ["--resolution", "20", "--margin", "0.01"]

MINE = """
import numpy as np
def radius(e0_lower, e1_upper, *, sigma):
    return sigma * np.maximum(e0_lower - e1_upper, 0) * {factor}
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(factor=0.5))
    return f"{path}:radius"


@pytest.mark.slow
def test_all_five_figures_by_default(simplicert, tmp_path):
    code, out, _ = simplicert("simplex", *QUICK, "--out", tmp_path / "new" / "folder")
    assert code == 0
    names = ["fig2", "fig3-softmax", "fig3-multinomial", "np-over-ensemble"]
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {
        name + end
        for name in names
        for end in (
            *("-plane.png", "-ternary.png"),
            *(".parquet", "-boundaries.parquet"),
        )
    } | {"spread.png", "spread.parquet", "spread-margins.parquet"}
    for name in (*names, "spread"):
        assert f"{name}: " in out
    assert "largest   5.4414 at E0 = 0.505, E1 = 0.495" in out


@pytest.mark.slow
def test_one_figure_in_every_format_with_tables_as_csv(simplicert, tmp_path):
    formats = [word for f in ("png", "svg", "pdf") for word in ("--format", f)]
    arguments = ["fig2", *QUICK, *formats, "--table", "csv", "-o", tmp_path]
    assert simplicert("simplex", *arguments)[0] == 0
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for axes in ("plane", "ternary"):
        for suffix, start in starts.items():
            content = (tmp_path / f"fig2-{axes}.{suffix}").read_bytes()
            assert content.startswith(start)
    grid = pd.read_csv(tmp_path / "fig2.csv")
    assert list(grid) == ["e0", "e1", "e2", "cohen", "li", "winner", "value"]
    assert len(grid) == 210
    curve = pd.read_csv(tmp_path / "fig2-boundaries.csv")
    assert set(curve["first"]) == {"cohen"}


def test_any_two_mechanisms_and_the_regions_of_others_as_json(
    simplicert, mine, tmp_path
):
    code, out, _ = simplicert(
        *("simplex", "--ratio", mine, "li,cohen", "--regions", f"{mine},li,cullen"),
        *(*QUICK, "--json", "--out", tmp_path),
    )
    assert code == 0
    [(name, found)] = json.loads(out).items()
    assert name == "ratio-mine-radius-max-li-cohen"
    assert found["quantity"] == "mine.radius / max(li, cohen)"
    assert set(found["area_shares"]) == {"mine.radius", "li", "cullen"}
    assert sum(found["area_shares"].values()) == pytest.approx(1)
    assert found["largest"][0]["margin"] == 0.01
    assert all((tmp_path / file).exists() for file in found["files"])


def test_a_difference(simplicert, tmp_path):
    code, out, _ = simplicert(
        *("simplex", "--difference", "cullen", "cohen", *QUICK, "-o", tmp_path)
    )
    assert code == 0
    assert out.startswith("difference-cullen-cohen: cullen - cohen\n")


@pytest.mark.slow
def test_one_point_of_the_simplex_and_how_scores_are_spread_there(simplicert, tmp_path):
    arguments = ("simplex", "spread", "--means", "0.5", "0.4", "--table", "csv")
    code, out, _ = simplicert(*arguments, "-o", tmp_path, "--json")
    assert code == 0
    [(name, found)] = json.loads(out).items()
    assert (name, found["e0"], found["e1"]) == ("spread", 0.5, 0.4)
    table = pd.read_csv(tmp_path / "spread.csv")
    assert table["margins"].tolist() == [row["margins"] for row in found["radii"]]
    assert set(pd.read_csv(tmp_path / "spread-margins.csv")) == {
        *("spread", "margin_from", "margin_to", "share")
    }
    assert [path.rpartition("/")[2] for path in found["files"]] == [
        "spread.csv", "spread-margins.csv", "spread.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["spread", "--means", "0.2", "0.5"], "the first above it, and their sum"),
        (["fig2", "--means", "0.5", "0.2"], "--means goes with the figure spread"),
        (["--means", "0.5", "0.2"], "--means goes with the figure spread"),
        (["spread", "--ratio", "li", "cohen"], "only one of FIGURE, --ratio"),
        (["fig9"], "fig3-multinomial"),
        (
            ["--resolution", "0"],
            "resolution must be from 10 to 1000 points a side, got 0",
        ),
        (["--resolution", "-5"], "got -5"),
        (["--resolution", "1000000"], "got 1000000"),
        (["--resolution", "many"], "--resolution"),
        (["--margin", "0"], "margin must be above 0 and below 1/3, got 0.0"),
        (["--margin", "0.4"], "got 0.4"),
        (["--format", "gif"], "--format"),
        (["--table", "xlsx"], "--table"),
        (["--ratio", "li"], "--ratio"),
        (["--ratio", "cohn", "li"], "did you mean 'cohen'"),
        (["--ratio", "nowhere.py:f", "li"], "nowhere.py"),
        (["fig2", "--ratio", "li", "cohen"], "only one of FIGURE, --ratio"),
        (["--ratio", "li", "cohen", "--difference", "li", "cohen"], "only one of"),
        (["fig2", "--regions", "li,cohen"], "--regions goes with --ratio"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    simplicert, tmp_path, arguments, says
):
    code, out, err = simplicert("simplex", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be(simplicert, tmp_path):
    (tmp_path / "out").write_text("mine")
    code, _, err = simplicert("simplex", "fig2", "--out", tmp_path / "out")
    assert code == 2
    assert "out: File exists" in err
    assert (tmp_path / "out").read_text() == "mine"


def test_a_mechanism_that_breaks_a_law_is_refused_by_name(simplicert, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(factor=5))
    code, _, err = simplicert(
        *("simplex", "--ratio", f"{path}:radius", "li", "--out", tmp_path / "out")
    )
    assert code == 2
    assert "mechanism 'mine.radius' breaks the law 'tight'" in err
    assert not (tmp_path / "out").exists()
