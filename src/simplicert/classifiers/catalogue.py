"""From what a user names to a classifier. Nothing here unpickles."""

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from simplicert.classifiers.onnx import from_onnx
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.sklearn import Estimator, from_estimator
from simplicert.classifiers.torch_module import TorchClassifier
from simplicert.classifiers.zoo import ZOOS
from simplicert.errors import InputError
from simplicert.models import load_checkpoint

_PICKLES = {".pt", ".pth", ".tar", ".pkl", ".pickle", ".joblib", ".ckpt", ".bin"}

_FORMS = (
    "a checkpoint (.safetensors), an ONNX file (.onnx), package.module:callable, "
    "file.py:callable, or " + ", ".join(f"{zoo}:NAME" for zoo in ZOOS)
)


def as_classifier(model: object) -> Classifier:
    """Whatever can be sampled, as a classifier.

    Args:
        model: A ``Classifier``; a torch module; a fitted scikit-learn classifier; or,
            in words, what ``simplicert sample`` takes as MODEL (docs/classifiers.md).

    Raises:
        InputError: It is none of these, or cannot be loaded.
    """
    if isinstance(model, str | Path):
        return _named(str(model))
    return _object(model, name=None)


def _object(model: object, *, name: str | None) -> Classifier:
    if isinstance(model, Classifier):
        return model
    if isinstance(model, nn.Module):
        return TorchClassifier(model, name=name)
    if isinstance(model, Estimator) and not isinstance(model, type):
        return from_estimator(model, name=name)
    what = name or f"model {getattr(model, '__qualname__', type(model).__qualname__)}"
    if callable(model):
        raise InputError(
            f"{what} is a function, which does not say what it returns: give "
            'simplicert.classifiers.NumpyClassifier(function, output="logits"), or '
            '"probabilities", or "labels"'
        )
    raise InputError(
        f"{what} is no classifier: expected a torch module, a scikit-learn classifier, "
        f"a NumpyClassifier, or, as text, {_FORMS}"
    )


def _named(text: str) -> Classifier:
    source, colon, attribute = text.rpartition(":")
    if source in ZOOS:
        return ZOOS[source](attribute)
    path = Path(text)
    if path.suffix == ".safetensors":
        module, metadata = load_checkpoint(path)
        return TorchClassifier(
            module,
            name=path.name,
            shape=metadata.shape,
            training_sigma=metadata.sigma,
        )
    if path.suffix == ".onnx":
        return from_onnx(path)
    if source.endswith(".onnx"):
        return from_onnx(Path(source), output=attribute)
    if path.suffix in _PICKLES:
        raise InputError(
            f"{text} is a pickle, which can run code when it is opened, and never is "
            "here. Write a function that builds the module and loads it with "
            "torch.load(weights_only=True), and name that: file.py:function"
        )
    if not colon:
        raise InputError(f"unknown model {text!r}: expected {_FORMS}")
    found = _attribute(_import(source), attribute, text)
    ready = isinstance(found, nn.Module | Classifier | Estimator)
    if callable(found) and (isinstance(found, type) or not ready):
        found = _call(found, text)
    return _object(found, name=text)


def _import(source: str) -> ModuleType:
    path = Path(source)
    if path.suffix == ".py" and not path.is_file():
        raise InputError(f"no file {source}: check the path")
    try:
        if path.suffix != ".py":
            return importlib.import_module(source)
        name = f"simplicert_model_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # the suffix is a known one
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # as importing does; dataclasses look there
        spec.loader.exec_module(module)
        return module
    except (Exception, SystemExit) as error:  # the user's code may do anything
        missing = isinstance(error, ModuleNotFoundError) and error.name == source
        advice = ": is it installed? A file is named with .py" if missing else ""
        raise InputError(
            f"importing {source} raised {type(error).__name__}: {error}{advice}"
        ) from error


def _attribute(module: ModuleType, attribute: str, text: str) -> Any:
    try:
        return functools.reduce(getattr, attribute.split("."), module)
    except AttributeError as error:
        raise InputError(f"{text}: there is no {attribute!r} in it") from error


def _call(function: Any, text: str) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:  # the user's code may do anything
        raise InputError(
            f"{text}() raised {type(error).__name__}: {error}. It must take no "
            "arguments and return the classifier"
        ) from error
