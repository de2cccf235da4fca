"""Arrays of any shape, in .npz and .npy: which are images, and which are not."""

import os

import numpy as np
import pytest

from simplicert.data import load_dataset
from simplicert.errors import InputError

RNG = np.random.default_rng(0)
WIDE = RNG.normal(size=(4, 5))
SIGNALS = RNG.normal(size=(4, 2, 30)).astype(np.float32)
GREY = RNG.random((4, 6, 6), np.float32)
BANDS = RNG.random((4, 13, 6, 6), np.float32)
LABELS = np.array([0, 1, 2, 1])


def saved(tmp_path, form, array, name="x"):
    path = tmp_path / f"a.{form}"
    if form == "npz":
        np.savez(path, **{name: array, "labels" if name != "x" else "y": LABELS})
    else:
        np.save(path, array)
        np.save(tmp_path / "a_labels.npy", LABELS)
    return str(path)


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(
    ("array", "shape", "unit"),
    [
        (WIDE, (5,), "the inputs' own numbers"),
        (WIDE > 0, (5,), "the inputs' own numbers"),
        ((9 * WIDE).astype(np.int64), (5,), "the inputs' own numbers"),
        (SIGNALS, (2, 30), "the inputs' own numbers"),
        (GREY, (1, 6, 6), "pixels"),
        (BANDS, (13, 6, 6), "pixels"),
        (RNG.normal(size=(4, 2, 3, 3, 3)), (2, 3, 3, 3), "the inputs' own numbers"),
    ],
    ids=["wide", "bool", "whole", "signals", "grey", "bands", "volumes"],
)
def test_arrays_of_any_shape_are_read(tmp_path, form, array, shape, unit):
    dataset = load_dataset(saved(tmp_path, form, array))
    assert (dataset.shape, dataset.unit.name) == (shape, unit)
    assert dataset.labels.tolist() == LABELS.tolist()
    found = dataset.read(np.array([2, 0]))
    np.testing.assert_array_equal(found, array[[2, 0]].reshape(2, *shape))
    assert found.dtype == (np.float64 if array.dtype.itemsize == 8 else np.float32)


def test_signals_that_look_like_grey_images_are_named(tmp_path):
    assert load_dataset(saved(tmp_path, "npz", GREY)).shape == (1, 6, 6)
    dataset = load_dataset(saved(tmp_path, "npz", GREY, name="signals"))
    assert (dataset.shape, dataset.unit.low) == ((6, 6), None)
    assert dataset.notes == ()


def test_bytes_of_many_bands_are_pixels(tmp_path):
    bands = RNG.integers(0, 256, (4, 13, 6, 6), np.uint8)
    dataset = load_dataset(saved(tmp_path, "npy", bands))
    np.testing.assert_array_equal(
        dataset.read(np.array([1])), bands[1:2].astype(np.float32) / 255
    )


def test_an_array_stays_in_its_file(tmp_path):
    dataset = load_dataset(saved(tmp_path, "npy", WIDE))
    assert isinstance(dataset.reader.values, np.memmap)
    assert not isinstance(dataset.read(np.array([1])), np.memmap)


def test_texts_of_embeddings(tmp_path):
    path = tmp_path / "e.npz"
    np.savez(path, embeddings=WIDE, labels=LABELS, text=["a" * 300, "b", "c", "d"])
    dataset = load_dataset(str(path))
    assert (len(dataset.texts(0)), dataset.texts(3)) == (200, "d")
    np.savez(path, embeddings=WIDE, labels=LABELS, text=["a", "b"])
    with pytest.raises(InputError, match=r"4 inputs and texts of shape \(2,\)"):
        load_dataset(str(path))


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.float64(3), r"no inputs in an array of shape \(\)"),
        (np.zeros(3), r"no inputs in an array of shape \(3,\)"),
        (np.zeros((0, 3)), r"no inputs in an array of shape \(0, 3\)"),
        (np.zeros((3, 0)), r"no inputs in an array of shape \(3, 0\)"),
        (np.array([["a"]] * 4), "<U1, no numbers"),
        (WIDE * 1j, "complex128, no"),
    ],
)
def test_what_is_no_inputs_is_refused(tmp_path, form, array, told):
    with pytest.raises(InputError, match=told):
        load_dataset(saved(tmp_path, form, array))


def test_an_array_cut_short_or_pickled_or_a_pipe_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, WIDE)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"a.npy cannot be read as a plain array"):
        load_dataset(str(path))
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match=r"a.npy cannot be read as a plain array"):
        load_dataset(str(path))
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"a.npy cannot be read as a plain array"):
        load_dataset(str(path))
    np.save(path, WIDE)
    os.mkfifo(tmp_path / "a_labels.npy")
    with pytest.raises(InputError, match=r"a_labels.npy is a pipe"):
        load_dataset(str(path))


def test_labels_beside_an_array(tmp_path):
    path = saved(tmp_path, "npy", WIDE)
    with pytest.raises(InputError, match=r"holds labels, by its name: give .* a.npy"):
        load_dataset(str(tmp_path / "a_labels.npy"))
    np.save(tmp_path / "a_labels.npy", LABELS[:2])
    with pytest.raises(InputError, match="4 images and 2 labels"):
        load_dataset(path)
    (tmp_path / "a_labels.npy").unlink()
    dataset = load_dataset(path)
    assert dataset.labels is None
    assert any("looked for in a_labels.npy" in note for note in dataset.notes)
    with pytest.raises(InputError, match=r"unknown split.*'train'. Known: test"):
        load_dataset(path, split="train")
