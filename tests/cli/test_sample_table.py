"""A table from the command line: its columns are chosen, said and kept."""

import numpy as np
import pandas as pd
import pytest

from simplicert.votes import RunDirectory, read_run

MODEL = """
import numpy as np, pandas as pd
from sklearn.tree import DecisionTreeClassifier

def model():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    frame = pd.DataFrame(rows, columns=["a", "b"])
    kinds = np.where(rows[:, 0] > 0, "up", "down")
    return DecisionTreeClassifier(max_depth=1, random_state=0).fit(frame, kinds)
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    frame = pd.DataFrame(
        {"who": ["Ann", "Bo"], "b": [0.5, 1.5], "kind": ["up", "up"], "a": [9.0, -9.0]}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def test_a_table_is_sampled_audited_and_continued_by_its_columns(simplicert, table):
    out = table / "run"
    given = (f"{table}/model.py:model", table / "t.csv", "--label-column", "kind")
    how = ("--sigma", 0.1, "--draws", 50, "--seed", 0, "-o", out)
    chosen = (*given, "--feature-columns", "b, a")
    code, _, err = simplicert("sample", *chosen, *how)
    assert code == 0
    assert "given them in its own" in err
    votes, manifest = read_run(out), RunDirectory.manifest_at(out)
    # All classes of the model, of which the table has one, in its order.
    assert manifest.data.class_names == ["down", "up"]
    assert manifest.data.features == ["b", "a"]
    np.testing.assert_array_equal(votes.counts, [[0, 50], [50, 0]])
    assert votes.labels.tolist() == [1, 1]
    code, shown, _ = simplicert("audit", out, *chosen, "--replay", "100%")
    assert code == 0
    assert "all votes" in shown
    other = (*given, "--feature-columns", "a,b")
    code, _, err = simplicert("sample", *other, *how)
    assert code == 2
    assert "data.features" in err or "features differ" in err


def test_the_features_that_a_model_names_are_found_beside_names_of_rows(
    simplicert, table
):
    out, data = table / "run", table / "t.csv"
    how = ("--sigma", 0.1, "--draws", 50, "--seed", 0, "--label-column", "kind")
    code, _, err = simplicert(
        "sample", f"{table}/model.py:model", data, *how, "-o", out
    )
    assert code == 0
    assert "features are b, a (2), by their names" in err
    assert "left out, as no feature by its name: who" in err
    assert "the first 2 inputs: 50% right" in err
    assert RunDirectory.manifest_at(out).data.features == ["b", "a"]
    # What the run names are found again without labels, in whatever order they are.
    page = table / "page.html"
    assert simplicert("report", out, "--data", data, "-o", page)[0] == 0
    assert '"names":["b","a"]' in page.read_text().replace(" ", "")


def test_a_report_shows_features_in_the_order_of_the_run(simplicert, table):
    out, data = table / "run", table / "t.csv"
    given = (f"{table}/model.py:model", data, "--feature-columns", "a,b")
    how = ("--sigma", 0.1, "--draws", 50, "-o", out)
    assert simplicert("sample", *given, *how)[0] == 0
    page = table / "page.html"
    assert simplicert("report", out, "--data", data, "-o", page)[0] == 0
    shown = page.read_text().replace(" ", "")
    assert '"names":["a","b"]' in shown


def test_without_such_names_a_text_is_refused_with_the_options(simplicert, table):
    (table / "plain.py").write_text(
        "from simplicert.classifiers import NumpyClassifier\n"
        "model = NumpyClassifier(lambda x: x[:, 0] > 0, output='labels', classes=2)\n"
    )
    how = ("--sigma", 0.1, "--draws", 50, "-o", table / "run")
    code, _, err = simplicert(
        "sample", f"{table}/plain.py:model", table / "t.csv", *how
    )
    assert code == 2
    assert "holds 'Ann' in row 0" in err
    assert "--feature-columns" in err
