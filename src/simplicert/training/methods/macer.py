"""MACER: training for the certified radius itself (Zhai et al. 2020)."""

from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import nll_loss, relu
from torch.special import ndtri

from simplicert.training.methods.base import (
    Fraction,
    Method,
    NonNegative,
    Positive,
    PositiveInt,
    by_image,
    noisy_copies,
    smoothed,
)

_LEAST = 1e-12
"""Below it an expectation counts as 0; margins end at 2 · 7.03 = 14.07."""


class Macer(Method):
    """Cross-entropy of the soft smoothed classifier, and a hinge on its radius.

    ``mean(-log z_y) + weight * sigma / 2 * mean(max(gamma - margin, 0))``, where
    ``margin = ndtri(z_y) - ndtri(max of the other z)`` and ``z`` is the mean softmax of
    an image's draws. ``sigma / 2 * margin`` is the radius of Cohen et al., Theorem 1.
    The second term is 0 for images that the smoothed classifier gets wrong, and for
    those whose margin is infinite; both means are over all images.

    The margin's ``z`` are of logits times ``beta``, which brings them near the hard
    votes that are certified; those of the cross-entropy are of the logits as they are.
    ``ndtri(z_y)`` is computed as ``-ndtri(1 - z_y)`` from the sum of the other classes,
    which keeps its digits in float32 as ``z_y`` nears 1.

    Attributes:
        draws: Noisy copies of an image (the paper's k).
        beta: Inverse temperature of the margin's softmax.
        gamma: Margin from which an image adds no more; at most 14.
        weight: Of the radius (the paper's lambda; on CIFAR-10, 12 at sigma 0.25, 4 at
            0.5 and 12 at 1).
        start: Share of the training before which ``weight`` is 0 (the paper waits at
            sigma 1, until the rate first falls).

    References:
        Zhai et al. 2020, arXiv:2001.02378, Algorithm 1.
    """

    name: Literal["macer"] = "macer"
    draws: PositiveInt = 16
    beta: Positive = 16.0
    gamma: Annotated[Positive, Field(le=14)] = 8.0
    weight: NonNegative = 12.0
    start: Fraction = 0.0

    @property
    def passes(self) -> int:
        """One a draw."""
        return self.draws

    def loss(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        labels: Int[Tensor, " images"],
        *,
        sigma: float,
        done: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "images classes"]]:
        """The objective, and the soft smoothed classifier's log-probabilities."""
        noisy = noisy_copies(images, draws=self.draws, sigma=sigma, generator=generator)
        logits = by_image(model(noisy), draws=self.draws)
        predicted = smoothed(logits)
        loss = nll_loss(predicted, labels)
        if done >= self.start:
            margin = _margin(smoothed(self.beta * logits).exp(), labels)
            missing = relu(self.gamma - margin).sum() / len(images)
            loss = loss + self.weight * sigma / 2 * missing
        return loss, predicted


def _margin(
    expectations: Float[Tensor, "images classes"], labels: Int[Tensor, " images"]
) -> Float[Tensor, " correct"]:
    """``ndtri(z_y) - ndtri(max of the others)`` of the images that are right."""
    right = expectations.argmax(dim=1) == labels
    # Only of those: where z_y is 0 the others' ndtri(1) would be infinite, and its
    # gradient NaN even where it is multiplied by 0.
    others = expectations.scatter(1, labels[:, None], 0.0)[right]
    away = others.sum(dim=1).clamp(min=_LEAST)
    runner_up = others.amax(dim=1).clamp(min=_LEAST)
    margin: Tensor = -ndtri(away) - ndtri(runner_up)
    return margin
