"""Published models by name: timm, torchvision and Hugging Face, where installed.

Each library prepares images for its own models. That is learnt from it: size and crop
say how photographs are cut, range and normalisation go inside the model, so that noise
lives in pixels of [0, 1].
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from types import ModuleType
from typing import Any, Protocol

from torch import nn

from simplicert.classifiers.preparation import Constants, Preparation, learn
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.torch_module import TorchClassifier
from simplicert.errors import InputError
from simplicert.files import read_bytes
from simplicert.models.normalise import Normalise
from simplicert.models.published import read_weights
from simplicert.structured import parse_json


class Zoo(Protocol):
    """Loads a model by its name in a library."""

    def __call__(self, name: str, *, bare: bool) -> Classifier:
        """The model; if ``bare``, without a normalisation where none is known."""


def _timm(name: str, *, bare: bool) -> Classifier:
    timm = imported("timm", name)
    name, _, file = name.partition("@")

    def build(**options: Any) -> Any:
        return theirs("timm", name, lambda: timm.create_model(name, **options))

    if file:
        return _from_file(f"timm:{name}@{file}", build, Path(file), bare=bare)
    module = build(pretrained=True)
    config: Any = module.pretrained_cfg
    data = imported("timm.data", name)

    def prepared(*, test: bool) -> Preparation:
        def transform() -> Any:
            said = data.resolve_data_config({}, model=module, use_test_size=test)
            return data.create_transform(**said)

        return learn(
            theirs("timm", name, transform),
            name=f"timm:{name}",
            channels=config["input_size"][0],
            stated=_stated(config["mean"], config["std"]),
        )

    # Accuracies are published at the test size; the model takes that of training, too.
    sizes = [True, False] if config.get("test_input_size") else [False]
    names = config.get("label_names") or ()
    return _classifier(
        f"timm:{name}",
        module,
        *(prepared(test=test) for test in sizes),
        class_names=names if isinstance(names, list | tuple) else (),
    )


def _torchvision(name: str, *, bare: bool) -> Classifier:
    models = imported("torchvision.models", name)
    name, _, file = name.partition("@")

    def build(**options: Any) -> Any:
        return theirs("torchvision", name, lambda: models.get_model(name, **options))

    if file:
        return _from_file(f"torchvision:{name}@{file}", build, Path(file), bare=bare)
    weights = theirs(
        "torchvision", name, lambda: models.get_model_weights(name).DEFAULT
    )
    transforms = weights.transforms()
    return _classifier(
        f"torchvision:{name}",
        build(weights=weights),
        learn(
            transforms,
            name=f"torchvision:{name}",
            stated=_stated(
                getattr(transforms, "mean", None), getattr(transforms, "std", None)
            ),
        ),
        class_names=weights.meta.get("categories", ()),
    )


def _hugging_face(name: str, *, bare: bool) -> Classifier:
    transformers = imported("transformers", name)
    if _is_timms(Path(name)):
        raise InputError(
            f"hf:{name} is a folder that timm wrote: name it timm:local-dir:{name}"
        )
    module = theirs(
        "transformers",
        name,
        lambda: transformers.AutoModelForImageClassification.from_pretrained(
            name,
            use_safetensors=True,  # the other format is a pickle
        ),
    )
    config = module.config
    channels = getattr(config, "num_channels", 3)
    said = getattr(config, "id2label", None) or {}
    labels = {int(key): str(said[key]) for key in said}
    every = range(len(labels))  # where one is missing, none has its own place
    names = tuple(labels[key] for key in every) if labels.keys() == {*every} else ()
    try:
        processor = theirs(
            "transformers",
            name,
            lambda: transformers.AutoImageProcessor.from_pretrained(name),
        )
    except InputError as error:
        if not bare:
            raise InputError(
                f"{error}. If it has none, say what it was normalised with: give mean "
                "and std"
            ) from error
        side = getattr(config, "image_size", None)
        shape = (channels, side, side) if isinstance(side, int) else None
        found: Classifier = TorchClassifier(
            module, name=f"hf:{name}", shape=shape, class_names=names
        )
        return _labelled(found, config)
    said = processor.to_dict()
    prepared = learn(
        lambda image: processor(images=image, return_tensors="pt")["pixel_values"][0],
        name=f"hf:{name}",
        channels=channels,
        stated=_stated(said.get("image_mean"), said.get("image_std")),
    )
    found = _classifier(f"hf:{name}", module, prepared, class_names=names)
    return _labelled(found, config)


def _labelled(classifier: Classifier, config: Any) -> Classifier:
    """The classifier, which knows whether its labels exclude each other."""
    kind = getattr(config, "problem_type", None)
    classifier.is_multi_label = kind == "multi_label_classification"
    return classifier


ZOOS: Mapping[str, Zoo] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "hf": _hugging_face,
}


def _stated(mean: Any, std: Any) -> Constants | None:
    each = isinstance(mean, list | tuple) and isinstance(std, list | tuple)
    return (mean, std) if each else None  # else one number for all, or nothing


def _is_timms(folder: Path) -> bool:
    try:
        file = folder / "config.json"
        config = parse_json(read_bytes(file), file)
    except (OSError, InputError):
        return False
    if not isinstance(config, Mapping):
        return False
    return "pretrained_cfg" in config and "model_type" not in config


def imported(package: str, name: str) -> ModuleType:
    """A package that ``name`` needs.

    Raises:
        InputError: It cannot be imported; names what to install.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # a broken build fails with more than ImportError
        top = package.partition(".")[0]
        raise InputError(
            f"{name!r} needs {top}, which cannot be imported ({error}): pip install "
            f"{top}"
        ) from error


def theirs(package: str, name: str, load: Callable[[], Any]) -> Any:
    """What a package loads.

    Raises:
        InputError: Whatever it raises.
    """
    try:
        return load()
    except Exception as error:  # unknown name, no network, …: theirs to say
        raise InputError(
            f"{package} cannot load {name!r}: {type(error).__name__}: "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error


def _from_file(
    name: str, build: Callable[..., nn.Module], file: Path, *, bare: bool
) -> Classifier:
    """A library's network with weights of one's own, whose normalisation must be said.

    Raises:
        InputError: It is not said; or the weights are another network's.
    """
    if not bare:
        raise InputError(
            f"{name}: a file of weights does not tell what they were normalised with: "
            "give mean and std (those of ImageNet are usually 0.485,0.456,0.406 and "
            "0.229,0.224,0.225)"
        )
    weights = read_weights(file)
    module = build()
    ours = module.state_dict()
    # The head tells the number of classes; it is the last matrix of both.
    heads = [key for key, tensor in ours.items() if tensor.ndim in {2, 4}]
    head = weights.get(heads[-1]) if heads else None
    if head is not None and len(head) != len(ours[heads[-1]]):
        module = build(num_classes=len(head))
    try:
        module.load_state_dict(dict(weights))
    except RuntimeError as error:
        first = shorten(" ".join(str(error).split("\n\t")[1:2]) or str(error), 160)
        raise InputError(
            f"{name}: the weights are another network's: {first}"
        ) from error
    return TorchClassifier(module, name=name)


def _classifier(
    name: str,
    module: nn.Module,
    *prepared: Preparation,
    class_names: Sequence[str],
) -> Classifier:
    usual = prepared[0]
    cuts = [each.cut for each in prepared if each.cut is not None]
    unknown = (
        "how its own library cuts photographs could not be learnt: if yours are cut, "
        "is it as that does it?"
    )
    return TorchClassifier(
        nn.Sequential(Normalise(*usual.constants), module),
        name=name,
        shape=usual.shape,
        class_names=class_names,
        cuts=cuts,
        remarks=() if cuts else (unknown,),
    )
