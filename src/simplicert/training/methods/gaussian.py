"""Gaussian noise augmentation (Cohen, Rosenfeld and Kolter 2019, section 4)."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from simplicert.training.methods.base import Method, by_image, noisy_copies


class Gaussian(Method):
    """Cross-entropy of one noisy copy of each image."""

    name: Literal["gaussian"] = "gaussian"

    @property
    def passes(self) -> int:
        """One."""
        return 1

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
        """Mean cross-entropy, and the logits."""
        noisy = noisy_copies(images, draws=1, sigma=sigma, generator=generator)
        logits = by_image(model(noisy), draws=1).squeeze(1)
        return cross_entropy(logits, labels), logits
