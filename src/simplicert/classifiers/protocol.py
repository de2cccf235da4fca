"""What a classifier is: a base classifier, and what identifies it."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from simplicert.classifiers.outputs import (
    Forward,
    outputs_of,
    sum_tolerance,
)
from simplicert.classifiers.reading import Reading, reading_of
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What is known of a classifier's passes before any is made.

    Attributes:
        cost: Of one draw, in whatever currency; 0 where it costs nobody anything.
        trial: Most draws that it is asked to see how fast it is; ``None``: as many as
            it answers in the time of a trial.
    """

    cost: float = 0.0
    trial: int | None = None


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a manifest says of a denoiser before a classifier.

    Attributes:
        name: For people.
        digest: SHA-256 over its weights.
        facts: More of it, in words.
    """

    name: str
    digest: str
    facts: str | None = None


def checked_cost(cost: float) -> float:
    """The cost of a pass, if it is one.

    Raises:
        InputError: It is not.
    """
    if not 0 <= cost < math.inf:
        raise InputError(f"the cost of a pass must be a number from 0 on, got {cost!r}")
    return float(cost)


class Classifier(ABC):
    """A base classifier and what identifies it.

    Args:
        name: For people.
        digest: SHA-256 over its weights, or over what else defines it.
        output: What it returns: ``"logits"``, whose softmax is its scores;
            ``"probabilities"``, which are certified as they are; ``"labels"``; or of
            two classes ``"logit"`` or ``"probability"``, one number, of class 1. With
            colons between: which part is meant (docs/classifiers.md).
        classes: Number of classes. Needed for labels; else learnt from the output.
        shape: Channels, height and width of the images it takes, where that is known.
        training_sigma: Noise it was trained with, where that is known.
        class_names: One name a class, where they are known.
        features: Names of the features it takes, in their order, where they are known.
        cuts: How photographs are cut for it, the usual way first, where that is known.
            It takes squares of these sizes, besides ``shape``.

    Attributes:
        passes: What its passes cost, and how many a trial may take.
        denoiser: What stands before it, as part of it.

    Raises:
        InputError: Another kind of output, or labels of an unknown number of classes.
    """

    is_multi_label = False
    """Whether it says itself that its labels do not exclude each other."""

    of_bytes = False
    """Whether it rounds values of [0, 1] to bytes, and tells none beyond apart."""

    passes = Passes()
    denoiser: Stated | None = None

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        output: str | Reading,
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
        class_names: Sequence[str] = (),
        features: Sequence[str] = (),
        cuts: Sequence[PublishedCut] = (),
    ) -> None:
        self._base = name, digest
        self.shape, self.training_sigma = shape, training_sigma
        self.class_names, self.cuts = tuple(class_names), tuple(cuts)
        self.features = tuple(features)
        if not isinstance(output, Reading):
            output = _named_reading(output, classes, name=name)
        self._read_as(output)

    def _read_as(self, reading: Reading) -> None:
        name, digest = self._base
        self.reading, self.output = reading, reading.output
        self.classes = reading.classes
        self.name, self.digest = name, digest
        if reading.facts:  # another part, or another meaning, is another classifier
            said = f"{digest} {reading.facts}".encode()
            self.name, self.digest = f"{name}:{reading.facts}", sha256(said).hexdigest()

    @property
    def plain_name(self) -> str:
        """Its name, without which output is meant."""
        return self._base[0]

    def read_as(self, output: str) -> "Classifier":
        """The same, of which another output is meant, or one label of several.

        Raises:
            InputError: These words say nothing that can be meant.
        """
        other = copy.copy(self)
        other._read_as(self.reading.changed(output))
        if self.reading.label != other.reading.label:
            other.class_names = ()  # they were the labels'
        return other

    def read(self, forward: Forward) -> Forward:
        """What ``ready`` gave, with what it returns read as was said."""
        return self.reading.behind(forward, self.name)

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

    def usual_batch(self, shape: Sequence[int]) -> int | None:  # noqa: ARG002 (for others)
        """Draws a pass that suit it for inputs of this shape; ``None``: to be tried."""
        return None

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
        runtime: str,
    ) -> Forward:
        """What maps noisy images of this shape, on ``device``, to what it returns.

        ``read`` makes outputs of that.

        By a runtime of ``RUNTIMES``, of torch modules.

        Raises:
            InputError: It cannot be run like that.
        """

    @torch.inference_mode()
    def count_classes(self, forward: Forward, image: Tensor) -> int:
        """One forward pass of an image in [0, 1], to see what comes back.

        Raises:
            InputError: Not one row of outputs, or of another kind than was said; or
                several labels, of which none was chosen.
        """
        if self.is_multi_label and not self.reading.is_binary:
            raise InputError(
                f"{self.name} says itself that its labels do not exclude each other. "
                "Certify them one by one, each as a classifier of two classes: "
                f'output="{self.output}:label=0" is the first'
            )
        outputs = outputs_of(
            forward, image, name=self.name, output=self.output, classes=self.classes
        )
        if self.output == "labels" and self.classes is not None:
            return self.classes
        row = outputs[0].double()
        off = abs(float(row.sum()) - 1)
        like = bool((row >= 0).all()) and off <= sum_tolerance(outputs.dtype)
        binary = self.reading.is_binary
        if self.output == "logits" and like and not binary:
            raise InputError(
                f"{self.name} returns numbers that sum to 1, as probabilities do, but "
                "logits are expected, of which the softmax will be taken. Say "
                'output="probabilities" (docs/classifiers.md), or leave the softmax out'
            )
        if self.output == "logits" and self._is_squashed(forward, image, outputs):
            expected = (
                "a logit is expected. If it is the probability of class 1, say "
                'output="probability"'
                if binary
                else "one label beside another, but logits are expected, of which the "
                "largest is the class. " + _LABELS.format(kind="probability")
            )
            raise InputError(
                f"{self.name} returns numbers in [0, 1] whatever it is given, as a "
                f"sigmoid does, {expected}, or leave the sigmoid out; if these are "
                "logits nevertheless, return twice as much"
            )
        if self.output == "probabilities" and not like and bool(row.isfinite().all()):
            if binary:
                raise InputError(
                    f"{self.name} is said to return a probability, but returned "
                    f"{float(row[1]):g}: if that is a logit, say logit instead"
                )
            cure = ""
            if bool(((row >= 0) & (row <= 1)).all()):
                cure = ". " + _LABELS.format(kind="probability")
            raise InputError(
                f"{self.name} is said to return probabilities, but they sum to "
                f"{float(row.sum()):g} and lie in [{float(row.min()):g}, "
                f"{float(row.max()):g}]{cure}"
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


_LABELS = (
    "If these are several labels that do not exclude each other, certify them one by "
    'one, each as a classifier of two classes: output="{kind}:label=0" is the first'
)


def _named_reading(output: str, classes: int | None, *, name: str) -> Reading:
    try:
        return reading_of(output, classes=classes)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
