import numpy as np
import pytest

from simplicert.data import Dataset, load_dataset
from simplicert.errors import InputError


def make(labels, indices):
    return Dataset(
        name="toy",
        split="test",
        shape=(1, 1, 1),
        class_names=("a", "b"),
        labels=None if labels is None else np.asarray(labels, np.int64),
        indices=np.asarray(indices, np.int64),
        reader=lambda rows: rows.astype(np.float32)[:, None, None, None] / 100,
        fingerprint=lambda: "0" * 64,
    )


def test_reading_is_by_position_and_selecting_keeps_the_indices():
    dataset = make([0, 1, 0], [10, 20, 30])
    chosen = dataset.select(np.array([2, 1])).select(np.array([1]))
    np.testing.assert_array_equal(chosen.indices, [20])
    np.testing.assert_array_equal(chosen.labels, [1])
    assert chosen.read(np.array([0])).item() == pytest.approx(0.2)
    assert chosen.digest == dataset.digest


def test_labels_may_be_missing():
    assert make(None, [1, 2]).select(np.array([1])).labels is None


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_class_name_is_refused(label):
    with pytest.raises(InputError, match=rf"image 20 has label {label}.*\[0, 1\]"):
        make([0, label], [10, 20])


@pytest.mark.parametrize("labels", [[0], [0, 1, 0]])
def test_another_number_of_labels_is_refused(labels):
    with pytest.raises(InputError, match=rf"2 images and {len(labels)} labels"):
        make(labels, [10, 20])


def test_an_empty_dataset_is_refused():
    with pytest.raises(InputError, match="no images"):
        make([], [])


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="did you mean 'digits'"):
        load_dataset("digit")
