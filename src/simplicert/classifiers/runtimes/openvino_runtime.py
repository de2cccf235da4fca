"""Exported to ONNX, run by OpenVINO on the CPU."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.runtimes.export import check_installed, exported
from simplicert.classifiers.runtimes.protocol import Part, Runtime

__all__ = ["openvino"]

# Left alone, it computes in bf16 where the processor can, quantises what it multiplies
# as it goes, and binds its threads to the same cores in each of several processes.
_SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,
}


def _build(module: Part, inputs: Tensor) -> Forward:
    check_installed("openvino", extra="openvino")
    import openvino as ov  # noqa: PLC0415 (an extra)

    # Not by its own conversion of torch modules, which reports home that it was used.
    program = exported(module, inputs)

    @lru_cache(maxsize=1)
    def request(threads: int) -> Any:
        core = ov.Core()
        settings = _SETTINGS | {"INFERENCE_NUM_THREADS": threads}
        model = core.read_model(program)
        return core.compile_model(model, "CPU", settings).create_infer_request()

    def forward(inputs: Tensor) -> Tensor:
        given = np.ascontiguousarray(inputs.numpy())
        runner = request(torch.get_num_threads())
        # What it returns is its own memory, which the next pass may overwrite.
        found = runner.infer([given], share_inputs=True, share_outputs=False)
        return torch.from_numpy(found[0])

    return forward


openvino = Runtime(name="openvino", build=_build, package="openvino")
