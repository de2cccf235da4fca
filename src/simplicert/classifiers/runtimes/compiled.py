"""Rewritten by ``torch.compile``, its weights as constants."""

import torch
from torch import Tensor

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.runtimes.protocol import Part, Runtime

__all__ = ["compiled"]


def _build(module: Part, inputs: Tensor) -> Forward:  # noqa: ARG001 (any)
    # Frozen, the compiler folds what it can of normalisation into convolutions. No
    # CUDA graphs: they are kept by the thread that captured them, and calls come from
    # any. A shape is to have one way to be rounded, so none is dynamic.
    forward: Forward = torch.compile(module, dynamic=False, options={"freezing": True})
    return forward


compiled = Runtime(
    name="compiled",
    build=_build,
    precisions=("fp32", "bf16", "fp16"),
    devices=None,
    compiles=True,
)
