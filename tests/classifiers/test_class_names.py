"""Names of classes on both sides: the same, in another order, or others."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import simplicert as sc
from simplicert.classifiers import TorchClassifier
from simplicert.classifiers.adapted import reordered
from simplicert.classifiers.class_names import in_order_of
from simplicert.data.given import as_dataset
from simplicert.errors import InputError
from simplicert.models import Metadata, build_model, save_checkpoint

COLOURS = "red", "blue", "grey", "black", "white", "tan", "pied", "dun", "roan", "buff"
MANY = tuple(
    f"{animal} {c}" for animal in ("cat", "dog", "cow", "hen", "owl") for c in COLOURS
)


class Last(nn.Module):
    """Its class is written in the first pixels."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, images):
        return 2 * images.flatten(1)[:, : self.classes]


def classifier(names):
    return TorchClassifier(Last(len(names)), class_names=names)


def order(theirs, ours):
    """Which of the model's classes becomes each of the data's."""
    found = in_order_of(classifier(theirs), ours, source="data")
    forward = found.ready(
        (1, 5, 10), precision="fp32", device=torch.device("cpu"), runtime="eager"
    )
    images = torch.arange(50.0).view(1, 1, 5, 10)
    return (forward(images)[0] / 2).int().tolist()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("cat", "dog"), ("cat", "dog")),
        (("Cat", "hot_dog"), ("cat", "hot dog")),
        (("tench, Tinca tinca", "goldfish"), ("tench", "goldfish, Carassius auratus")),
        (("crane", "dog", "crane"), ("crane", "dog", "crane")),
        ((), ("cat", "dog")),
        (("LABEL_0", "LABEL_1"), ("cat", "dog")),
        (("0", "1"), ("cat", "dog")),
        (("dog", "cat"), ("n02084071", "n02121620")),
        (("LABEL_1", "LABEL_0"), ("LABEL_0", "LABEL_1")),
        (tuple(map(str, range(12))), tuple(sorted(map(str, range(12))))),
        (("2", "3", "1"), ("1", "2", "3")),
        (MANY, ("scarlet cat", "navy cat", *MANY[2:])),  # in other words
        (("cat", "dog", "cow"), ("cat", "dog")),  # said elsewhere, by the numbers
    ],
)
def test_names_that_agree_or_say_nothing_change_nothing(theirs, ours):
    network = classifier(theirs)
    assert in_order_of(network, ours, source="data") is network


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (("dog", "cat"), ("cat", "dog"), [1, 0]),
        (("b", "c", "a"), ("A", "B", "C"), [2, 0, 1]),
        (("dog, hound", "cat, puss"), ("puss", "hound"), [1, 0]),
        (MANY, MANY[::-1], [*range(49, -1, -1)]),
        (("B747", "A320", "F16"), ("A320", "B747", "F16"), [1, 0, 2]),
        (("n9", "n07", "n8"), ("n8", "n9", "n07"), [2, 0, 1]),
        (("Br\u00f6tchen", "b"), ("b", "Bro\u0308tchen"), [1, 0]),
        (MANY, (MANY[1], MANY[0], *MANY[2:]), [1, 0, *range(2, 50)]),
    ],
)
def test_another_order_is_mapped(theirs, ours, expected):
    assert order(theirs, ours) == expected


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("cat", "dog"), ("cat", "cow")),
        (("cat", "dog"), ("dog", "cow")),
        (("cat", "dog", "cat"), ("dog", "cat", "cat")),  # two places to choose from
        (MANY, ("a", "b", "c", *MANY[3:])),  # too many for that
        (MANY, ("a", MANY[0], *MANY[2:])),  # in another order, too
        (("1 cat", "dog"), ("cat", "dog")),
    ],
)
def test_other_classes_are_refused_side_by_side(theirs, ours):
    with pytest.raises(
        InputError, match=r"data name different classes \(\d+: '.*' and"
    ):
        in_order_of(classifier(theirs), ours, source="data")


def test_the_order_is_part_of_what_is_certified_and_votes_are_the_data_s():
    images = np.zeros((2, 1, 5, 5), np.float32)
    images[0, 0, 0, 0] = images[1, 0, 0, 1] = 1  # a dog and a cat, as the model has it
    data = as_dataset(images, np.array([1, 0]))
    named = replace(data, class_names=("cat", "dog"))
    model = classifier(("dog", "cat"))
    votes = sc.sample(model, named, sigma=0.1, draws=100, seed=0)
    assert votes.counts.argmax(axis=1).tolist() == votes.labels.tolist()
    plain = sc.sample(model, data, sigma=0.1, draws=100, seed=0)
    np.testing.assert_array_equal(votes.counts, plain.counts[:, ::-1])
    np.testing.assert_array_equal(votes.score_sums, plain.score_sums[:, ::-1])
    digests = {model.digest}
    for one in ([1, 0], [0, 1]):
        digests.add(reordered(model, order=one, class_names=("a", "b")).digest)
    assert len(digests) == 3


def test_labels_are_put_in_order_too():
    def labels(images):
        return (images.flatten(1)[:, 0] > 0.5).long() * 2  # 0 or 2 of three

    network = nn.Module()
    network.forward = labels
    model = TorchClassifier(network, output="labels", classes=3)
    turned = reordered(model, order=[2, 0, 1], class_names=("a", "b", "c"))
    forward = turned.ready(
        (1, 1, 1), precision="fp32", device=torch.device("cpu"), runtime="eager"
    )
    found = forward(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
    assert found.tolist() == [1, 0]


def test_a_checkpoint_s_names_are_compared(tmp_path):
    module = build_model("small-cnn", shape=(1, 8, 8), classes=2)
    metadata = Metadata(
        architecture="small-cnn",
        shape=(1, 8, 8),
        class_names=("even", "odd"),
        dataset="digits",
        dataset_digest="0" * 64,
        sigma=0.5,
        recipe={},
        accuracy={},
        versions={},
    )
    save_checkpoint(tmp_path / "model.safetensors", module, metadata)
    images = as_dataset(np.zeros((1, 1, 8, 8), np.float32), [0])
    named = replace(images, class_names=("cat", "dog"))
    with pytest.raises(InputError, match="0: 'even' and 'cat', 1: 'odd' and 'dog'"):
        sc.sample(str(tmp_path / "model.safetensors"), named, sigma=0.5, draws=10)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: {"logits": rows, "features": rows[:, :1]},
        lambda rows: (rows,),
        lambda rows: SimpleNamespace(logits=rows),
        lambda rows: rows,
    ],
    ids=["dictionary", "tuple", "record", "plain"],
)
def test_whatever_the_outputs_are_wrapped_in_they_are_put_in_order(wrap):
    class Wrapped(Last):
        def forward(self, images):
            return wrap(super().forward(images))

    model = TorchClassifier(Wrapped(2), class_names=("dog", "cat"))
    images = np.zeros((1, 1, 2, 2), np.float32)
    images[0, 0, 0, 1] = 1.0  # the model's second class, cat: the data's first
    data = replace(as_dataset(images, [0]), class_names=("cat", "dog"))
    votes = sc.sample(model, data, sigma=1e-3, draws=10, seed=0)
    assert votes.counts.tolist() == [[10, 0]]


def test_of_two_classes_of_one_name_none_is_taken_for_the_data_s():
    """ImageNet has two cranes: labels of a bird are not those of a machine."""
    cranes = classifier(("crane", "dog", "crane", "owl"))
    some = replace(
        as_dataset(np.zeros((2, 1, 5, 10), np.float32), [0, 1]),
        class_names=("crane", "dog"),
    )
    with pytest.raises(InputError, match="has 4 classes but array has 2"):
        sc.sample(cranes, some, sigma=0.5, draws=10)
    owls = replace(some, class_names=("dog", "owl"))
    assert sc.sample(cranes, owls, sigma=0.5, draws=10).labels.tolist() == [1, 3]
