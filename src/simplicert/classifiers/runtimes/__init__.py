"""What runs a torch module's forward passes: one file a runtime."""

from simplicert.classifiers.runtimes.compiled import compiled
from simplicert.classifiers.runtimes.folded import folded
from simplicert.classifiers.runtimes.held import eagerly, run_by
from simplicert.classifiers.runtimes.onnx_runtime import onnxruntime
from simplicert.classifiers.runtimes.openvino_runtime import openvino
from simplicert.classifiers.runtimes.protocol import EAGER, Runtime

__all__ = ["EAGER", "RUNTIMES", "Runtime", "eagerly", "run_by"]

RUNTIMES = {
    each.name: each for each in (EAGER, compiled, folded, onnxruntime, openvino)
}
"""By their names, as manifests have them."""
