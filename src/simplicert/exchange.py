"""Between Simplicert and MAITE, a protocol for testing models of images.

A MAITE model and data set become a classifier and a data set here; a smoothed
classifier becomes a MAITE model, and certified accuracy a MAITE metric, so that
``maite.tasks.evaluate`` certifies. MAITE itself is not needed: its protocols are kept.

References:
    https://mit-ll-ai-technology.github.io/maite (protocols of image classification).
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from simplicert.arguments import checked_distance
from simplicert.certificates import ALPHA
from simplicert.classifiers import Classifier, NumpyClassifier
from simplicert.classifiers.digest import classifier_digest
from simplicert.data import Dataset
from simplicert.data.tensors import TorchTensor
from simplicert.errors import InputError
from simplicert.smoothed import SmoothedClassifier

__all__ = [
    "CertifiedAccuracy",
    "CertifiedModel",
    "MaiteDataset",
    "MaiteModel",
    "from_maite_dataset",
    "from_maite_model",
]


@runtime_checkable
class MaiteModel(Protocol):
    """What MAITE calls a model: a batch of images → a row of numbers each."""

    metadata: Any

    def __call__(self, batch: Sequence[Any], /) -> Sequence[Any]:
        """The rows."""


@runtime_checkable
class MaiteDataset(Protocol):
    """What MAITE calls a data set: (image, row of classes, metadata) by number."""

    metadata: Any

    def __getitem__(self, index: int, /) -> tuple[Any, Any, Any]:
        """One of them."""

    def __len__(self) -> int:
        """How many."""


def from_maite_model(model: object, *, output: str, scale: float = 1.0) -> Classifier:
    """A MAITE image classifier, as a classifier.

    Args:
        model: A ``MaiteModel`` of images, channels × height × width.
        output: What its rows are: ``"logits"`` or ``"probabilities"``. MAITE does not
            say.
        scale: What a pixel of 1 is to the model: 255 where it takes 0 … 255.

    Raises:
        InputError: It is none.
    """
    if not isinstance(model, MaiteModel) or isinstance(model, type):
        raise InputError(
            f"a {type(model).__name__} is no MAITE model: it has metadata, and is "
            "called with a batch of images"
        )
    if output == "labels":
        raise InputError("a MAITE model returns logits or probabilities, not labels")
    factor = np.float32(_checked_scale(scale))
    name = _id(model.metadata, "a MAITE model")

    def function(images: np.ndarray) -> Any:
        rows = model(list(images if factor == 1 else images * factor))
        return np.stack([_array(row) for row in rows]) if len(rows) else rows

    facts = f"maite {classifier_digest(model)} {name} {scale:g}"
    classifier = NumpyClassifier(
        function,
        output=output,
        name=name,
        digest=hashlib.sha256(facts.encode()).hexdigest(),
    )
    classifier.class_names = _class_names(model.metadata)
    return classifier


def from_maite_dataset(
    dataset: object, *, split: str = "all", scale: float = 1.0
) -> Dataset:
    """A MAITE data set of images; each is read when it is asked for, and its class now.

    Args:
        dataset: A ``MaiteDataset`` whose targets are rows with one largest entry, as
            one-hot ones are.
        split: What it is recorded as a part of.
        scale: What its pixels reach, as for ``from_maite_model``: 255 for bytes.

    Raises:
        InputError: It is none, or has bytes, unequal images or targets of no class.
    """
    if not isinstance(dataset, MaiteDataset) or not len(dataset):
        raise InputError(
            f"a {type(dataset).__name__} is no MAITE data set, or has no images: it "
            "has metadata, a length, and gives (image, target, metadata) by number"
        )
    name, divisor = _id(dataset.metadata, "a MAITE data set"), _checked_scale(scale)
    first = _array(dataset[0][0])
    if first.dtype == np.uint8 and divisor == 1:
        raise InputError(
            f"{name} has images of bytes: say scale=255, to the model that takes them "
            "as well (from_maite_model)"
        )
    target_of = getattr(dataset, "get_target", lambda index: dataset[index][1])
    labels = [_class(target_of(i), f"{name}, {i}") for i in range(len(dataset))]

    def read(rows: np.ndarray) -> np.ndarray:
        images = [_array(dataset[int(row)][0]) for row in rows]
        for row, image in zip(rows, images, strict=True):
            if image.shape != first.shape:
                raise InputError(
                    f"image {row} of {name} has shape {image.shape}, and the first "
                    f"{first.shape}: bring them to one size"
                )
        stacked = np.stack(images) if images else np.empty((0, *first.shape))
        pixels: np.ndarray = (stacked / divisor).astype(np.float32)
        return pixels

    def fingerprint() -> str:
        hashed = hashlib.sha256(np.array(labels).tobytes())
        for row in range(len(dataset)):
            hashed.update(read(np.array([row])).tobytes())
        return hashed.hexdigest()

    return Dataset(
        name=name,
        split=split,
        shape=first.shape,
        class_names=_class_names(dataset.metadata),
        labels=np.array(labels, dtype=np.int64),
        indices=np.arange(len(dataset)),
        reader=read,
        fingerprint=fingerprint,
    )


class CertifiedModel:
    """A smoothed classifier as a MAITE model: rows whose one number is a radius.

    The row of an image is 0 but at the class that is certified, where its radius is; it
    is 0 throughout where nothing is certified. So the largest entry is the class, and
    ``CertifiedAccuracy`` reads both; a metric that takes the largest entry alone counts
    what is not certified as class 0.

    Args:
        model: What ``from_maite_model`` gave, or any other model.
        sigma: Noise standard deviation, in pixels of [0, 1].
        draws: Noisy forward passes an image.
        alpha: Failure probability of each image's certificate.
        scale: What a pixel of 1 is in the images that it is given.
        options: More for ``SmoothedClassifier``, such as ``batch``.
    """

    def __init__(
        self,
        model: object,
        *,
        sigma: float,
        draws: int,
        alpha: float = ALPHA,
        scale: float = 1.0,
        **options: Any,
    ) -> None:
        if options.get("unit") is not None:
            raise InputError(
                "a certified model's sigma and radii are in pixels of [0, 1], as its "
                "readers take them: leave the unit out"
            )
        self._smoothed = SmoothedClassifier(model, sigma=sigma, **options)
        self._draws, self._alpha = draws, alpha
        self._scale = _checked_scale(scale)
        name = getattr(model, "name", type(model).__name__)
        self.metadata: dict[str, Any] = {
            "id": f"{name}, smoothed by noise of sigma {sigma:g} and certified by "
            f"{draws:,} draws an image at alpha {alpha:g}"
        }
        names = getattr(model, "class_names", ())
        if names:
            self.metadata["index2label"] = dict(enumerate(names))

    def __call__(self, batch: Sequence[Any], /) -> Sequence[np.ndarray]:
        """A row an image."""
        images = np.stack([_array(image) for image in batch]) / self._scale
        made = self._smoothed.certify(
            images.astype(np.float32), draws=self._draws, alpha=self._alpha
        )
        rows = np.zeros((len(made), made.classes))
        rows[np.arange(len(made)), made.top] = made.radius
        return list(rows)


class CertifiedAccuracy:
    """A MAITE metric of what ``CertifiedModel`` returns.

    ``compute`` gives the share of images that are certified for their own class at each
    radius (at 0: at all), the average certified radius, in which all others count as 0,
    the share that nothing is certified of, and the number of images.

    Args:
        radii: At which to say the certified accuracy.

    Example:
        >>> metric = CertifiedAccuracy([0.25])
        >>> metric.update([[0.0, 0.3], [0.2, 0.0]], [[0, 1], [1, 0]], [{}, {}])
        >>> metric.compute()["certified_accuracy_at_0.25"]
        0.5
    """

    def __init__(self, radii: Sequence[float] = (0.0, 0.25, 0.5, 1.0)) -> None:
        self._radii = [checked_distance(radius) for radius in radii]
        self.metadata = {"id": "certified accuracy"}
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._counted: list[float] = []
        self._abstained = 0

    def update(
        self,
        predictions: Sequence[Any],
        targets: Sequence[Any],
        metadata: Sequence[Any],  # noqa: ARG002 (its protocol)
        /,
    ) -> None:
        """Count a batch.

        Raises:
            InputError: Predictions that are no rows of ``CertifiedModel``.
        """
        for prediction, target in zip(predictions, targets, strict=True):
            row, label = _array(prediction), _class(target, "a target")
            if (
                row.ndim != 1
                or not (np.isfinite(row) & (row >= 0)).all()
                or (np.count_nonzero(row) > 1)
            ):
                raise InputError(
                    "certified accuracy is of rows with one radius, as CertifiedModel "
                    "returns: this is another model's prediction"
                )
            radius = float(row.max())
            self._abstained += radius == 0
            self._counted.append(radius if int(row.argmax()) == label else 0.0)

    def compute(self) -> Mapping[str, float]:
        """The numbers, by their names.

        Raises:
            InputError: No images were counted.
        """
        counted = np.array(self._counted)
        if not len(counted):
            raise InputError("certified accuracy of no images: update it first")
        found = {
            f"certified_accuracy_at_{radius:g}": float(
                np.mean((counted > 0) & (counted >= radius))
            )
            for radius in self._radii
        }
        return {
            **found,
            "average_certified_radius": float(counted.mean()),
            "abstained": self._abstained / len(counted),
            "images": len(counted),
        }


def _array(thing: Any) -> np.ndarray:
    """What MAITE calls array-like, as an array."""
    if isinstance(thing, TorchTensor):
        thing = thing.detach().cpu().numpy()
    return np.asarray(thing)


def _class(target: Any, where: str) -> int:
    """The largest entry of a target, if there is one."""
    row = _array(target)
    if row.ndim != 1 or not row.size or np.count_nonzero(row == row.max()) != 1:
        raise InputError(
            f"{where}: a target must be a row with one largest entry, its class; got "
            f"{row.dtype} of shape {row.shape}"
        )
    return int(row.argmax())


def _id(metadata: Any, what: str) -> str:
    found = metadata.get("id") if isinstance(metadata, Mapping) else None
    if not isinstance(found, str) or not found.isprintable() or not found:
        raise InputError(
            f"{what} must have metadata with an id, a text; got {metadata!r}"
        )
    return found


def _class_names(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """In the order of the classes, where each from 0 on has one."""
    names = metadata.get("index2label") or {}
    if {*names} != {*range(len(names))}:
        return ()
    return tuple(str(names[k]) for k in range(len(names)))


def _checked_scale(scale: float) -> float:
    if not 0 < scale < np.inf:
        raise InputError(f"scale must be a positive number, got {scale!r}")
    return float(scale)
