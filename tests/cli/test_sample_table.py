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
        {"z": [0.0, 0.0], "b": [0.5, 1.5], "kind": ["up", "up"], "a": [9.0, -9.0]}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def test_a_table_is_sampled_audited_and_continued_by_its_columns(simplicert, table):
    out = table / "run"
    given = (f"{table}/model.py:model", table / "t.csv", "--label-column", "kind")
    how = ("--sigma", 0.1, "--draws", 50, "--seed", 0, "-o", out)
    code, _, err = simplicert("sample", *given, *how)
    assert code == 2
    assert "not fitted on: 'z'. Choose the others" in err
    assert "--feature-columns a,b)" in err
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
