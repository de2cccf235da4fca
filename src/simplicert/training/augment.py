"""Augmentation of whole batches, before the noise."""

import torch
from torch import Tensor
from torch.nn.functional import pad

_PADDING = 4


def flip(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Every other image, at random, mirrored left to right."""
    coins = torch.rand(len(images), generator=generator, device=images.device)
    return torch.where(coins[:, None, None, None] < 0.5, images.flip(3), images)


def crop(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Every image moved by up to 4 pixels each way; black comes in from outside."""
    count, channels, height, width = images.shape
    device = images.device
    padded = pad(images, (_PADDING,) * 4)
    top, left = torch.randint(
        2 * _PADDING + 1, (2, count, 1), generator=generator, device=device
    )
    rows = top + torch.arange(height, device=device)
    columns = left + torch.arange(width, device=device)
    return padded[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[:, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


AUGMENTATIONS = {"crop": crop, "flip": flip}
"""By the name that recipes use."""
