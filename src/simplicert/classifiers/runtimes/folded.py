"""Batch normalisation folded into the convolutions before it; torch runs the rest."""

import copy
from collections import Counter

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.runtimes.protocol import Part, Runtime
from simplicert.errors import InputError
from simplicert.machine.layout import layout

__all__ = ["folded"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def _build(module: Part, inputs: Tensor) -> Forward:
    try:
        traced = fx.symbolic_trace(copy.deepcopy(module.module))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"torch.fx cannot trace it ({reason})") from error
    if not _fold(traced):
        raise InputError("it has no batch normalisation behind a convolution to fold")
    traced.requires_grad_(False)
    if layout(inputs.shape[1:]) is torch.channels_last:
        traced = traced.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return module.around(traced)


def _fold(traced: fx.GraphModule) -> int:
    """Fold what can be, and say how many were."""
    parts, folds = dict(traced.named_modules()), 0
    calls = Counter(n.target for n in traced.graph.nodes if n.op == "call_module")
    for node in [*traced.graph.nodes]:
        if node.op != "call_module" or not isinstance(parts[node.target], _NORMS):
            continue
        [before, *others] = node.all_input_nodes
        convolution = parts.get(str(before.target))
        alone = len(before.users) == calls[before.target] == calls[node.target] == 1
        if others or not alone or not isinstance(convolution, _CONVOLUTIONS):
            continue
        both = fuse_conv_bn_eval(convolution, parts[node.target])
        traced.set_submodule(str(before.target), both)
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
        folds += 1
    traced.recompile()
    return folds


folded = Runtime(name="folded", build=_build, devices=None)
