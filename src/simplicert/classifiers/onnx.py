"""ONNX files."""

import functools
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from simplicert.classifiers.function import NumpyClassifier
from simplicert.errors import InputError


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
