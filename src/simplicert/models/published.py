"""Weights that others have published, in our architectures."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.models.catalogue import build_model
from simplicert.models.checkpoint import fit_weights
from simplicert.models.normalise import Normalise

_CONSTANTS = {"0.mean", "0.std"}


def load_published(
    path: Path,
    architecture: str,
    *,
    shape: tuple[int, ...],
    classes: int,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> nn.Module:
    """A network with the weights of a ``.pth`` or ``.pth.tar`` file, in eval mode.

    For checkpoints of the ResNets whose keys are the usual ones: Cohen et al. 2019 and
    those that build on their code, and torchvision's and timm's ResNet-50. ``module.``,
    ``_orig_mod.`` and the normalisation in front are seen through.

    **Most such files do not hold the constants of their normalisation.** Cohen et al.
    subtract a mean and divide by a deviation; others of the same keys only centre,
    ``std=(1, 1, 1)``. The weights do not tell, and with the wrong one they answer
    wrongly: give ``mean`` and ``std`` from the code that they were trained with.

    Args:
        path: File written by ``torch.save``: a state dict, or a dictionary that has
            one under ``state_dict``, ``model_state_dict``, ``model`` or ``net``.
            Tensors and plain values are all that is unpickled (``weights_only``).
        architecture: Name in the catalogue.
        shape: Channels, height and width of an image.
        classes: Number of logits.
        mean: What is subtracted, one number a channel, in pixels of [0, 1].
        std: What it is divided by. Default of both: the file's; if it has none, the
            architecture's own, with a warning that this is assumed.

    Raises:
        InputError: If the file holds anything else, weights of another network, or
            constants although some were given.
    """
    stored = read_weights(path)
    theirs = {_our_key(key): tensor for key, tensor in stored.items()}
    if len(theirs) < len(stored):
        raise InputError(
            f"{path} holds some weights twice, with 'module.' or the like in front and "
            "without: save one network's state_dict()"
        )
    model = build_model(architecture, shape=shape, classes=classes)
    ours = model.state_dict()
    stated = not _CONSTANTS.isdisjoint(theirs)
    if mean is not None and std is not None:
        if stated:
            raise InputError(f"{path} has a mean and a std of its own: leave yours out")
        theirs |= {f"0.{k}": v for k, v in Normalise(mean, std).state_dict().items()}
    elif mean is not None or std is not None:
        raise InputError("mean and std belong together: give both, or none")
    elif not stated and ours.keys() >= _CONSTANTS:
        theirs |= {key: ours[key] for key in _CONSTANTS}
        assumed = (ours[key].flatten().tolist() for key in sorted(_CONSTANTS))
        warnings.warn(
            f"{path} does not say what its weights were normalised with: "
            "{} and {} are assumed as mean and std. Give those of the code that they "
            "were trained with".format(*([*map(_short, each)] for each in assumed)),
            stacklevel=2,
        )
    for key in _CONSTANTS.intersection(theirs):  # some keep no axes for the pixels
        theirs[key] = theirs[key].reshape(-1, 1, 1)
    # A file may lack a counter that evaluation ignores.
    counters = {
        key: tensor
        for key, tensor in ours.items()
        if key.endswith("num_batches_tracked")
    }
    fit_weights(model, counters | theirs, source=f"{path}, as {architecture!r}")
    return model.eval()


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """A state dict from a file of tensors: safetensors, or what ``torch.save`` writes.

    Only tensors and plain values are unpickled (``weights_only``): no code can run.

    Raises:
        InputError: If there is no such file, or it holds anything else.
    """
    if not path.is_file():
        raise InputError(f"no file of weights at {path}: check the path")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes raise almost anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        if path.suffix == ".safetensors":
            raise InputError(
                f"{path} is no whole file of safetensors ({reason}): get it again"
            ) from error
        raise InputError(
            f"{path} holds more than tensors, or is cut short, so it is not opened "
            f"({reason}). If you trust it, load it yourself with "
            "torch.load(weights_only=False) and save its state_dict()"
        ) from error
    return _state(path, content)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


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
