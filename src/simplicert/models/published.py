"""Weights that others have published, in our architectures."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.models.catalogue import build_model
from simplicert.models.checkpoint import fit_weights


def load_published(
    path: Path, architecture: str, *, shape: tuple[int, int, int], classes: int
) -> nn.Module:
    """A network with the weights of a ``.pth`` or ``.pth.tar`` file, in eval mode.

    For checkpoints of the ResNets whose keys are the usual ones: Cohen et al. 2019 and
    the many that build on their code (SmoothAdv, Consistency, MACER's evaluation), and
    torchvision's and timm's ResNet-50. ``module.`` and the normalisation in front are
    seen through; the normalisation is the architecture's own, with the same constants.

    Args:
        path: File written by ``torch.save``: a state dict, or a dictionary that has
            one under ``state_dict`` or ``model``. Tensors and plain values are all that
            is unpickled (``weights_only``).
        architecture: Name in the catalogue.
        shape: Channels, height and width of an image.
        classes: Number of logits.

    Raises:
        InputError: If the file holds anything else, or weights of another network.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"{path} holds more than tensors, or is cut short, so it is not opened "
            f"({str(error).splitlines()[0]}). If you trust it, load it yourself with "
            "torch.load(weights_only=False) and save its state_dict()"
        ) from error
    model = build_model(architecture, shape=shape, classes=classes)
    ours = model.state_dict()
    theirs = {_our_key(key): tensor for key, tensor in _state(path, content).items()}
    constants = {key: ours[key] for key in ("0.mean", "0.std") if key in ours}
    fit_weights(model, theirs | constants, source=f"{path}, as {architecture!r}")
    return model.eval()


def _state(path: Path, content: Any) -> Mapping[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"{path} holds no state dict: save model.state_dict()")
    return {str(key): value for key, value in content.items()}


def _our_key(key: str) -> str:
    """``1.module.fc.bias``, ``module.fc.bias`` or ``fc.bias`` → ``1.fc.bias``."""
    parts = [part for part in key.split(".") if part != "module"]
    return ".".join(parts if parts[0] in {"0", "1"} else ["1", *parts])
