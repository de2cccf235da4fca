"""ONNX files."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from simplicert.classifiers.function import NumpyClassifier
from simplicert.classifiers.onnx_file import onnx_digest
from simplicert.classifiers.outputs import Output, check_kind
from simplicert.errors import InputError, unknown_name


def onnx_named(text: str) -> NumpyClassifier:
    """``FILE.onnx``, and behind colons: an output's name or kind, a number of classes.

    Raises:
        InputError: As for ``from_onnx``.
    """
    file, _, rest = text.partition(".onnx:")
    words = [word for word in rest.split(":") if word]
    kinds = [word for word in words if word in get_args(Output)]
    numbers = [word for word in words if word.isdecimal()]
    names = [word for word in words if word not in {*kinds[:1], *numbers[:1]}]
    return from_onnx(
        Path(f"{file}.onnx" if rest else text),
        output=kinds[0] if kinds else None,
        name=":".join(names) or None,
        classes=int(numbers[0]) if numbers else None,
    )


def from_onnx(
    path: Path,
    *,
    output: str | None = None,
    name: str | None = None,
    classes: int | None = None,
) -> NumpyClassifier:
    """An ONNX file with one float32 input whose first axis is dynamic.

    Args:
        path: The file.
        output: What it returns; see ``Classifier``. Default: logits.
        name: Of the output that is meant, where several fit. One that is called as
            ``output`` is fits best.
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
    digest = onnx_digest(path)  # before anything opens what it names

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
    taken = _input(path, first.get_inputs())
    kind = check_kind(output or "logits")
    returned = _output(path, first.get_outputs(), kind, name or "", said=bool(output))
    if kind == "labels" and classes is None:
        raise InputError(
            f"{path} returns labels, which do not tell how many classes there are: say "
            f"{path}:labels:NUMBER"
        )

    if len(first.get_outputs()) > 1:  # each is another classifier
        digest = hashlib.sha256(f"{digest} {returned}".encode()).hexdigest()

    def function(images: np.ndarray) -> Any:
        _check_layout(path, taken.shape[1:], images.shape[1:])
        runner = session(torch.get_num_threads())
        return runner.run([returned], {taken.name: images})[0]

    return NumpyClassifier(
        function, output=kind, classes=classes, name=path.name, digest=digest
    )


def _input(path: Path, inputs: Sequence[Any]) -> Any:
    """The one that is float32, of any number of draws."""
    found = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
    wrap = "wrap its session in simplicert.classifiers.NumpyClassifier"
    if len(inputs) != 1:
        raise InputError(f"{path} must take one input, but takes {found}: {wrap}")
    [only] = inputs
    if only.type != "tensor(float)":
        raise InputError(
            f"{path} must take float32, tensor(float), but takes {found}: put a Cast "
            f"in front of it, or {wrap}, which may convert"
        )
    if not only.shape or isinstance(only.shape[0], int):
        raise InputError(
            f"{path} must take any number of images at once, but takes {found}: export "
            "it with dynamic_shapes, so that its first axis is free "
            f"(docs/classifiers.md), or {wrap}"
        )
    return only


def _output(
    path: Path, outputs: Sequence[Any], kind: Output, name: str, *, said: bool
) -> str:
    """The name of the only one that is of this kind, or of the one that is named."""
    found = ", ".join(f"{o.name}: {o.type} {o.shape}" for o in outputs)
    wanted = ("tensor(int64)", 1) if kind == "labels" else ("tensor(float)", 2)
    fitting = [o.name for o in outputs if (o.type, len(o.shape or ())) == wanted]
    if name:
        if name not in [o.name for o in outputs]:
            error = unknown_name("kind of output", name, get_args(Output))
            raise InputError(f"{error}; {path} returns {found}")
        fitting = [each for each in fitting if each == name]
    elif said and kind in fitting:
        fitting = [kind]
    if not fitting:
        maps = any(o.type.startswith("seq(map") for o in outputs)
        cure = "; export it with zipmap=False" if maps else ""
        what = f"output {name!r} of {path} is" if name else f"{path} returns"
        raise InputError(
            f"{what} no {kind}, a {wanted[0]} of {wanted[1]} axes: it returns {found}"
            f"{cure}. What is in another type or layout can be wrapped in "
            "simplicert.classifiers.NumpyClassifier, which may convert"
        )
    if len(fitting) > 1:
        raise InputError(
            f"{path} returns several that could be {kind}, {', '.join(fitting)}: say "
            f"which, as {path}:{fitting[-1]}"
        )
    return str(fitting[0])


def _check_layout(path: Path, declared: Sequence[Any], shape: tuple[int, ...]) -> None:
    def fits(sizes: Sequence[int]) -> bool:
        return len(sizes) == len(declared) and all(
            size == each
            for size, each in zip(sizes, declared, strict=True)
            if isinstance(each, int)
        )

    if fits(shape):
        return
    why = "load them at that size"
    if len(declared) != len(shape):
        why = f"it takes inputs of {len(declared)} axes"
    elif len(shape) == 3 and fits((*shape[1:], shape[0])):
        why = "it takes the channels last, and they come first here"
    if why[:2] == "it":
        why += ": wrap its session in simplicert.classifiers.NumpyClassifier"
    raise InputError(
        f"{path} takes {[*declared]} an image, but was given images of shape {shape}: "
        f"{why}"
    )
