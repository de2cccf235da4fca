"""MAITE's protocols, as MAITE itself checks and uses them."""

import numpy as np
import pytest
import torch
from maite.protocols import generic
from maite.tasks import evaluate, predict

import simplicert as sc
from simplicert.analysis import certified_accuracy
from simplicert.exchange import (
    CertifiedAccuracy,
    CertifiedModel,
    from_maite_dataset,
    from_maite_model,
)

CLASSES = 3
PIXELS = np.random.default_rng(0).random((12, 1, 4, 4), dtype=np.float32)


class Theirs:
    """A MAITE model: three logits of an image, whose pixels reach ``scale``."""

    def __init__(self, scale=1.0, weight=8.0):
        self.scale, self.weight = scale, weight
        self.metadata = {"id": "theirs", "index2label": {0: "a", 1: "b", 2: "c"}}

    def __call__(self, batch, /):
        flat = np.stack([np.asarray(image).ravel() for image in batch]) / self.scale
        parts = [flat[:, k::CLASSES].mean(axis=1) for k in range(CLASSES)]
        return [torch.from_numpy(row) for row in self.weight * np.stack(parts, axis=1)]


class Pictures:
    """A MAITE data set, whose targets are one-hot."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        self.metadata = {"id": "pictures"}

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index, /):
        return self.images[index], np.eye(CLASSES)[self.labels[index]], {"id": index}


LABELS = np.array([row.argmax() for row in Theirs()(PIXELS)])
LABELS[:2] = (LABELS[:2] + 1) % CLASSES  # two that it gets wrong
HOW = {"sigma": 0.25, "draws": 500}


def test_maite_takes_them_for_its_own():
    model = CertifiedModel(from_maite_model(Theirs(), output="logits"), **HOW)
    assert isinstance(model, generic.Model)
    assert isinstance(CertifiedAccuracy(), generic.Metric)
    assert isinstance(Theirs(), generic.Model)
    assert isinstance(Pictures(PIXELS, LABELS), generic.Dataset)
    assert model.metadata["index2label"] == {0: "a", 1: "b", 2: "c"}
    assert model.metadata["id"] == (
        "theirs, smoothed by noise of sigma 0.25 and certified by 500 draws an image "
        "at alpha 0.001"
    )


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_evaluate_certifies_what_the_library_does(scale):
    theirs, data = Theirs(scale), Pictures(PIXELS * np.float32(scale), LABELS)
    classifier = from_maite_model(theirs, output="logits", scale=scale)
    dataset = from_maite_dataset(data, scale=scale)
    votes = sc.sample(classifier, dataset, **HOW, seed=3, batch=100)
    certificates = sc.certify(votes)
    model = CertifiedModel(classifier, **HOW, scale=scale, seed=3, batch=100)
    found, *_ = evaluate(
        model=model,
        dataset=data,
        metric=CertifiedAccuracy([0.0, 0.1, 0.2]),
        batch_size=len(PIXELS),
    )
    table = certified_accuracy(certificates, [0.0, 0.1, 0.2])
    shares = table[table.mechanism == certificates.mechanism].share.to_numpy()
    assert 0 < shares[2] < shares[0] < 1
    np.testing.assert_array_equal([*found.values()][:3], shares)
    radius = np.where(certificates.correct, certificates.radius, 0)
    assert found["average_certified_radius"] == pytest.approx(radius.mean(), rel=1e-12)
    assert found["abstained"] == (certificates.radius == 0).mean()
    assert found["images"] == len(PIXELS)


def test_the_class_of_a_row_is_the_certified_one():
    model = CertifiedModel(from_maite_model(Theirs(), output="logits"), **HOW)
    dataset = Pictures(PIXELS, LABELS)
    predictions, _ = predict(model=model, dataset=dataset, batch_size=5)
    rows = np.concatenate([np.stack(batch) for batch in predictions])
    assert rows.shape == (12, CLASSES)
    named = rows.max(axis=1) > 0
    assert named[2:].any()
    assert (rows.argmax(axis=1) == LABELS)[2:][named[2:]].all()
    assert not (rows.argmax(axis=1) == LABELS)[:2][named[:2]].any()


def test_batches_of_a_metric_add_up_and_reset():
    metric = CertifiedAccuracy([0.25])
    rows = [[0.5, 0.0], [0.0, 0.25], [0.0, 0.0], [0.0, 0.75]]
    targets = torch.eye(2)[[0, 1, 0, 0]]
    for i in range(4):
        metric.update([torch.tensor(rows[i])], [targets[i]], [{"id": i}])
    assert metric.compute() == {
        "certified_accuracy_at_0.25": 0.5,
        "average_certified_radius": 0.1875,
        "abstained": 0.25,
        "images": 4,
    }
    metric.reset()
    with pytest.raises(sc.InputError, match="of no images"):
        metric.compute()


@pytest.mark.parametrize("row", [[0.2, 0.8], [-1.0, 0.0], [np.nan, 0.0], [[1.0, 0.0]]])
def test_predictions_of_another_model_are_no_radii(row):
    with pytest.raises(sc.InputError, match="another model's prediction"):
        CertifiedAccuracy().update([row], [[0, 1]], [{}])


def test_a_dataset_is_read_as_it_is_and_its_digest_is_of_all():
    dataset = from_maite_dataset(Pictures(PIXELS, LABELS))
    assert (dataset.name, dataset.shape, len(dataset)) == ("pictures", (1, 4, 4), 12)
    np.testing.assert_array_equal(dataset.read(np.array([3, 1])), PIXELS[[3, 1]])
    np.testing.assert_array_equal(dataset.labels, LABELS)
    other = PIXELS.copy()
    other[-1, 0, 0, 0] = 0
    digests = {
        from_maite_dataset(Pictures(images, labels)).digest
        for images, labels in ((PIXELS, LABELS), (other, LABELS), (PIXELS, 0 * LABELS))
    }
    assert len(digests) == 3
    stored = Pictures((255 * PIXELS).astype(np.uint8), LABELS)
    in_bytes = from_maite_dataset(stored, scale=255)
    np.testing.assert_array_equal(
        in_bytes.read(np.array([0])), (stored.images[:1] / 255).astype(np.float32)
    )


def test_a_model_is_what_it_computes_with():
    def digest(**options):
        scale = options.pop("times", 1.0)
        return from_maite_model(Theirs(**options), output="logits", scale=scale).digest

    assert digest() == digest()
    assert len({digest(), digest(weight=7.0), digest(times=2.0)}) == 3


class Ragged(Pictures):
    def __getitem__(self, index, /):
        image, *rest = super().__getitem__(index)
        return (image[:, :index], *rest) if index else (image, *rest)


def nameless(thing):
    thing.metadata = {"index2label": {}}
    return thing


REFUSED = {
    "no model": (lambda: from_maite_model(3, output="logits"), "is no MAITE model"),
    "a class": (lambda: from_maite_model(Theirs, output="logits"), "is no MAITE model"),
    "labels": (lambda: from_maite_model(Theirs(), output="labels"), "not labels"),
    "scale": (
        lambda: from_maite_model(Theirs(), output="logits", scale=0),
        "scale must be a positive number",
    ),
    "no id": (
        lambda: from_maite_model(nameless(Theirs()), output="logits"),
        "must have metadata with an id",
    ),
    "no data set": (lambda: from_maite_dataset([1]), "is no MAITE data set"),
    "empty": (lambda: from_maite_dataset(Pictures([], [])), "or has no images"),
    "bytes": (
        lambda: from_maite_dataset(Pictures(PIXELS.astype(np.uint8), LABELS)),
        "say scale=255",
    ),
    "unequal": (
        lambda: from_maite_dataset(Ragged(PIXELS, LABELS)).read(np.array([0, 3])),
        r"image 3 of pictures has shape \(1, 3, 4\)",
    ),
    "unit": (
        lambda: CertifiedModel(Theirs(), sigma=1, draws=10, unit="plain"),
        r"radii are in pixels .* leave the unit out",
    ),
    "no class": (
        lambda: CertifiedAccuracy().update([[0, 1]], [[0.5, 0.5]], [{}]),
        "a target must be a row with one largest entry",
    ),
    "range": (
        lambda: sc.sample(
            from_maite_model(Theirs(), output="logits"),
            from_maite_dataset(Pictures(2 * PIXELS, LABELS)),
            **HOW,
        ),
        r"outside \[0, 1\]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_none_is_refused(case):
    call, words = REFUSED[case]
    with pytest.raises(sc.InputError, match=words):
        call()
