"""Tables in every format: nothing rounded up, nothing executed, nothing lost."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from simplicert.analysis import format_table, write_table
from simplicert.errors import InputError

TABLE = pd.DataFrame(
    {
        "mechanism": ["cohen", "neyman_pearson"],
        "images": [3, 4],
        "radius": [0.79999, np.nan],
        "p_value": [0.01234, 0.0],
        "alpha": [0.001, 1e-6],
        "change": [-0.0001, 0.5],
        "e1_upper": [0.0001, 0.0],
    }
)


def test_text_by_hand():
    assert format_table(TABLE) == (
        "mechanism       images  radius  p_value  alpha  change  e1_upper\n"
        "--------------  ------  ------  -------  -----  ------  --------\n"
        "cohen                3   0.799    0.013  0.001  -0.001     0.001\n"
        "neyman_pearson       4       –  <1e-300  1e-06   0.500     0.000\n"
    )


def test_latex_escapes_what_latex_would_run():
    table = pd.DataFrame(
        {"name_1": ["50 % & {x} \\input", "a_b"], "radius": [0.29, 1.0]}
    )
    lines = format_table(table, "latex", digits=2).splitlines()
    assert lines[0] == r"\begin{tabular}{lr}"
    assert lines[2] == r"name\_1 & radius \\"
    assert lines[4] == r"50 \% \& \{x\} \textbackslash{}input & 0.29 \\"
    assert lines[-1] == r"\end{tabular}"


def test_markdown_shows_a_class_name_and_does_not_run_it():
    table = pd.DataFrame({"name": ["<img src=x onerror=alert(1)>", "a|b\nc"]})
    lines = format_table(table, "markdown").splitlines()
    assert lines[2] == "| &lt;img src=x onerror=alert(1)&gt; |"
    assert lines[3] == r"| a\|b c |"
    assert len(lines) == 4


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_spreadsheet_computes_no_name(start, tmp_path):
    name = f"{start}1+1"
    table = pd.DataFrame({name: [name, "a", None], "radius": [-1.5, 0.1, 2.0]})
    path = write_table(table, tmp_path / "t.csv")
    header, *rows = csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))
    assert header == [f"'{name}", "radius"]
    assert rows == [[f"'{name}", "-1.5"], ["a", "0.1"], ["", "2.0"]]
    path = write_table(table, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), table, check_exact=True)


def test_csv_and_parquet_keep_every_digit(tmp_path):
    table = pd.DataFrame({"name": ['a,"b"', "c"], "radius": [0.1 + 0.2, 1 / 3]})
    header, *rows = csv.reader(io.StringIO(format_table(table, "csv")))
    assert header == ["name", "radius"]
    assert [(name, float(number)) for name, number in rows] == [
        *table.itertuples(index=False)
    ]
    path = write_table(table, tmp_path / "deep" / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), table, check_exact=True)


@pytest.mark.parametrize(
    ("suffix", "form"),
    [(".txt", "text"), (".md", "markdown"), (".tex", "latex"), (".csv", "csv")],
)
def test_the_suffix_names_the_format(tmp_path, suffix, form):
    path = write_table(TABLE, tmp_path / f"table{suffix}")
    assert path.read_text("utf-8") == format_table(TABLE, form)


def test_an_alpha_keeps_every_digit():
    table = pd.DataFrame({"alpha": [0.0010000004]})
    assert format_table(table).split()[-1] == "0.0010000004"


def test_a_table_too_wide_for_the_terminal_is_turned():
    wide = format_table(TABLE, width=40)
    assert wide == (
        "mechanism   cohen  neyman_pearson\n"
        "---------  ------  --------------\n"
        "images          3               4\n"
        "radius      0.799               –\n"
        "p_value     0.013         <1e-300\n"
        "alpha       0.001           1e-06\n"
        "change     -0.001           0.500\n"
        "e1_upper    0.001           0.000\n"
    )
    assert format_table(TABLE, width=80) == format_table(TABLE)


def test_an_unknown_suffix_is_named(tmp_path):
    with pytest.raises(InputError, match=r"must end in one of .txt"):
        write_table(TABLE, tmp_path / "t.xlsx")
