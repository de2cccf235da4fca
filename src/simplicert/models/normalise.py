"""Normalisation as the first layer, so that noise and radii live in pixel units."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from simplicert.errors import InputError


class Normalise(nn.Module):
    """``(x - mean) / std`` per channel.

    Mean and std are buffers: they are saved with the weights, and are not trained.

    Raises:
        InputError: They are not equally many finite numbers, or a std is 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if (
            len(mean) != len(std)
            or not all(map(math.isfinite, (*mean, *std)))
            or 0 in std
        ):
            raise InputError(
                "mean and std must be one finite number a channel each, and no std 0; "
                f"got {list(mean)} and {list(std)}"
            )
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, of the same shape."""
        return (images - self.mean) / self.std
