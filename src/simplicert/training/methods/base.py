"""What a training method is: a loss of images under Gaussian noise."""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from simplicert.data import Dataset

# Beyond that torch and NumPy overflow in ways of their own.
_MOST, _LARGEST = 10**9, 1e30

# Strict: in a recipe "30" is no number, and true is not 1.
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(strict=True, gt=0, le=_MOST)]
NonNegative = Annotated[Finite, Field(ge=0, le=_LARGEST)]
Positive = Annotated[Finite, Field(gt=0, le=_LARGEST)]
Fraction = Annotated[Finite, Field(ge=0, lt=1)]


class Method(BaseModel, ABC):
    """A training method and its parameters: a recipe's table ``[method]``.

    A new one is one file: a subclass with its parameters as fields. One of ours has a
    ``Literal`` for its ``name`` and a line in ``simplicert.training.methods``; one of
    yours, ``name: str``, is what recipes call it, as in ``file.py:Mine``.

    Attributes:
        name: What recipes call it.
        denoises: Whether what it trains is a denoiser, noisy images → images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    denoises: ClassVar[bool] = False

    name: str

    def resolved(self, dataset: Dataset) -> "Method":  # noqa: ARG002 (for others)
        """The same, which says all that decides the weights: digests of files, too.

        Raises:
            InputError: What it needs does not fit this data.
        """
        return self

    def classifying(self, model: nn.Module) -> nn.Module | None:
        """What of the network classifies images, to measure accuracy: all of it.

        ``None`` where nothing does.
        """
        return model

    @property
    @abstractmethod
    def passes(self) -> int:
        """Forward and backward passes an image and step; plain augmentation has 1."""

    @abstractmethod
    def loss(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        labels: Int[Tensor, " images"],
        *,
        sigma: float,
        done: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "images classes"] | None]:
        """What a step descends.

        It may run under autocast: losses are computed in float32 (``by_image``).

        Args:
            model: Images → logits, or of a denoiser images, in training mode; must be
                left in it.
            images: In [0, 1], augmented, without noise.
            labels: One class an image.
            sigma: Standard deviation of the noise.
            done: Share of the whole training that has passed, in [0, 1).
            generator: The only source of randomness, on the images' device.

        Returns:
            The mean loss over the images, and logits or log-probabilities under noise,
            a row an image, from which the accuracy shown in progress is counted; None
            where nothing classifies.
        """


def noisy_copies(
    images: Float[Tensor, "images channels height width"],
    *,
    draws: int,
    sigma: float,
    generator: torch.Generator,
) -> Float[Tensor, "copies channels height width"]:
    """``draws`` noisy copies of each image, those of an image next to each other."""
    copies = images.repeat_interleave(draws, dim=0)
    noise = torch.randn(copies.shape, generator=generator, device=images.device)
    return copies + sigma * noise


def by_image(
    logits: Float[Tensor, "copies classes"], *, draws: int
) -> Float[Tensor, "images draws classes"]:
    """Logits of noisy copies, those of an image together, in float32 or better."""
    # Mixed precision ends here: losses need the digits, and the checks have float64.
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return precise.reshape(-1, draws, precise.shape[1])


def smoothed(
    logits: Float[Tensor, "images draws classes"],
) -> Float[Tensor, "images classes"]:
    """Log-probabilities of the soft smoothed classifier: of the draws' mean softmax.

    Computed from logarithms throughout, so gradients are right where it underflows.
    """
    total = logits.log_softmax(dim=2).logsumexp(dim=1)
    return total - math.log(logits.shape[1])
