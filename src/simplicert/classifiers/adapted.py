"""A classifier with something before it or behind it, which its digest then covers."""

import copy
import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.models.normalise import Normalise
from simplicert.units import Unit


class Adapted(Classifier):
    """``behind(classifier(before(images)))``; ``facts`` say what these are."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        name: str,
        facts: object,
        before: nn.Module,
        behind: nn.Module,
        class_names: Sequence[str],
        features: Sequence[str] | None = None,
    ) -> None:
        super().__init__(
            name=name,
            digest=hashlib.sha256(f"{classifier.digest} {facts}".encode()).hexdigest(),
            output=classifier.output,
            classes=classifier.classes,
            shape=classifier.shape,
            training_sigma=classifier.training_sigma,
            class_names=class_names,
            features=classifier.features if features is None else features,
            cuts=classifier.cuts,
        )
        several = classifier.is_multi_label and not classifier.reading.is_binary
        self.is_multi_label = several
        self._classifier, self._before, self._behind = classifier, before, behind
        self.passes, self.denoiser = classifier.passes, classifier.denoiser

    @property
    def normalisations(self) -> int | None:
        """The classifier's, and its own."""
        theirs = self._classifier.normalisations
        return (theirs or 0) + 1 if isinstance(self._before, Normalise) else theirs

    def warnings(self, *, precision: str) -> tuple[str, ...]:
        """The classifier's, and what was done to it."""
        told = self._classifier.warnings(precision=precision)
        if isinstance(self._behind, _Order):
            told += (
                "the model's classes have the names of the data's, in another order: "
                "they are put into the data's",
            )
        if isinstance(self._before, _Columns):
            told += (
                "the data's features have the names of those that the model was fitted "
                "on, in another order: it is given them in its own",
            )
        return told

    def has_changed(self) -> bool:
        """Whether the classifier inside has."""
        return self._classifier.has_changed()

    def usual_batch(self, shape: Sequence[int]) -> int | None:
        """The classifier's."""
        return self._classifier.usual_batch(shape)

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """The classifier's, between the two.

        Raises:
            InputError: There are not as many constants as channels.
        """
        if isinstance(self._before, Normalise):
            constants = self._before.mean.numel()
            if len(shape) != 3 or constants not in {1, shape[0]}:
                raise InputError(
                    f"{constants} means and stds were given for inputs of shape "
                    f"{tuple(shape)}: give one a channel of an image, or one for all"
                )
        forward = self._classifier.read(
            self._classifier.ready(
                shape, precision=precision, device=device, runtime=runtime
            )
        )
        before = (
            copy.deepcopy(self._before)
            .eval()
            .to(device=device, dtype=DTYPES[precision])
        )
        behind = copy.deepcopy(self._behind).to(device=device)

        def adapted(images: Tensor) -> Any:
            return behind(forward(before(images)))

        return adapted


def normalised(
    classifier: Classifier, *, mean: Sequence[float], std: Sequence[float]
) -> Classifier:
    """The classifier, given ``(pixels - mean) / std``.

    Raises:
        InputError: It does that already; or these are no constants of a normalisation.
    """
    if classifier.normalisations:
        raise InputError(
            f"{classifier.name} states its own normalisation, which is inside: leave "
            "out mean and std"
        )
    if classifier.denoiser is not None:
        raise InputError(
            f"{classifier.name}: its denoiser is given pixels, and mean and std belong "
            "behind it: as_classifier(classifier, mean=…, std=…, denoiser=…)"
        )
    constants = Normalise(mean, std)
    return Adapted(
        classifier,
        name=classifier.name,
        facts=("normalised", [*map(float, mean)], [*map(float, std)]),
        before=constants,
        behind=nn.Identity(),
        class_names=classifier.class_names,
    )


class _Values(nn.Module):
    """Numbers of a unit → the values that they stand for."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self._unit = unit  # in float64, whatever the network's precision

    def forward(self, numbers: Tensor) -> Tensor:
        """``offset + scale * numbers``."""
        axes, device = numbers.ndim - 1, numbers.device
        scales = torch.from_numpy(self._unit.scales(axes)).to(device)
        if self._unit.offset is None:
            return numbers * scales.to(numbers.dtype)
        offsets = torch.from_numpy(self._unit.offsets(axes)).to(device)
        return torch.addcmul(offsets, scales, numbers.double()).to(numbers.dtype)


def of_numbers(classifier: Classifier, unit: Unit) -> Classifier:
    """The classifier of numbers of this unit."""
    if not unit.is_converted:
        return classifier
    return Adapted(
        classifier,
        name=classifier.name,
        facts=("unit", unit.scale, unit.offset),
        before=_Values(unit),
        behind=nn.Identity(),
        class_names=classifier.class_names,
    )


class _Columns(nn.Module):
    """Inputs whose entry ``k`` was entry ``order[k]``."""

    order: Tensor

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("order", torch.tensor(order), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """The same in the other order, which moves no value."""
        return inputs[:, self.order]


def with_columns(
    classifier: Classifier, *, order: Sequence[int], features: Sequence[str]
) -> Classifier:
    """The classifier whose entry ``k`` is entry ``order[k]`` of what it is given."""
    return Adapted(
        classifier,
        name=classifier.name,
        facts=("features", *order),
        before=_Columns(order),
        behind=nn.Identity(),
        class_names=classifier.class_names,
        features=features,
    )


class _Order(nn.Module):
    """Rows whose column ``k`` was column ``order[k]``, or labels likewise."""

    order: Tensor

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("order", torch.tensor(order), persistent=False)

    def forward(self, returned: Any) -> Any:
        """The same outputs for the other order of classes."""
        classes = len(self.order)
        if not isinstance(returned, Tensor):
            return returned
        if returned.ndim == 2 and returned.shape[1] == classes:
            return returned[:, self.order]
        if returned.ndim == 1 and bool(((returned >= 0) & (returned < classes)).all()):
            return self.order.argsort()[returned.long()]
        return returned  # what is wrong with it is said where outputs are checked


def reordered(
    classifier: Classifier, *, order: Sequence[int], class_names: Sequence[str]
) -> Classifier:
    """The classifier whose class ``k`` is the given one's class ``order[k]``."""
    return Adapted(
        classifier,
        name=classifier.name,
        facts=("classes", *order),
        before=nn.Identity(),
        behind=_Order(order),
        class_names=class_names,
    )
