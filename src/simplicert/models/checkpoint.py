"""Checkpoints: one safetensors file with the weights and all that is known of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.files import write_whole
from simplicert.models.catalogue import DENOISERS, build_model
from simplicert.structured import parse_json

_KEY = "simplicert"  # the header's one entry: safetensors allows only text values


_Side = Annotated[int, Field(ge=1, le=2**16)]


class Metadata(BaseModel):
    """What a checkpoint says about itself.

    Attributes:
        architecture: Name in the catalogue of architectures.
        shape: Channels, height and width of an image.
        class_names: One name a class, in the order of the logits; of a denoiser none.
        dataset: Name of the dataset it was trained on.
        dataset_digest: SHA-256 of that dataset's training split.
        sigma: Standard deviation of the training noise, in pixels of [0, 1].
        recipe: The resolved recipe, every field of it.
        accuracy: Measured accuracies in [0, 1], by what was measured.
        versions: Versions of the packages that trained it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    shape: Annotated[tuple[_Side, ...], Field(min_length=3, max_length=3)]
    class_names: tuple[str, ...]
    dataset: str
    dataset_digest: str
    sigma: float
    recipe: Mapping[str, Any]
    accuracy: Mapping[str, float]
    versions: Mapping[str, str]

    @property
    def is_denoiser(self) -> bool:
        """Whether it maps noisy images to images, and not images to logits."""
        return self.architecture in DENOISERS

    @property
    def classes(self) -> int:
        """Number of logits."""
        return len(self.class_names)


def save_checkpoint(path: Path, model: nn.Module, metadata: Metadata) -> None:
    """Write weights and metadata as one file, completely or not at all.

    Weights that the recipe has rounded to bf16 take two bytes each. Nothing is rounded
    here.
    """
    tensors = model.state_dict()
    if metadata.recipe.get("stored") == "bf16":
        tensors = {key: _narrowed(tensor) for key, tensor in tensors.items()}
    contiguous = {key: tensor.contiguous() for key, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, to_bytes(contiguous, {_KEY: metadata.model_dump_json()}))


def _narrowed(tensor: Tensor) -> Tensor:
    """In bf16 if that has the digits, as it has not after further training."""
    if not tensor.is_floating_point():
        return tensor
    narrow = tensor.bfloat16()
    return narrow if torch.equal(narrow.to(tensor.dtype), tensor) else tensor


def load_checkpoint(path: Path) -> tuple[nn.Module, Metadata]:
    """The network of a checkpoint, in eval mode, and its metadata; never unpickles.

    Raises:
        InputError: If the file is not a whole checkpoint of ours, or its weights do
            not fit the architecture it names.
    """
    if not path.is_file():
        raise InputError(f"no checkpoint at {path}: check the path")
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_KEY)
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a readable safetensors file ({error}): it was cut short, "
            "or it is a pickle (.pt, .pth), which can run code and is never opened "
            "here. Load it yourself with torch.load(weights_only=True) and write it "
            "with simplicert.models.save_checkpoint"
        ) from error
    if header is None:
        raise InputError(
            f"{path} holds weights but does not say of which architecture: load them "
            "into your own module, and write it with simplicert.models.save_checkpoint"
        )
    try:
        metadata = Metadata.model_validate(parse_json(header, f"the header of {path}"))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path} has a damaged header: {where}: {first['msg']}"
        ) from error
    source = f"{path}, as {metadata.architecture!r}"
    # First without memory, of which a few digits of the header could ask any amount.
    with torch.device("meta"):
        _check_fit(_built(metadata, path), weights, source=source)
    model = _built(metadata, path)
    fit_weights(model, weights, source=source)
    return model.eval(), metadata


def load_trained_classifier(path: Path) -> tuple[nn.Module, Metadata]:
    """``load_checkpoint`` of a classifier.

    Raises:
        InputError: Also if it is a denoiser's.
    """
    module, metadata = load_checkpoint(path)
    if metadata.is_denoiser:
        raise InputError(
            f"{path} is a denoiser ({metadata.architecture}), which maps images to "
            "images and names no class: give a classifier here, before which it stands "
            f"with --denoiser {path} (in Python denoiser=…)"
        )
    return module, metadata


def load_trained_denoiser(path: Path) -> tuple[nn.Module, Metadata]:
    """``load_checkpoint`` of a denoiser.

    Raises:
        InputError: Also if it is a classifier's.
    """
    module, metadata = load_checkpoint(path)
    if not metadata.is_denoiser:
        raise InputError(
            f"{path} is a classifier ({metadata.architecture}), not a denoiser: give "
            "it as the model; a denoiser is trained by simplicert train with "
            "--set method.name=denoise"
        )
    return module, metadata


def _built(metadata: Metadata, path: Path) -> nn.Module:
    try:
        return build_model(
            metadata.architecture, shape=metadata.shape, classes=metadata.classes
        )
    except (InputError, RuntimeError) as error:
        raise InputError(f"{path}: {error}") from error


def fit_weights(
    model: nn.Module, weights: Mapping[str, Tensor], *, source: str
) -> None:
    """Load weights into a network, if each of them fits and none is missing.

    Raises:
        InputError: If they are another network's; names the first that does not fit.
    """
    _check_fit(model, weights, source=source)
    model.load_state_dict(weights)


def _check_fit(model: nn.Module, weights: Mapping[str, Tensor], *, source: str) -> None:
    ours = model.state_dict()
    for key in sorted(ours.keys() | weights.keys()):
        problem = None
        if key not in weights:
            problem = "is missing"
        elif key not in ours:
            problem = "is unknown"
        elif weights[key].shape != ours[key].shape:
            sizes = f"{tuple(weights[key].shape)}, not {tuple(ours[key].shape)}"
            problem = f"has shape {sizes}"
        if problem:
            raise InputError(
                f"{source}: weight {key!r} {problem}. These are the weights of another "
                "architecture, or for other images or classes"
            )
