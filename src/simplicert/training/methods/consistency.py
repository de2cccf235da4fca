"""Consistency regularisation (Jeong and Shin 2020)."""

from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from simplicert.training.methods.base import (
    Method,
    NonNegative,
    PositiveInt,
    by_image,
    noisy_copies,
    smoothed,
)


class Consistency(Method):
    """Cross-entropy of noisy copies that are asked to agree, and to be sure.

    ``mean CE(p_i) + weight * mean KL(p || p_i) + entropy_weight * mean H(p)``, where
    ``p_i`` is the softmax of an image's i-th noisy copy and ``p`` their mean.

    Attributes:
        draws: Noisy copies of an image (the paper's m), at least 2.
        weight: Of the divergence (the paper's lambda; on CIFAR-10, 20 at sigma 0.25 and
            10 above).
        entropy_weight: Of the entropy (the paper's eta).

    References:
        Jeong and Shin 2020, arXiv:2006.04062, section 3.
    """

    name: Literal["consistency"] = "consistency"
    draws: Annotated[PositiveInt, Field(ge=2)] = 2
    weight: NonNegative = 10.0
    entropy_weight: NonNegative = 0.5

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
        done: float,  # noqa: ARG002 (always the same)
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "images classes"]]:
        """The objective, and the mean softmax's log-probabilities."""
        noisy = noisy_copies(images, draws=self.draws, sigma=sigma, generator=generator)
        logits = by_image(model(noisy), draws=self.draws)
        each, mean = logits.log_softmax(dim=2), smoothed(logits)
        share = mean.exp()
        error = nll_loss(each.mean(dim=1), labels)  # it is linear in each
        divergence = (share[:, None] * (mean[:, None] - each)).sum(dim=2).mean()
        entropy = -(share * mean).sum(dim=1).mean()
        loss = error + self.weight * divergence + self.entropy_weight * entropy
        return loss, mean
