"""Classifiers outside torch: NumPy functions, scikit-learn estimators, ONNX files."""

import functools
import hashlib
import inspect
import marshal
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from simplicert.errors import InputError
from simplicert.sampling.classifier import Classifier
from simplicert.sampling.outputs import Forward


class NumpyClassifier(Classifier):
    """A function of a NumPy batch.

    Args:
        function: Float32 images, draws × channels × height × width, noisy and not
            clipped → logits or probabilities, draws × classes, or integer labels.
        output: Which of the three it returns. There is no default: the softmax of
            probabilities would be another classifier.
        classes: Number of classes. Needed for labels.
        name: Default: the function's.
        digest: SHA-256 of what defines it. Default: over the source file and the name,
            which says nothing about weights that the function has from elsewhere.

    Example:
        >>> def bright(images):
        ...     return (images.mean(axis=(1, 2, 3)) > 0.5).astype(int)
        >>> NumpyClassifier(bright, output="labels", classes=2).output
        'labels'
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], Any],
        *,
        output: str,
        classes: int | None = None,
        name: str | None = None,
        digest: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            name=name or _name(function),
            digest=digest or _source_digest(function),
            output=output,
            classes=classes,
            shape=shape,
        )
        self._function = function

    def ready(
        self,
        shape: Sequence[int],  # noqa: ARG002 (any)
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """The function between torch's tensors, on the CPU and in float32."""
        if precision != "fp32" or compiled or device.type != "cpu":
            raise InputError(
                f"{self.name} is not a torch module: it runs on the CPU (device), in "
                "fp32 (precision), and not compiled"
            )

        def forward(images: Tensor) -> Any:
            returned = self._function(np.ascontiguousarray(images.numpy()))
            if not isinstance(returned, np.ndarray) or returned.dtype.kind not in "iuf":
                return returned  # refused in words where outputs are checked
            return torch.from_numpy(np.ascontiguousarray(returned))

        return forward


@runtime_checkable
class Estimator(Protocol):
    """What scikit-learn's classifiers are."""

    def get_params(self) -> Any:
        """Its settings."""

    def predict(self, samples: Any, /) -> Any:
        """A class a sample."""


def from_estimator(estimator: Estimator, *, name: str | None = None) -> NumpyClassifier:
    """A fitted scikit-learn classifier of flattened images.

    Class ``k`` is ``classes_[k]``. Its ``predict_proba`` is certified where it has one,
    else the labels that it predicts.

    Raises:
        InputError: It is not fitted, or no classifier.
    """
    import joblib  # noqa: PLC0415 (comes with scikit-learn)

    name = name or type(estimator).__name__
    labels = getattr(estimator, "classes_", None)
    if not isinstance(labels, np.ndarray) or labels.ndim != 1:
        raise InputError(
            f"{name} has no classes_: fit it first, or wrap its function in "
            "simplicert.sampling.NumpyClassifier if it is no classifier"
        )
    probabilities = getattr(estimator, "predict_proba", None)

    def function(images: np.ndarray) -> np.ndarray:
        flat = images.reshape(len(images), -1)
        if probabilities is not None:
            return np.asarray(probabilities(flat))
        labelled: np.ndarray = np.searchsorted(labels, estimator.predict(flat))
        return labelled

    content = f"{type(estimator).__qualname__} {joblib.hash(estimator, 'sha1')}"
    return NumpyClassifier(
        function,
        output="labels" if probabilities is None else "probabilities",
        classes=len(labels),
        name=name,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def from_onnx(
    path: Path, *, output: str = "logits", classes: int | None = None
) -> NumpyClassifier:
    """An ONNX file with one float32 input whose first axis is dynamic.

    Args:
        path: The file.
        output: What it returns; see ``Classifier``. Of several outputs the first that
            is a matrix is taken, or for labels the first vector of integers.
        classes: Number of classes. Needed for labels.

    Raises:
        InputError: There is no such file, onnxruntime is not installed or cannot load
            it, or it takes or returns something else.
    """
    try:
        import onnxruntime  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise InputError(
            f"{path} needs onnxruntime: pip install 'simplicert[onnx]'"
        ) from error
    if not path.is_file():
        raise InputError(f"no ONNX file at {path}: check the path")

    @functools.cache  # one a process, made when the number of threads is known
    def session(threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions have no public base
            raise InputError(
                f"onnxruntime cannot load {path}: {str(error).splitlines()[0]}"
            ) from error

    first = session(torch.get_num_threads())
    inputs = first.get_inputs()
    batch = inputs[0].shape[0] if len(inputs) == 1 and inputs[0].shape else 0
    if isinstance(batch, int) or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
        raise InputError(
            f"{path} must take one float32 input with a dynamic first axis, but takes "
            f"{found}. Export it with dynamic_shapes (docs/classifiers.md)"
        )
    wanted = ("tensor(int64)", 1) if output == "labels" else ("tensor(float)", 2)
    outputs = [o for o in first.get_outputs() if (o.type, len(o.shape or ())) == wanted]
    if not outputs:
        found = ", ".join(f"{o.name}: {o.type} {o.shape}" for o in first.get_outputs())
        raise InputError(
            f"{path} returns no {output}, a {wanted[0]} of {wanted[1]} axes: it "
            f"returns {found}"
        )

    def function(images: np.ndarray) -> Any:
        runner = session(torch.get_num_threads())
        return runner.run([outputs[0].name], {inputs[0].name: images})[0]

    return NumpyClassifier(
        function,
        output=output,
        classes=classes,
        name=path.name,
        digest=_onnx_digest(path),
    )


def _onnx_digest(path: Path) -> str:
    """SHA-256 of the file; and of those that it keeps weights in, if there are any."""
    content = path.read_bytes()
    # Such a file's name follows the key "location" in a protobuf of two strings.
    found = re.finditer(rb"\n\x08location\x12(.)", content, re.DOTALL)
    names = {content[m.end() : m.end() + m[1][0]].decode() for m in found}
    hashed = hashlib.sha256(content)
    for name in sorted(names):
        hashed.update((path.parent / name).read_bytes())
    return hashed.hexdigest()


def _name(function: Callable[..., Any]) -> str:
    function = _unwrapped(function)
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _source_digest(function: Callable[..., Any]) -> str:
    function = _unwrapped(function)
    hashed = hashlib.sha256(_name(function).encode())
    definition = function if hasattr(function, "__code__") else type(function)
    try:
        file = inspect.getsourcefile(definition)
    except TypeError:  # built in
        file = None
    if file is not None and Path(file).is_file():
        hashed.update(Path(file).read_bytes())
    elif hasattr(function, "__code__"):  # typed into an interpreter
        hashed.update(marshal.dumps(function.__code__))
    return hashed.hexdigest()


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(inspect.unwrap(function), "__func__", function)
