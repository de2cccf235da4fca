"""Tables: which columns are features and labels, and what no feature can be."""

import os
import subprocess

import numpy as np
import pandas as pd
import pytest

from simplicert.data import load_dataset
from simplicert.errors import InputError

PLAIN = "a,b,label\n1,2,0\n3,4.5,1\n"
ROWS = [[1.0, 2.0], [3.0, 4.5]]


def written(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read(path, text, **options):
    dataset = load_dataset(written(path, text), **options)
    return dataset, dataset.read(np.arange(len(dataset))).tolist()


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("t.csv", PLAIN, None),
        ("t.tsv", PLAIN.replace(",", "\t"), None),
        ("t.csv", "\ufeff" + PLAIN, None),
        ("t.csv", PLAIN.replace("\n", "\r\n"), None),
        ("t.csv", PLAIN.replace(",", ", "), None),
        ("t.csv", PLAIN.replace(",", ";"), "columns are between ';', not ','"),
        ("t.csv", '"a","b","Label"\n1,2,0\n"3","4.5",1\n', None),
        ("t.csv", "id,a,label,b\n7,1,0,2\n9,3,1,4.5\n", "left out, .*: id"),
        ("t.csv", ",a,label,b\n0,1,0,2\n1,3,1,4.5\n", "left out, .*without a name"),
        ("test.csv", PLAIN, None),
    ],
)
def test_tables_as_people_write_them_are_the_same(tmp_path, name, text, note):
    dataset, rows = read(tmp_path / name, text)
    assert rows == ROWS
    assert dataset.features == ("a", "b")
    assert dataset.labels.tolist() == [0, 1]
    assert dataset.indices.tolist() == [0, 1]
    assert (dataset.shape, dataset.split, dataset.unit.low) == ((2,), "test", None)
    assert any("features are a, b (2)" in each for each in dataset.notes)
    if note is not None:
        assert pd.Series(dataset.notes).str.contains(note).any()


def test_numbers_are_read_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).random(50) * 10.0 ** np.arange(-25, 25)
    text = "a\n" + "\n".join(map(repr, values.tolist()))
    assert read(tmp_path / "t.csv", text)[0].read(np.arange(50))[:, 0].tolist() == (
        values.tolist()
    )


REFUSED = {
    "nothing": ("", "is empty, or begins with an empty line"),
    "names alone": ("a,b,label\n", "has no rows below its names"),
    "missing": ("a,b\n1,2\n,3\n", r"column 'a' holds a missing number in row 1"),
    "NaN": ("a,b\n1,2\nnan,3\n", r"column 'a' holds 'nan' in row 1"),
    "1e400": ("a,b\n1,2\n1e400,3\n", r"column 'a' holds an infinite number in row 1"),
    "minus infinity": ("a,b\n1,-inf\n1,3\n", r"'b' holds an infinite number in row 0"),
    "mixed": ("a,b\n1,2\n3,?\n", r"column 'b' holds '\?' in row 1 .*no number\. Corr"),
    "text": ("a,city\n1,Bonn\n3,Rome\n", r"column 'city' holds 'Bonn' in row 0"),
    "a date": ("a,when\n1,2020-01-01\n", r"column 'when' holds '2020-01-01' in row 0"),
    "a decimal comma": ("a;b\n1;2,5\n", r"holds '2,5' in row 0.*a decimal comma\?"),
    "two of a name": ("a,b,a\n1,2,3\n", "two columns that are called 'a'"),
    "no names": ("1,2,3\n4,5,6\n", r"begins with numbers \(1, 2, 3\)"),
    "too long": ("a,b\n1,2\n4,5,6\n", "is no whole table.*line 3"),
    "all too long": ("a,b\n1,2,3\n4,5,6\n", "is no whole table.*Length of header"),
    "too short": ("a,b\n1,2\n4\n", "column 'b' holds a missing number in row 1"),
    "a quote": ('a,b\n"1,2\n', "is no whole table"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "is no text in UTF-8"),
    "Latin 1": (b"a,b\xe9\n1,2\n", "is no text in UTF-8"),
    "zeros": ("a,b\n1,\x00\n", "column 'b' holds"),
    "labels alone": ("label\n1\n", "no column of features: it has label"),
    "half a label": ("a,target\n1,2.5\n", "column 'target': image 0 has label 2.5"),
    "negative labels": ("a,y\n1,1\n2,-1\n", "row 1 .* has the label -1 .*classes_"),
    "no label": ("a,label\n1,cat\n3,\n", r"row 1 \(from 0\) has no label in column"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_of_numbers_names_the_column_and_the_row(tmp_path, text, told):
    with pytest.raises(InputError, match=told) as caught:
        load_dataset(written(tmp_path / "t.csv", text))
    assert "\n" not in str(caught.value)


def test_no_pipe_is_opened_and_no_folder_taken_for_a_table(tmp_path):
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(InputError, match="is no regular file"):
        load_dataset(str(tmp_path / "p.csv"))
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match="is empty: it should hold"):
        load_dataset(str(tmp_path / "d.csv"))


def test_columns_can_be_chosen_in_any_order(tmp_path):
    path = written(tmp_path / "t.csv", "a,b,kind\n1,2,x\n3,4,y\n")
    chosen = load_dataset(path, feature_columns=["b", "a"], label_column="kind")
    assert chosen.features == ("b", "a")
    assert chosen.read(np.array([1])).tolist() == [[4.0, 3.0]]
    assert (chosen.class_names, chosen.labels.tolist()) == (("x", "y"), [0, 1])
    for wrong, told in [
        ({"feature_columns": ["a", "z"]}, "no column 'z', but a, b, kind"),
        ({"label_column": "z"}, "no column 'z', but a, b, kind.*label_column"),
        ({"feature_columns": ["a", "a"]}, "each once"),
        ({"feature_columns": []}, "got none"),
        ({"feature_columns": ["a"], "label_column": "a"}, "without the label"),
        ({"image_column": "a"}, "no such columns to choose from: leave out image_"),
    ]:
        with pytest.raises(InputError, match=told):
            load_dataset(path, **wrong)


def test_classes_may_be_called_what_pandas_takes_for_missing(tmp_path):
    dataset, _ = read(tmp_path / "t.csv", "a,label\n1,None\n3,NA\n")
    assert (dataset.class_names, dataset.labels.tolist()) == (("NA", "None"), [1, 0])


@pytest.mark.parametrize("form", ["column", "csv", "parquet"])
def test_splits_have_the_same_classes_and_rows_of_the_whole(tmp_path, form):
    frame = pd.DataFrame(
        {
            "a": [1.0, 2.0, 3.0, np.nan],
            "label": ["cat", "dog", "owl", "elk"],
            "split": ["test", "train", "test", "train"],
        }
    )
    path = tmp_path
    if form == "column":
        path = tmp_path / "t.csv"
        frame.to_csv(path, index=False)
    else:
        for name, part in frame.groupby("split"):
            part = part.drop(columns="split")
            if form == "csv":
                part.to_csv(tmp_path / f"{name}.csv", index=False)
            else:
                part.to_parquet(tmp_path / f"{name}.parquet")
    dataset = load_dataset(str(path))
    assert dataset.class_names == ("cat", "dog", "elk", "owl")
    assert dataset.labels.tolist() == [0, 3]
    assert dataset.read(np.arange(2)).tolist() == [[1.0], [3.0]]
    assert dataset.indices.tolist() == ([0, 2] if form == "column" else [0, 1])
    with pytest.raises(InputError, match=r"'a' holds a missing number in row [31]"):
        load_dataset(str(path), split="train")
    with pytest.raises(InputError, match=r"unknown split.*Known: test, train"):
        load_dataset(str(path), split="dev")


def test_a_table_that_is_called_like_a_split_is_that(tmp_path):
    path = written(tmp_path / "train.csv", PLAIN)
    with pytest.raises(InputError, match=r"unknown split.*'test'. Known: train"):
        load_dataset(path)
    assert load_dataset(path, split="train").split == "train"


def test_the_digest_of_a_table_is_what_the_shell_says(tmp_path):
    dataset, _ = read(tmp_path / "t.csv", PLAIN)
    shell = subprocess.run(
        "sha256sum t.csv | sha256sum",
        shell=True,
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    assert dataset.digest == shell.stdout.decode().split()[0]


def test_a_parquet_table_is_the_same_table(tmp_path):
    frame = pd.DataFrame({"a": [1, 3], "b": [2.0, 4.5], "label": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    dataset = load_dataset(str(tmp_path / "t.parquet"))
    assert dataset.read(np.arange(2)).tolist() == ROWS
    assert (dataset.features, dataset.class_names) == (("a", "b"), ("x", "y"))
    frame.loc[1, "b"] = np.nan
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="'b' holds a missing number in row 1"):
        load_dataset(str(tmp_path / "t.parquet"))
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[:-20])
    with pytest.raises(InputError, match="is not a whole Parquet file"):
        load_dataset(str(tmp_path / "t.parquet"))


def test_vectors_with_texts(tmp_path):
    vectors = np.random.default_rng(0).random((3, 4), np.float32)
    frame = pd.DataFrame(
        {"vector": [*vectors], "text": ["long " * 99, "b", "c"], "label": [0, 1, 1]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    dataset = load_dataset(str(tmp_path / "t.parquet"))
    found = dataset.read(np.arange(3))
    np.testing.assert_array_equal(found, vectors)
    assert found.dtype == np.float32
    assert (len(dataset.texts(0)), dataset.texts(2)) == (200, "c")
    other = frame.assign(other=[*vectors + 1])
    other.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="vectors in vector, other: choose one"):
        load_dataset(str(tmp_path / "t.parquet"))
    digests = {
        load_dataset(str(tmp_path / "t.parquet"), feature_columns=[name]).digest
        for name in ("vector", "other")
    }
    assert len(digests) == 2  # of one shape, and without names
    frame.at[1, "vector"] = vectors[0, :3]
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"row 1 .*has in column 'vector'.*\(3,\)"):
        load_dataset(str(tmp_path / "t.parquet"))
    vectors[2, 1] = np.nan
    frame.assign(vector=[*vectors]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="'vector' holds a missing number in row 2"):
        load_dataset(str(tmp_path / "t.parquet"))
