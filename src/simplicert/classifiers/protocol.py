"""What a classifier is: a base classifier, and what identifies it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from simplicert.classifiers.outputs import (
    Forward,
    Output,
    check_kind,
    outputs_of,
    sum_tolerance,
)
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError


class Classifier(ABC):
    """A base classifier and what identifies it.

    Args:
        name: For people.
        digest: SHA-256 over its weights, or over what else defines it.
        output: What it returns: ``"logits"``, whose softmax is its scores;
            ``"probabilities"``, which are certified as they are; or ``"labels"``.
        classes: Number of classes. Needed for labels; else learnt from the output.
        shape: Channels, height and width of the images it takes, where that is known.
        training_sigma: Noise it was trained with, where that is known.
        class_names: One name a class, where they are known.
        features: Names of the features it takes, in their order, where they are known.
        cuts: How photographs are cut for it, the usual way first, where that is known.
            It takes squares of these sizes, besides ``shape``.

    Raises:
        InputError: Another kind of output, or labels of an unknown number of classes.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        output: str,
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
        class_names: Sequence[str] = (),
        features: Sequence[str] = (),
        cuts: Sequence[PublishedCut] = (),
    ) -> None:
        self.name, self.digest = name, digest
        self.output: Output = check_kind(output)
        self.classes, self.shape = classes, shape
        self.training_sigma = training_sigma
        self.class_names, self.cuts = tuple(class_names), tuple(cuts)
        self.features = tuple(features)
        if output == "labels" and classes is None:
            raise InputError(
                f"{name} returns labels, which do not tell how many classes there are: "
                "say classes=…"
            )

    @property
    def normalisations(self) -> int | None:
        """Parts that subtract a mean and divide by a deviation; ``None``: unknown."""
        return None

    def warnings(self, *, precision: str) -> tuple[str, ...]:  # noqa: ARG002 (for others)
        """What may not have been meant, if it is sampled at this precision."""
        return ()

    def has_changed(self) -> bool:
        """Whether its digest is no longer true, as far as that can be told."""
        return False

    def takes(self, shape: Sequence[int]) -> bool:
        """Whether images of this shape are what it is for, as far as is known."""
        if self.shape is None or tuple(shape) == tuple(self.shape):
            return True
        squares = {(self.shape[0], cut.size, cut.size) for cut in self.cuts}
        return tuple(shape) in squares

    @abstractmethod
    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """What maps noisy images of this shape, on ``device``, to outputs.

        Raises:
            InputError: It cannot be run like that.
        """

    @torch.inference_mode()
    def count_classes(self, forward: Forward, image: Tensor) -> int:
        """One forward pass of an image in [0, 1], to see what comes back.

        Raises:
            InputError: Not one row of outputs, or of another kind than was said.
        """
        outputs = outputs_of(
            forward, image, name=self.name, output=self.output, classes=self.classes
        )
        if self.output == "labels" and self.classes is not None:
            return self.classes
        row = outputs[0].double()
        off = abs(float(row.sum()) - 1)
        like = bool((row >= 0).all()) and off <= sum_tolerance(outputs.dtype)
        if self.output == "logits" and like:
            raise InputError(
                f"{self.name} returns numbers that sum to 1, as probabilities do, but "
                "logits are expected, of which the softmax will be taken. Say "
                'output="probabilities" (docs/classifiers.md), or leave the softmax out'
            )
        if self.output == "logits" and self._is_squashed(forward, image, outputs):
            raise InputError(
                f"{self.name} returns numbers in [0, 1] whatever it is given, as a "
                "sigmoid does, one label beside another, but logits are expected, of "
                "which the largest is the class. Leave the sigmoid out; if these are "
                "logits nevertheless, return twice as much"
            )
        if self.output == "probabilities" and not like and bool(row.isfinite().all()):
            raise InputError(
                f"{self.name} is said to return probabilities, but they sum to "
                f"{float(row.sum()):g} and lie in [{float(row.min()):g}, "
                f"{float(row.max()):g}]"
            )
        return len(row)

    def _is_squashed(self, forward: Forward, image: Tensor, outputs: Tensor) -> bool:
        """Whether noise far beyond any image does not move outputs out of [0, 1]."""
        generator = torch.Generator().manual_seed(0)
        row = outputs
        for scale in (1, 3, 10, 30, 100, 300):
            if bool(((row < 0) | (row > 1)).any()) or not bool(row.isfinite().all()):
                return False
            noise = scale * torch.randn(image.shape, generator=generator)
            noisy = image + noise.to(image.device, image.dtype)
            try:
                row = outputs_of(
                    forward, noisy, name=self.name, output=self.output, classes=None
                )
            except (InputError, torch.OutOfMemoryError):  # asked in earnest later
                return False
        return bool((row != outputs).any())  # what never changes is no sigmoid either
