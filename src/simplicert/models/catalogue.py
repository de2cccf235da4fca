"""Architectures by name."""

from functools import partial
from typing import Protocol, runtime_checkable

from torch import nn

from simplicert.errors import unknown_name
from simplicert.models.denoiser import denoiser
from simplicert.models.resnet import cifar_resnet, resnet50
from simplicert.models.small_cnn import SmallConvNet


@runtime_checkable
class Architecture(Protocol):
    """Builds a network for images of one shape, with fresh weights."""

    def __call__(self, *, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A module that maps images in [0, 1] to logits, or noisy ones to images."""


ARCHITECTURES: dict[str, Architecture] = {
    "small-cnn": SmallConvNet,
    "resnet20": partial(cifar_resnet, depth=20),
    "resnet32": partial(cifar_resnet, depth=32),
    "resnet44": partial(cifar_resnet, depth=44),
    "resnet56": partial(cifar_resnet, depth=56),
    "resnet110": partial(cifar_resnet, depth=110),
    "resnet50": resnet50,
}
"""Of classifiers."""

DENOISERS: dict[str, Architecture] = {
    "denoiser6": partial(denoiser, layers=6),
    "denoiser12": partial(denoiser, layers=12),
}
"""Of what stands before them: noisy images → images of the same shape."""


def build_model(
    architecture: str, *, shape: tuple[int, ...], classes: int
) -> nn.Module:
    """A network with fresh weights, drawn from torch's global generator.

    Args:
        architecture: A name in ``ARCHITECTURES`` or ``DENOISERS``.
        shape: Channels, height and width of an image.
        classes: Number of logits, of a classifier.

    Returns:
        A module that maps images in [0, 1] to logits, normalisation inside; or a
        denoiser, which maps noisy images to images.

    Raises:
        InputError: If there is no architecture of that name, or it does not take
            images of that shape.

    Example:
        >>> model = build_model("small-cnn", shape=(1, 8, 8), classes=10)
        >>> sum(weight.numel() for weight in model.parameters())
        35914
    """
    known = ARCHITECTURES | DENOISERS
    if architecture not in known:
        raise unknown_name("architecture", architecture, known)
    return known[architecture](shape=shape, classes=classes)
