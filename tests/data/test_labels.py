"""Labels as files hold them: wrong ones are refused, hidden ones are none."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.data.labels import labels_of, numbered_classes
from simplicert.errors import InputError

IMAGES = np.zeros((3, 4, 4), dtype=np.uint8)


def from_npz(path, labels, **arrays):
    np.savez(path / "toy.npz", images=IMAGES[:3], labels=np.array(labels), **arrays)
    return load_dataset(str(path / "toy.npz"))


def from_parquet(path, labels):
    file = io.BytesIO()
    Image.fromarray(IMAGES[0]).save(file, "PNG")
    table = pa.table({"img": [file.getvalue()] * 3, "label": labels})
    pq.write_table(table, path / "test.parquet")
    return load_dataset(str(path))


@pytest.mark.parametrize("load", [from_npz, from_parquet])
@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ([0, 1.7, 1], r"image 1 has label 1\.7.*no whole number \(1 such"),
        ([0, float("nan"), 1], r"image 1 has label nan, which is missing"),
        (["cat", "dog", "cat"], r"such as \['cat'\]: give the number"),
        ([[1, 0], [0, 1], [1, 0]], r"split 'test': labels"),
        ([0, -2, 1], r"image 1 has label -2, but labels must be in \[0, 1\]"),
        ([0, 10**6, 1], r"split 'test': there is a label 1000000"),
    ],
)
def test_labels_that_are_no_classes_are_refused(tmp_path, load, labels, complaint):
    with pytest.raises(InputError, match=complaint):
        load(tmp_path, labels)


def test_a_missing_label_is_refused(tmp_path):
    with pytest.raises(InputError, match="image 1 has label nan, which is missing"):
        from_parquet(tmp_path, [0, None, 1])


@pytest.mark.parametrize("labels", [[], [0, 1], [0, 1] * 15])
def test_as_many_labels_as_images(tmp_path, labels):
    labels = np.array(labels, dtype=np.int64)
    with pytest.raises(InputError, match=f"3 images and {len(labels)} labels"):
        from_npz(tmp_path, labels)


@pytest.mark.parametrize("load", [from_npz, from_parquet])
@pytest.mark.parametrize("labels", [[0.0, 2.0, 1.0], [0, 2, 1]])
def test_whole_numbers_of_any_type_are_labels(tmp_path, load, labels):
    dataset = load(tmp_path, labels)
    assert dataset.labels.dtype == np.int64
    np.testing.assert_array_equal(dataset.labels, [0, 2, 1])
    assert dataset.class_names == ("0", "1", "2")


@pytest.mark.parametrize("load", [from_npz, from_parquet])
def test_hidden_labels_are_no_labels(tmp_path, load):
    dataset = load(tmp_path, [-1, -1, -1])
    assert dataset.labels is None
    assert dataset.class_names == ()


def test_class_names_are_text(tmp_path):
    assert from_npz(tmp_path, [0, 1, 0], class_names=[7, 9]).class_names == ("7", "9")


def test_names_that_several_classes_have_are_no_labels(tmp_path):
    with pytest.raises(InputError, match="several classes have the same"):
        from_npz(tmp_path, ["a", "b", "b"], class_names=["a", "b", "a"])


def test_labels_beyond_64_bits_are_refused():
    with pytest.raises(InputError, match=f"has label {2**64 - 1}"):
        labels_of("here", np.array([2**64 - 1], dtype=np.uint64))


def test_no_images_have_no_classes():
    empty = labels_of("here", np.zeros(0, dtype=np.uint8))
    assert len(empty) == 0
    assert numbered_classes("here", empty) == ()
