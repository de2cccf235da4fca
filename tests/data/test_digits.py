import pickle

import numpy as np
import pytest

from simplicert.data import load_dataset
from simplicert.errors import InputError


def test_the_split_is_balanced_and_disjoint():
    train, test = (load_dataset("digits", split=split) for split in ("train", "test"))
    assert sorted([*train.indices, *test.indices]) == list(range(1797))
    assert np.bincount(test.labels).min() >= 34
    assert len(test) >= 300


def test_the_split_and_the_pixels_never_change():
    # Recorded once: a run on disk names this digest, and must find the same images.
    assert (
        load_dataset("digits").digest
        == "6150ffb38b98d9ee00309dd12030a2c3061964989f8c0f6bb5f1c161d7065e3c"
    )
    np.testing.assert_array_equal(
        load_dataset("digits").indices[:5], [33, 36, 37, 40, 44]
    )


def test_pixels_are_the_scans_in_the_unit_interval():
    digits = load_dataset("digits")
    images = digits.read(np.array([3, 0]))
    assert images.dtype == np.float32
    assert images.shape == (2, *digits.shape)
    everything = digits.read(np.arange(len(digits)))
    assert everything.min() == 0
    assert everything.max() == 1
    np.testing.assert_array_equal(everything[[3, 0]], images)
    np.testing.assert_array_equal(everything * 16, np.rint(everything * 16))


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match=r"unknown split of digits 'tset'.*'test'"):
        load_dataset("digits", split="tset")


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(InputError, match=r"simplicert\[digits\]"):
        load_dataset("digits")


def test_digits_are_of_one_size():
    with pytest.raises(InputError, match="one size: leave out the size"):
        load_dataset("digits", size=16)


def test_digits_go_to_worker_processes_that_are_spawned():
    digits = load_dataset("digits")
    copy = pickle.loads(pickle.dumps(digits))
    assert copy.digest == digits.digest
    np.testing.assert_array_equal(copy.read(np.arange(9)), digits.read(np.arange(9)))
