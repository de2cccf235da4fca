"""What functions of others return for a dataset: made one, or told what it is."""

import numpy as np
import pytest
import torch

from simplicert.data import Dataset, load_dataset
from simplicert.data.catalogue import DATASETS
from simplicert.data.given import as_dataset
from simplicert.errors import InputError

INPUTS = np.random.default_rng(0).random((3, 1, 4, 4), np.float32)
LABELS = [0, 1, 2]


class ByNumber:
    def __len__(self):
        return 3

    def __getitem__(self, row):
        return INPUTS[row], LABELS[row]


def pairs(items):
    """What a collate_fn of the user's may return."""
    return np.stack([x for x, _ in items]), [y for _, y in items]


class OneAfterAnother:
    def __iter__(self):
        yield INPUTS, LABELS


class Table:
    def to_numpy(self):
        return INPUTS


@pytest.mark.parametrize(
    "made",
    [
        INPUTS,
        (INPUTS, LABELS),
        (list(INPUTS), LABELS),
        (INPUTS.tolist(), np.array(LABELS, np.float64)),
        (INPUTS.astype(np.float64), np.array(LABELS)[:, None]),
        as_dataset(INPUTS, LABELS),
        list(INPUTS),
        [torch.tensor(x) for x in INPUTS],
        [(x, y) for x, y in zip(INPUTS, LABELS, strict=True)],
        ByNumber(),
        torch.utils.data.TensorDataset(torch.tensor(INPUTS), torch.tensor(LABELS)),
        torch.utils.data.TensorDataset(torch.tensor(INPUTS)),
        torch.utils.data.DataLoader(ByNumber(), batch_size=2),
        torch.utils.data.DataLoader(ByNumber(), batch_size=None),
        torch.utils.data.DataLoader(ByNumber(), batch_size=2, collate_fn=pairs),
        [{"image": x, "label": y} for x, y in zip(INPUTS, LABELS, strict=True)],
    ],
    ids=range(16),
)
def test_inputs_and_labels_in_any_usual_shape_are_a_dataset(made):
    dataset = DATASETS.find(lambda split: made)(split="test")
    np.testing.assert_array_equal(dataset.read(np.arange(3)), INPUTS)
    assert dataset.labels is None or dataset.labels.tolist() == LABELS


TOLD = {
    "nothing": (lambda: None, "got a NoneType: does the function return"),
    "a name": (lambda: "digits", "got a str: simplicert.data.load_dataset gives"),
    "a generator": (lambda: iter(ByNumber()), r"make a list of it, list\(it\)"),
    "a loader": (OneAfterAnother, "OneAfterAnother: it gives one thing after another"),
    "a dictionary": (lambda: {"x": INPUTS}, "got a dict: give the inputs and labels"),
    "a table": (Table, r"got a Table: give its to_numpy\(\)"),
    "three": (lambda: (INPUTS, LABELS, LABELS), r"a tuple of 3: return the two"),
    "none of two": (lambda: (), "a tuple of 0: return the two"),
    "unequal": (
        lambda: [INPUTS[0], INPUTS[0, :, 1:]],
        "input 1 has shape .* unequal shapes",
    ),
    "complex": (lambda: INPUTS * 1j, "inputs must be numbers.*got complex"),
    "no images": (lambda: INPUTS[:0], r"of shape \(0, 1, 4, 4\)"),
    "a generator of labels": (
        lambda: (INPUTS, iter(LABELS)),
        "labels must be one class an image, got a list_iterator: give a list",
    ),
    "names": (lambda: (INPUTS, list("abc")), r"such as \['a'\].*names\.index"),
    "labels of unequal shapes": (lambda: (INPUTS, [0, [1], 2]), "labels are object"),
    "gigantic labels": (lambda: (INPUTS, [10**400, 0, 1]), "labels are object"),
    "one too few": (lambda: (INPUTS, [0, 1]), "labels must be 3 classes.*got 2"),
    "negative": (lambda: (INPUTS, [-1, 0, 1]), "labels must be 3 classes.*from -1"),
    "no numbers": (lambda: (INPUTS, [0, np.nan, 1]), "image 1 has label nan"),
    "1e300": (lambda: (INPUTS, [0, 1e300, 1]), r"image 1 has label 1e\+300.*too large"),
}


@pytest.mark.parametrize(("make", "told"), TOLD.values(), ids=TOLD)
def test_anything_else_is_told_what_it_is_and_how_to_make_one(make, told):
    with pytest.raises(InputError, match=told):
        DATASETS.find(lambda split: (split, make())[1])(split="test")


@pytest.mark.parametrize(
    ("inputs", "labels", "told"),
    [
        (torch.tensor(INPUTS).bfloat16(), LABELS, "images cannot become .*BFloat16"),
        (torch.tensor(INPUTS).to_sparse(), LABELS, "images cannot become .*to_dense"),
        (torch.empty(3, 1, 4, 4, device="meta"), LABELS, "images cannot .*no data"),
        (INPUTS, torch.ones(3, dtype=torch.bfloat16), "labels cannot become"),
        (np.ma.masked_less(INPUTS, 0.5), LABELS, "images are masked in part"),
        (INPUTS, np.ma.masked_equal(LABELS, 1), "labels are masked in part"),
    ],
    ids=range(6),
)
def test_values_that_no_array_can_have_are_refused(inputs, labels, told):
    with pytest.raises(InputError, match=told):
        as_dataset(inputs, labels)


def test_the_name_of_a_dataset_is_not_an_array():
    with pytest.raises(InputError, match="load_dataset gives the dataset of a name"):
        as_dataset("digits", None)


def test_the_digest_of_arrays_is_that_of_earlier_versions():
    inputs = np.zeros((2, 1, 2, 2), np.float32)
    narrow = np.array([0, 1], np.int32)
    digests = [as_dataset(inputs, labels).digest for labels in ([0, 1], narrow, None)]
    assert [digest[:8] for digest in digests] == ["47ebc1df", "4aefeea7", "66687aad"]


def dataset(labels, class_names=()):
    return Dataset(
        name="toy",
        split="test",
        shape=(1, 1, 1),
        class_names=class_names,
        labels=None if labels is None else np.array(labels),
        indices=np.arange(3),
        reader=lambda rows: np.zeros((len(rows), 1, 1, 1), np.float32),
        fingerprint=str,
    )


@pytest.mark.parametrize(
    ("labels", "names", "told"),
    [
        ([0, 1, 2], (), None),
        ([1, 1, 0], (), None),
        (None, (), None),
        ([0, 1, 2], ("a", "b", "c"), None),
        (
            [1, 2, 3],
            (),
            r"0 … 2.*has a label 3: labels start at 0.*these at 1.*subtract",
        ),
        ([0, 1, 5], (), r"0 … 2.*has a label 5: check the labels"),
        (None, ("a", "b"), "has 3 classes but toy has 2: check the labels"),
        ([1, 2, 3], tuple("0123"), "toy has 4: labels start at 0, and these at 1"),
    ],
)
def test_a_classifier_of_three_classes(labels, names, told):
    if told is None:
        dataset(labels, names).check_classes(3)
        return
    with pytest.raises(InputError, match=told):
        dataset(labels, names).check_classes(3)


def test_labels_that_start_at_1_are_said_before_any_draw(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 4), np.uint8), labels=[1, 2, 3])
    notes = load_dataset(str(tmp_path / "a.npz")).notes
    assert any("labels start at 1" in note for note in notes)
    assert any("labels start at 1" in n for n in as_dataset(INPUTS, [1, 2, 3]).notes)


@pytest.mark.parametrize("kind", ["U1", "S1"])
def test_names_are_numbered_where_the_classes_have_names(tmp_path, kind):
    arrays = {"images": np.zeros((3, 4, 4), np.uint8), "class_names": ["b", "a"]}
    labels = np.array(["a", "b", "a"], kind)
    np.savez(tmp_path / "a.npz", labels=labels, **arrays)
    assert load_dataset(str(tmp_path / "a.npz")).labels.tolist() == [1, 0, 1]
    labels[1] = "c"
    np.savez(tmp_path / "a.npz", labels=labels, **arrays)
    with pytest.raises(InputError, match=r"image 1 has label 'c', which is none of"):
        load_dataset(str(tmp_path / "a.npz"))
