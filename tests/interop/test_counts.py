"""Counts tables in every format become the same run; what is not counts is refused."""

import numpy as np
import pandas as pd
import pytest
from voted import random_votes

from simplicert.errors import InputError
from simplicert.interop import certify_path, import_file
from simplicert.noises import Noise
from simplicert.votes import RunDirectory, read_run

VOTES = random_votes(30, classes=4, draws=500)
NAMES = ["cat", "dog", "eel", "<fox>"]


def frame(*, labels=True):
    table = pd.DataFrame(VOTES.counts, columns=NAMES)
    if labels:
        table.insert(2, "label", VOTES.labels)
    return table


def write(path, table):
    text = {".csv": ",", ".tsv": "\t", ".txt": " ", ".dat": ";"}
    if path.suffix in text:
        table.to_csv(path, sep=text[path.suffix], index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".npz":
        np.savez(path, counts=VOTES.counts, labels=VOTES.labels)
    else:
        np.save(path, np.column_stack([VOTES.counts, VOTES.labels]))
    return path


@pytest.mark.parametrize(
    "suffix", [".csv", ".tsv", ".txt", ".dat", ".npy", ".npz", ".parquet"]
)
def test_every_format_gives_the_same_votes(tmp_path, suffix):
    file = write(tmp_path / f"counts{suffix}", frame())
    column = "-1" if suffix == ".npy" else "label"
    found = import_file(file, tmp_path / "run", sigma=0.25, label_column=column)
    assert (found.kind, found.evidence, found.draws) == ("counts", "votes", 500)
    assert found.notes == ()
    votes = read_run(tmp_path / "run")
    np.testing.assert_array_equal(votes.counts, VOTES.counts)
    np.testing.assert_array_equal(votes.labels, VOTES.labels)
    np.testing.assert_array_equal(votes.draws, 500)
    assert votes.sigma == 0.25
    manifest = RunDirectory(tmp_path / "run").manifest
    assert manifest.precision == "unknown"
    named = suffix not in (".npy", ".npz")
    assert manifest.data.class_names == (NAMES if named else None)


@pytest.mark.parametrize("header", ["", "made in 2026\n"])
def test_numpys_own_text_without_labels(tmp_path, header):
    file = tmp_path / "counts.txt"
    np.savetxt(file, VOTES.counts, header=header.strip())  # as 9.0000e+02
    found = import_file(file, tmp_path / "run", sigma=1)
    assert found.notes == (
        "there are no labels: no accuracy, the share certified instead",
    )
    votes = read_run(tmp_path / "run")
    np.testing.assert_array_equal(votes.counts, VOTES.counts)
    assert votes.labels is None


def test_a_commented_header_names_the_columns(tmp_path):
    file = tmp_path / "counts.txt"
    matrix = np.column_stack([VOTES.labels, VOTES.counts])
    np.savetxt(file, matrix, header="label 0 1 2 3", fmt="%d")
    import_file(file, tmp_path / "run", sigma=1.0)
    np.testing.assert_array_equal(read_run(tmp_path / "run").labels, VOTES.labels)


def test_indices_are_kept_and_the_same_import_again_changes_nothing(tmp_path):
    table = frame().assign(index=VOTES.indices)
    file = write(tmp_path / "counts.csv", table)
    for _ in range(2):
        import_file(file, tmp_path / "run", sigma=0.25)
    votes = read_run(tmp_path / "run")
    np.testing.assert_array_equal(votes.indices, VOTES.indices)
    assert len(RunDirectory(tmp_path / "run").parts) == 1
    with pytest.raises(InputError, match="holds another run: sigma"):
        import_file(file, tmp_path / "run", sigma=0.5)


CSV = "label,a,b\n0,7,3\n1,4,6\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "label,a,b\n0,7,3\n1,4,5\n",
            "row 1: the counts sum to 9, not to 10.*missing",
        ),
        ("label,a,b\n0,7,3\n1,-4,14\n", "row 1, column a: -4 is negative"),
        ("label,a,b\n0,7.5,2.5\n1,4,6\n", "row 0, column a: 7.5 is not a whole.*soft"),
        ("label,a,b\n0,0.7,0.3\n", "0.7 is not a whole number: means, probabilities"),
        ("label,a,b\n0,7,\n1,4,6\n", "row 0, column b: a number is missing"),
        ("label,a,b\n0,seven,3\n", "row 0, column a: 'seven' is not a number"),
        ("label,a,b\n2,7,3\n", "labels must lie in 0 … 1"),
        ("label,a\n0,7\n", "has 1 count columns, needs one for each of at least 2"),
        ("label,a,b\n", "holds no rows"),
        ("index,a,b\n0,7,3\n0,4,6\n", "images must not name one image twice"),
        ("", "is empty"),
        ("label,a,b\n0,0,0\n", "the counts sum to 0"),
        ("label,a,b\n0,7,3\n1,4,6,9\n", "line 3: 4 fields, not 3 as the header"),
        ("b,c\n60,31,9\n60,31,9\n", "line 2: 3 fields, not 2 as the header has"),
        ("7,3\n\n# a remark\n4\n", "line 4: 1 fields, not 2 as in the first line"),
        ("# made in 2026\n", "is empty: it holds no rows"),
        ("a,b,a\n7,3,1\n", "names that differ, its are: a, b, a"),
        ("a,,b\n0,7,3\n", "columns need names that differ, its are: a, '', b"),
        ("a,b\nTrue,9\nFalse,9\n", "row 0, column a: 'True' is not a number"),
        ("a,b\n7,3\n1_0,0\n", "row 1, column a: '1_0' is not a number"),
        ("a,b\n7,2026-01-02\n", "column b: '2026-01-02' is not a number"),
        ("a,b\ninf,3\n", "row 0, column a: inf is too large"),
        ('a,b\n"7,3\n', "line 2: 1 fields, not 2"),
    ],
)
def test_what_is_not_a_table_of_counts_is_refused(tmp_path, content, message):
    file = tmp_path / "counts.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        import_file(file, tmp_path / "run", sigma=0.5)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give --sigma"),
        ({"sigma": -1.0}, "sigma: Input should be greater than 0"),
        ({"sigma": 0.5, "draws": 11}, "the counts sum to 10, not to 11"),
        ({"sigma": 0.5, "alpha": 0.001}, "leave --alpha out"),
        ({"sigma": 0.5, "label_column": "class"}, "has no column 'class'.*label, a, b"),
        ({"sigma": 0.5, "label_column": "-1"}, "has no column '-1'"),  # it has names
    ],
)
def test_what_was_given_must_fit(tmp_path, options, message):
    file = tmp_path / "counts.csv"
    file.write_text(CSV)
    with pytest.raises(InputError, match=message):
        import_file(file, tmp_path / "run", **options)


def test_files_that_are_no_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        import_file(tmp_path / "none.csv", tmp_path / "run", sigma=1.0)
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="is not text, nor a"):
        import_file(tmp_path / "image.png", tmp_path / "run", sigma=1.0)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="needs two axes"):
        import_file(tmp_path / "cube.npy", tmp_path / "run", sigma=1.0)
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as a table"):
        import_file(tmp_path / "pickled.npy", tmp_path / "run", sigma=1.0)
    np.savez(tmp_path / "other.npz", votes=np.ones((2, 2)))
    assert import_file(tmp_path / "other.npz", tmp_path / "r", sigma=1.0).draws == 2
    np.savez(tmp_path / "other.npz", votes=np.ones((2, 2, 2)))
    with pytest.raises(InputError, match="holds votes: call the counts"):
        import_file(tmp_path / "other.npz", tmp_path / "run", sigma=1.0)
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="cannot be read as a table"):
        import_file(tmp_path / "cut.parquet", tmp_path / "run", sigma=1.0)


@pytest.mark.parametrize("column", ["²", "9", "-9", "--1", "1_0"])
def test_a_position_that_is_none_is_refused(tmp_path, column):
    np.save(tmp_path / "counts.npy", VOTES.counts)
    with pytest.raises(InputError, match=f"has no column '{column}'"):
        import_file(
            tmp_path / "counts.npy", tmp_path / "run", sigma=1.0, label_column=column
        )


def test_archives_that_cannot_be_read_are_refused(tmp_path):
    whole = write(tmp_path / "whole.npz", None).read_bytes()
    for name, content, message in (
        ("empty.npz", b"", "is empty: it holds no rows"),
        ("cut.npz", whole[:-30], "cannot be read as a table"),
        ("flipped.npz", whole.replace(b"\x93NUMPY", b"\x93NUMPX"), "cannot be read"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            import_file(tmp_path / name, tmp_path / "run", sigma=1.0)


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([["2020-01-01", "1970-01-01"]], dtype="M8[D]"),
        np.array([[1, 2]], dtype="m8[s]"),
        np.array([[True, False]]),
        np.array([[1 + 0j, 2 + 0j]]),
    ],
    ids=["dates", "durations", "truth values", "complex numbers"],
)
@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_other_things_than_numbers_are_no_counts(tmp_path, matrix, suffix):
    file = tmp_path / f"counts{suffix}"
    if suffix == ".npy":
        np.save(file, matrix)
    elif matrix.dtype.kind == "c":
        pytest.skip("Parquet has no complex numbers")
    else:
        pd.DataFrame(matrix, columns=["0", "1"]).to_parquet(file)
    with pytest.raises(InputError, match=r"row 0, column 0: .* is not a number"):
        import_file(file, tmp_path / "run", sigma=1.0)


def test_missing_whole_numbers_of_parquet_are_missing(tmp_path):
    table = pd.DataFrame({"a": [7, 4], "b": [3, None]}).astype("Int64")
    table.to_parquet(tmp_path / "counts.parquet")
    with pytest.raises(InputError, match=r"row 1, column b: .* is missing"):
        import_file(tmp_path / "counts.parquet", tmp_path / "run", sigma=1.0)


def test_quotes_spaces_and_remarks_do_not_matter(tmp_path):
    (tmp_path / "counts.csv").write_text(
        '# by me, in 2026\n"a, or b", c ,label\n\n 7, 3,0\n# a remark\n"4",6,1\n'
    )
    import_file(tmp_path / "counts.csv", tmp_path / "run", sigma=1.0)
    votes = read_run(tmp_path / "run")
    assert votes.counts.tolist() == [[7, 3], [4, 6]]
    names = RunDirectory(tmp_path / "run").manifest.data.class_names
    assert names == ["a, or b", "c"]


@pytest.mark.parametrize("damage", ["cut", "deleted", "killed before it was written"])
def test_importing_again_mends_a_damaged_run(tmp_path, damage):
    file, run = write(tmp_path / "counts.csv", frame()), tmp_path / "run"
    import_file(file, run, sigma=0.25)
    [part] = RunDirectory(run).parts
    if damage == "cut":
        part.write_bytes(part.read_bytes()[:100])
    else:
        part.unlink()
    if damage.startswith("killed"):
        (part.parent / f".{part.name}.tmp").write_bytes(b"PAR1")
    import_file(file, run, sigma=0.25)
    np.testing.assert_array_equal(read_run(run).counts, VOTES.counts)


def test_the_noise_of_a_counts_table_is_said_stored_and_certified(tmp_path):
    file, out = tmp_path / "counts.csv", tmp_path / "run"
    file.write_text("90,10\n60,40\n")
    import_file(file, out, sigma=0.5, noise="uniform")
    certificates = certify_path(out)
    assert (certificates.norm, list(certificates.radii)) == ("l1", ["lee"])
    with pytest.raises(InputError, match="holds another run: noise"):
        import_file(file, out, sigma=0.5)
    with pytest.raises(InputError, match="unknown noise 'poisson'"):
        import_file(file, tmp_path / "other", sigma=0.5, noise="poisson")
    import_file(file, tmp_path / "theirs", sigma=0.5, noise="poisson", norm="linf")
    assert read_run(tmp_path / "theirs").noise == Noise("poisson", "linf")
