"""From what a user names to a classifier. Nothing here unpickles."""

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn
from torch.export import ExportedProgram

from simplicert.classifiers.adapted import normalised
from simplicert.classifiers.denoised import denoised
from simplicert.classifiers.http import HttpClassifier
from simplicert.classifiers.onnx import is_onnx, onnx_named
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.service import is_url
from simplicert.classifiers.sklearn import Estimator, from_estimator
from simplicert.classifiers.torch_module import (
    TorchClassifier,
    is_script,
    load_script,
)
from simplicert.classifiers.zoo import ZOOS
from simplicert.errors import InputError
from simplicert.models import load_trained_classifier
from simplicert.plugins import Kind, Origin, built

_PICKLES = {".pt", ".pth", ".tar", ".pkl", ".pickle", ".joblib", ".ckpt", ".bin"}

_FORMS = (
    "a checkpoint (.safetensors), an ONNX file (.onnx), TorchScript (.pt), "
    "package.module:callable, "
    "file.py:callable, a service (http://HOST:PORT), or "
    + ", ".join(f"{zoo}:NAME" for zoo in ZOOS)
)


def as_classifier(
    model: object,
    *,
    output: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    denoiser: object = None,
    sigma: float | None = None,
) -> Classifier:
    """Whatever can be sampled, as a classifier.

    Args:
        model: A ``Classifier``; a torch module; a fitted scikit-learn classifier; or,
            in words, what ``simplicert sample`` takes as MODEL (docs/classifiers.md).
        output: What it returns, or which part of that is meant, if it is not what the
            classifier says itself: as ``"probability"``, ``"labels:10"``, ``"label=3"``
            or ``"name=head"`` (docs/classifiers.md).
        mean: What to subtract from the pixels of [0, 1] first, one number a channel,
            for a model that does not do so itself.
        std: What to divide them by then.
        denoiser: What stands before it and is given the noisy pixels of [0, 1]; as for
            ``denoised``.
        sigma: Of the noise, for a denoiser that must know it.

    Raises:
        InputError: It is none of these, or cannot be loaded; or constants are given to
            a model that states its own.
    """
    if (mean is None) != (std is None):
        raise InputError("mean and std belong together: give both, or none")
    if isinstance(model, str | Path):
        text = str(model)
        if output is not None and text.partition(":")[0] not in ZOOS and is_onnx(text):
            text, output = f"{text}:{output}", None  # what is run depends on it
        classifier = _named(text, bare=mean is not None)
    else:
        classifier = _object(model, name=None)
    if output is not None:
        classifier = classifier.read_as(output)
    if mean is not None and std is not None:
        classifier = normalised(classifier, mean=mean, std=std)
    if denoiser is None:
        return classifier
    return denoised(classifier, denoiser, sigma=sigma)


def _object(model: object, *, name: str | None) -> Classifier:
    if isinstance(model, Classifier):
        return model
    if isinstance(model, nn.Module | ExportedProgram):
        return TorchClassifier(model, name=name)
    if isinstance(model, Estimator) and not isinstance(model, type):
        return from_estimator(model, name=name)
    what = name or f"model {getattr(model, '__qualname__', type(model).__qualname__)}"
    if callable(model):
        raise InputError(
            f"{what} is a function, which does not say what it takes and returns: give "
            "simplicert.classifiers.TorchClassifier(function) if it maps tensors to "
            'logits, or NumpyClassifier(function, output="logits") if it maps arrays; '
            'or, in either, output="probabilities", "labels", "logit" or "probability"'
        )
    raise InputError(
        f"{what} is no classifier: expected a torch module, a scikit-learn classifier, "
        f"a NumpyClassifier, or, as text, {_FORMS}"
    )


def _named(text: str, *, bare: bool) -> Classifier:
    if is_url(text):
        return HttpClassifier(text)
    zoo, _, name = text.partition(":")  # names there may have colons, too
    if zoo in ZOOS:
        return ZOOS[zoo](name, bare=bare)
    path = Path(text)
    if path.suffix == ".safetensors":
        module, metadata = load_trained_classifier(path)
        return TorchClassifier(
            module,
            name=path.name,
            shape=metadata.shape,
            training_sigma=metadata.sigma,
            class_names=metadata.class_names,
        )
    if is_onnx(text):
        return onnx_named(text)
    if path.suffix in _PICKLES and is_script(path):
        return TorchClassifier(load_script(path), name=path.name)
    if path.suffix == ".pt2":
        raise InputError(
            f"{text} is an exported program, and opening one may run code that is in "
            "it. Write a function that returns torch.export.load(…), and name that: "
            "file.py:function"
        )
    if path.suffix in _PICKLES:
        raise InputError(
            f"{text} is a pickle, which can run code when it is opened, and never is "
            "here. If it holds the weights of a network of torchvision or timm, name "
            f"both: torchvision:NAME@{text}. Or write a function that returns the "
            "classifier (its weights by torch.load(weights_only=True)), and name that: "
            "file.py:function"
        )
    if path.suffix == ".py":
        raise InputError(
            f"{text}: name what in it returns the classifier, too, as in {text}:NAME"
        )
    if ":" not in text and text not in CLASSIFIERS.names:
        raise InputError(f"unknown model {text!r}: expected {_FORMS}")
    return CLASSIFIERS.find(text)()


def _admit(thing: object, origin: Origin) -> Callable[[], Classifier]:
    """Builds the classifier anew each time: a network may change after it was built."""

    def build() -> Classifier:
        ready = nn.Module, ExportedProgram, Classifier, Estimator
        found = built(thing, origin, ready=ready, what="classifier")
        return _object(found, name=origin.text)

    return build


CLASSIFIERS: Kind[Callable[[], Classifier]] = Kind(
    name="classifier", built_in={}, admit=_admit
)
