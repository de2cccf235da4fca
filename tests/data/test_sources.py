"""What other libraries hold: read once, by number, and the same each time."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import simplicert as sc
from simplicert.classifiers import NumpyClassifier
from simplicert.data import items
from simplicert.data.given import as_dataset
from simplicert.errors import InputError

INPUTS = np.random.default_rng(0).random((5, 3))
LABELS = [0, 1, 2, 0, 1]


def pairs():
    return [*zip(INPUTS, LABELS, strict=True)]


class Lazy(Dataset):
    """One that says how often it was asked."""

    asked = 0

    def __init__(self, made=None):
        self.made = made or (lambda row: (INPUTS[row], LABELS[row]))

    def __len__(self):
        return 5

    def __getitem__(self, row):
        self.asked += 1
        return self.made(row)


def test_what_is_the_same_has_the_same_digest():
    made = [
        (INPUTS, LABELS),
        pairs(),
        Lazy(),
        DataLoader(Lazy(), batch_size=2),
        TensorDataset(torch.tensor(INPUTS), torch.tensor(LABELS)),
    ]
    assert len({as_dataset(each, None).digest for each in made}) == 1
    assert as_dataset(list(INPUTS), LABELS).digest == as_dataset(pairs(), None).digest
    assert as_dataset(list(INPUTS), None).digest == as_dataset(INPUTS, None).digest


def test_many_inputs_are_got_when_they_are_read(monkeypatch):
    source = Lazy()
    kept = as_dataset(Lazy(), None)
    monkeypatch.setattr(items, "KEPT", 50)
    dataset = as_dataset(source, None)
    asked = source.asked
    np.testing.assert_array_equal(dataset.read(np.array([3, 1])), INPUTS[[3, 1]])
    assert source.asked == asked + 2
    assert (dataset.digest, dataset.labels.tolist()) == (kept.digest, LABELS)
    source.made = lambda row: (INPUTS[row] + (row == 3), 0)
    dataset.read(np.array([1]))
    with pytest.raises(InputError, match="another input 3 each time that it is asked"):
        dataset.read(np.array([3]))


def test_random_transforms_are_refused_before_any_draw():
    generator = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"another input 0 each time.*transforms that"):
        as_dataset(Lazy(lambda row: (generator.random(3), 0)), None)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(pairs())


REFUSED = {
    "shuffled": (
        lambda: DataLoader(Lazy(), shuffle=True),
        r"order of a RandomSampler.*loader\.dataset, or DataLoader\(\.\.\., shuffle=F",
    ),
    "sampler": (
        lambda: DataLoader(Lazy(), sampler=torch.utils.data.SubsetRandomSampler([0])),
        "order of a SubsetRandomSampler",
    ),
    "other batches": (
        lambda: DataLoader(
            Lazy(),
            batch_sampler=torch.utils.data.BatchSampler(
                torch.utils.data.RandomSampler(range(5)), 2, drop_last=False
            ),
        ),
        "order of a RandomSampler",
    ),
    "dropped batches": (
        lambda: DataLoader(
            Lazy(),
            batch_sampler=torch.utils.data.BatchSampler(
                torch.utils.data.SequentialSampler(range(5)), 2, drop_last=True
            ),
        ),
        "drops the last 1 of 5 inputs",
    ),
    "some": (
        lambda: DataLoader(Lazy(), sampler=torch.utils.data.SequentialSampler([0, 1])),
        "order of a SequentialSampler, so that none",
    ),
    "dropped": (
        lambda: DataLoader(Lazy(), batch_size=2, drop_last=True),
        "drops the last 1 of 5 inputs: .*drop_last=False",
    ),
    "stream": (Stream, "Stream: it gives one thing after another: make a list"),
    "streaming": (lambda: DataLoader(Stream()), "order of a _InfiniteConstantSampler"),
    "nothing": (list, "has no inputs"),
    "three": (lambda: [(INPUTS[0], 0, 1)], "item 0 is a tuple of 3: give pairs"),
    "names": (lambda: [{"a": 1, "b": 2}], "a dictionary of a, b: give pairs"),
    "texts": (lambda: ["a", "b"], r"input 0 of \w+ must be an array of numbers, got a"),
    "numbers": (lambda: [0.5, 0.1], "must be an array of numbers, got a float"),
    "unequal": (lambda: [INPUTS[0], INPUTS[0, 1:]], r"input 1 has shape \(2,\)"),
    "ragged": (lambda: [[[1, 2], [3]]], "input 0 .* is a list of unequal shapes"),
    "half labelled": (lambda: [(INPUTS[0], 1), INPUTS[1]], "input 1 has a label, or"),
    "soft labels": (lambda: [(INPUTS[0], [0.5, 0.5])], r"labels have shape \(1, 2\)"),
    "negative": (lambda: [(INPUTS[0], -1), (INPUTS[1], 0)], "integers from 0"),
    "its error": (lambda: Lazy(lambda row: 1 / 0), r"Lazy\[0\] raised ZeroDivision"),
}


@pytest.mark.parametrize(("make", "told"), REFUSED.values(), ids=REFUSED)
def test_what_gives_no_inputs_by_number_is_told_the_cure(make, told):
    with pytest.raises(InputError, match=told):
        as_dataset(make(), None)


def test_a_picture_of_pillows_is_told_the_transform():
    from PIL import Image

    with pytest.raises(InputError, match=r"picture of Pillow's: .*ToTensor\(\)"):
        as_dataset([(Image.new("L", (4, 4)), 0)], None)


def test_labels_come_once():
    for given in (pairs(), Lazy(), (INPUTS, LABELS)):
        with pytest.raises(InputError, match="labels of its own"):
            as_dataset(given, LABELS)


def test_a_data_frame_is_a_table():
    frame = pd.DataFrame(INPUTS, columns=["a", "b", "c"], index=[9, 8, 7, 6, 5])
    dataset = as_dataset(frame.assign(label=["x", "y", "x", "y", "z"]), None)
    assert dataset.features == ("a", "b", "c")
    assert dataset.class_names == ("x", "y", "z")
    assert dataset.indices.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(dataset.read(np.array([4])), INPUTS[4:])
    beside = as_dataset(frame, LABELS)
    assert beside.labels.tolist() == LABELS
    assert beside.digest != as_dataset(frame, None).digest != dataset.digest
    with pytest.raises(InputError, match=r"must be 5 classes.*got 2"):
        as_dataset(frame, [0, 1])
    with pytest.raises(InputError, match="labels of its own"):
        as_dataset(frame.assign(y=LABELS), LABELS)
    kinds = pd.Categorical([2, 1, 1, 0, 0])
    assert as_dataset(frame.assign(y=kinds), None).labels.tolist() == [2, 1, 1, 0, 0]
    with pytest.raises(InputError, match="column 'd' holds Timestamp"):
        as_dataset(frame.assign(d=pd.Timestamp("2020-01-01")), None)
    with pytest.raises(InputError, match="column 'd' holds a missing number in row 1"):
        as_dataset(frame.assign(d=pd.array([1, None, 3, 4, 5], "Int64")), None)
    for strange in ([1j] * 5, [1, 2, 1j, 3, 4]):
        with pytest.raises(InputError, match=r"column 'd' holds .*which is no number"):
            as_dataset(frame.assign(d=strange).astype({"d": object}), None)
    with pytest.raises(InputError, match="two columns that are called 'a'"):
        as_dataset(pd.concat([frame, frame], axis=1), None)


@pytest.mark.parametrize("height", [1.0, 255.0])
def test_images_are_levels_whatever_they_are_in(height):
    images = np.random.default_rng(0).random((2, 1, 3, 3), np.float32) * height
    half = NumpyClassifier(
        lambda x: (x.mean(axis=(1, 2, 3)) > height / 2).astype(int),
        output="labels",
        classes=2,
    )
    how = {"sigma": 60, "draws": 200, "seed": 0, "unit": "levels"}
    votes = sc.sample(half, images, **how)
    if height == 1:
        assert votes.manifest.data.unit.scale == (1 / 255,)
        return
    assert votes.manifest.data.unit.scale is None
    same = sc.sample(half, images, **how | {"unit": "plain"})
    np.testing.assert_array_equal(votes.counts, same.counts)


def test_they_are_sampled_as_arrays_are():
    above = NumpyClassifier(
        lambda x: (x.sum(axis=1) > 1.5).astype(int), output="labels", classes=3
    )
    how = {"sigma": 0.5, "draws": 100, "seed": 0}
    expected = sc.sample(above, INPUTS, labels=LABELS, **how)
    frame = pd.DataFrame(INPUTS, columns=["a", "b", "c"]).assign(label=LABELS)
    for given in (pairs(), DataLoader(Lazy(), batch_size=2), frame):
        votes = sc.sample(above, given, **how)
        np.testing.assert_array_equal(votes.counts, expected.counts)
        assert votes.labels.tolist() == LABELS
    smoothed = sc.SmoothedClassifier(above, sigma=0.5, seed=0)
    frame = frame.drop(columns="label")
    assert len(smoothed.certify(frame, draws=100).radius) == 5
