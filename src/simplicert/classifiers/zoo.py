"""Published models by name: timm, torchvision and Hugging Face, where installed.

Each library records which inputs its weights were trained on. Size is checked, range
and normalisation go inside the model, so that noise lives in pixels of [0, 1].
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from torch import nn

from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.torch_module import TorchClassifier
from simplicert.errors import InputError
from simplicert.models.normalise import Normalise


def _timm(name: str) -> Classifier:
    module = _load("timm", lambda timm: timm.create_model(name, pretrained=True), name)
    config = module.pretrained_cfg
    return _classifier(
        f"timm:{name}",
        module,
        mean=config["mean"],
        std=config["std"],
        shape=config["input_size"],
    )


def _torchvision(name: str) -> Classifier:
    def load(models: ModuleType) -> Any:
        weights = models.get_model_weights(name).DEFAULT
        return models.get_model(name, weights=weights), weights.transforms()

    module, transforms = _load("torchvision.models", load, name)
    [side] = transforms.crop_size
    return _classifier(
        f"torchvision:{name}",
        module,
        mean=transforms.mean,
        std=transforms.std,
        shape=(3, side, side),
    )


def _hugging_face(name: str) -> Classifier:
    def load(transformers: ModuleType) -> Any:
        model = transformers.AutoModelForImageClassification.from_pretrained(
            name,
            use_safetensors=True,  # the other format is a pickle
        )
        return model, transformers.AutoImageProcessor.from_pretrained(name)

    module, processor = _load("transformers", load, name)
    said = processor.to_dict()
    size = said.get("crop_size") if said.get("do_center_crop") else said.get("size")
    side = (size or {}).get("shortest_edge")
    height, width = (size or {}).get("height", side), (size or {}).get("width", side)
    if height is None or width is None:
        raise InputError(
            f"hf:{name} does not say what size of image it takes: write a function "
            "that loads it, and name that: file.py:function"
        )
    channels = getattr(module.config, "num_channels", 3)
    # Its pixels are 0 … 255 times a factor, and perhaps minus 1; ours are 0 … 1.
    scale = 255.0 * said["rescale_factor"] if said.get("do_rescale", True) else 255.0
    offset = 1.0 if said.get("rescale_offset") else 0.0
    normalised = said.get("do_normalize", True)
    mean = said["image_mean"] if normalised else [0.0] * channels
    std = said["image_std"] if normalised else [1.0] * channels
    return _classifier(
        f"hf:{name}",
        module,
        mean=[(m + offset) / scale for m in mean],
        std=[s / scale for s in std],
        shape=(channels, height, width),
    )


ZOOS: Mapping[str, Callable[[str], Classifier]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "hf": _hugging_face,
}


def _load(package: str, load: Callable[[ModuleType], Any], name: str) -> Any:
    try:
        module = importlib.import_module(package)
    except Exception as error:  # a broken build fails with more than ImportError
        top = package.partition(".")[0]
        raise InputError(
            f"{name!r} needs {top}, which cannot be imported ({error}): pip install "
            f"{top}"
        ) from error
    try:
        return load(module)
    except Exception as error:  # unknown name, no network, …: theirs to say
        raise InputError(
            f"{package} cannot load {name!r}: {type(error).__name__}: "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error


def _classifier(
    name: str,
    module: nn.Module,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    shape: Sequence[int],
) -> Classifier:
    return TorchClassifier(
        nn.Sequential(Normalise(mean, std), module), name=name, shape=tuple(shape)
    )
