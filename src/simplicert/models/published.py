"""Weights that others have published, in our architectures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.models.catalogue import build_model
from simplicert.models.checkpoint import fit_weights

_CONSTANTS = {"0.mean", "0.std"}


def load_published(
    path: Path, architecture: str, *, shape: tuple[int, ...], classes: int
) -> nn.Module:
    """A network with the weights of a ``.pth`` or ``.pth.tar`` file, in eval mode.

    For checkpoints of the ResNets whose keys are the usual ones: Cohen et al. 2019 and
    the many that build on their code (SmoothAdv, Consistency, MACER's evaluation), and
    torchvision's and timm's ResNet-50. ``module.``, ``_orig_mod.`` and the
    normalisation in front are seen through. Its constants are the file's; if the file
    has none, the architecture's own, which are those of the papers above.

    Args:
        path: File written by ``torch.save``: a state dict, or a dictionary that has
            one under ``state_dict``, ``model_state_dict``, ``model`` or ``net``.
            Tensors and plain values are all that is unpickled (``weights_only``).
        architecture: Name in the catalogue.
        shape: Channels, height and width of an image.
        classes: Number of logits.

    Raises:
        InputError: If the file holds anything else, or weights of another network.
    """
    if not path.is_file():
        raise InputError(f"no file of weights at {path}: check the path")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes raise almost anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{path} holds more than tensors, or is cut short, so it is not opened "
            f"({reason}). If you trust it, load it yourself with "
            "torch.load(weights_only=False) and save its state_dict()"
        ) from error
    model = build_model(architecture, shape=shape, classes=classes)
    theirs = {_our_key(key): tensor for key, tensor in _state(path, content).items()}
    # A file may lack a counter that evaluation ignores, and the whole normalisation.
    normalised = not _CONSTANTS.isdisjoint(theirs)
    ours = {
        key: tensor
        for key, tensor in model.state_dict().items()
        if key.endswith("num_batches_tracked") or (key in _CONSTANTS and not normalised)
    }
    for key in _CONSTANTS.intersection(theirs):  # some keep no axes for the pixels
        theirs[key] = theirs[key].reshape(-1, 1, 1)
    fit_weights(model, ours | theirs, source=f"{path}, as {architecture!r}")
    return model.eval()


def _state(path: Path, content: Any) -> Mapping[str, Tensor]:
    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(value, Tensor) for value in content.values())
    ):
        raise InputError(
            f"{path} holds no state dict, a mapping from names to tensors: save "
            "model.state_dict()"
        )
    return {str(key): value for key, value in content.items()}


def _our_key(key: str) -> str:
    """``1.module.fc.bias``, ``module.fc.bias`` or ``fc.bias`` → ``1.fc.bias``."""
    parts = [part for part in key.split(".") if part not in {"module", "_orig_mod"}]
    return ".".join(parts if parts[0] in {"0", "1"} else ["1", *parts])
