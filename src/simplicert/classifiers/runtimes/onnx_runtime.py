"""Exported to ONNX, run by onnxruntime on the CPU."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.runtimes.export import check_installed, exported
from simplicert.classifiers.runtimes.protocol import Part, Runtime

__all__ = ["onnxruntime"]


def _build(module: Part, inputs: Tensor) -> Forward:
    check_installed("onnxruntime", extra="onnx")
    import onnxruntime as ort  # noqa: PLC0415 (an extra)

    program = exported(module, inputs)

    @lru_cache(maxsize=1)
    def session(threads: int) -> Any:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        return ort.InferenceSession(program, options, providers=providers)

    def forward(inputs: Tensor) -> Tensor:
        runner = session(torch.get_num_threads())
        [taken] = runner.get_inputs()
        given = np.ascontiguousarray(inputs.numpy())
        return torch.from_numpy(runner.run(None, {taken.name: given})[0])

    return forward


onnxruntime = Runtime(name="onnxruntime", build=_build, package="onnxruntime")
