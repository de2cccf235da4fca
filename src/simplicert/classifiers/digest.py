"""What identifies a classifier: a digest over all that it computes with."""

import copy
import hashlib
import inspect
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn.parameter import is_lazy

from simplicert.classifiers.onnx_file import onnx_digest
from simplicert.errors import InputError
from simplicert.identity import digest_of, is_known, package_of

Places = Mapping[int, str]
"""Modules that are being read, by their address: where they are."""

_NOWHERE: Places = MappingProxyType({})

_PLAIN = nn.Module()
"""Which has all that torch itself keeps in any module."""


def classifier_digest(
    thing: object, *, meets: Callable[[nn.Module], object] | None = None
) -> str:
    """SHA-256 of a function, an estimator, …: ``digest_of``, which sees weights, too.

    A module is its ``weights_digest``, wherever it is. Estimators count as they
    predict: without what clocks and counters say, and a search as what it found.

    Args:
        thing: What to describe.
        meets: Told of each module that is met.
    """

    def special(value: Any) -> tuple[object, ...] | None:
        if meets is not None and isinstance(value, nn.Module):
            meets(value)
        return _special(value)

    return digest_of(thing, home=[package_of(thing)], special=special)


def weights_digest(module: nn.Module) -> str:
    """SHA-256 over what a module computes with, as far as Python can see it.

    Its structure, every parameter and buffer, plain attributes, hooks, and the whole
    source file of every class, base class and function that is neither Python's nor
    torch's nor ours: a constant beside the class may matter as much as a weight. The
    same under any version of torch, unless it is compiled (TorchScript) or traced; of
    Python too, unless a function has no file or no name.

    Raises:
        InputError: A lazy module has no weights yet.
    """
    return _weights(module, _NOWHERE)


def state_digest(module: nn.Module) -> str:
    """What an instance keeps, to see whether it is as before: without the code.

    Of a tensor it is two sums of its bits: as fast as memory is, since this is asked at
    every call, and no proof.
    """
    return _weights(module, _NOWHERE, code=False)


def _weights(module: nn.Module, around: Places, *, code: bool = True) -> str:
    hashed = hashlib.sha256()
    named = dict(module.named_modules(remove_duplicate=False))
    places = {**around, **{id(part): name for name, part in named.items()}}
    special = partial(_special, places=places)
    tensors = module.state_dict() | dict(module.named_buffers())  # non-persistent too
    for name, tensor in sorted(tensors.items()):
        if not isinstance(tensor, Tensor) or tensor.is_quantized:
            hashed.update(f"{name} {digest_of(tensor, special=special)}".encode())
            continue
        if is_lazy(tensor) or tensor.is_meta:
            raise InputError(
                f"{name} of {type(module).__name__} has no values yet: call the module "
                "once on images, or load its weights, before it is sampled"
            )
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hashed.update(_bytes_of(tensor) if code else _trace_of(tensor))
    for name, part in named.items():  # one that is called in several places has several
        if isinstance(part, torch.jit.ScriptModule):
            hashed.update(name.encode() + _code_of(part))
        else:
            settings = _settings(part, special)
            hashed.update(f"{name} {type(part).__qualname__} {settings}".encode())
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            hashed.update(f"hook {digest_of(hook, special=special)}".encode())
        if isinstance(part, fx.GraphModule):  # its class is made of its code
            hashed.update(part.code.encode())
    if isinstance(module, torch.jit.ScriptModule):
        hashed.update(_archive(module).encode())
    if not code:
        return hashed.hexdigest()
    kinds = {kind for part in named.values() for kind in type(part).__mro__}
    theirs = [kind for kind in kinds if not is_known(kind)]
    for digest in sorted(
        digest_of(kind, home=[package_of(kind)], special=special) for kind in theirs
    ):
        hashed.update(digest.encode())
    return hashed.hexdigest()


def _settings(part: nn.Module, special: Any) -> dict[str, object]:
    """Plain attributes; of torch's own modules those that were given.

    Private ones, too, but for torch's own. Torch's constructors, and what its modules
    print, gain parameters from version to version, whose defaults keep what a module
    computes.
    """
    torchs = package_of(type(part)) == "torch"
    # Beside its code, a graph has notes on how it came about.
    read = part.code if isinstance(part, fx.GraphModule) else None
    attributes = {
        key: _setting(value, special, plainly=is_known(type(part)))
        for key, value in sorted(vars(part).items())
        if key != "training"
        and not (key.startswith("_") and (torchs or hasattr(_PLAIN, key)))
        and (read is None or f"self.{key}" in read)
    }
    if torchs:
        parameters = inspect.signature(type(part)).parameters
        defaults = {
            key: _setting(each.default, special, plainly=True)
            for key, each in parameters.items()
        }
        return {
            key: value
            for key, value in attributes.items()
            if key not in defaults or value != defaults[key]
        }
    return attributes


def _setting(value: Any, special: Any, *, plainly: bool) -> object:
    """Numbers and text are legible; in ours and torch's, rows of them, too."""
    if value is None or _is_number_or_text(value):
        return value
    if plainly and isinstance(value, list | tuple):
        return [_setting(each, special, plainly=True) for each in value]
    return digest_of(value, special=special)


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, bool | int | float | complex | str)


def _special(  # noqa: PLR0911 (a case a kind)
    value: Any, places: Places = _NOWHERE
) -> tuple[object, ...] | None:
    """What pickle would not keep as it is, or not alone."""
    if id(value) in places:  # it has its own place in the digest
        return "part", places[id(value)], type(value).__qualname__
    if isinstance(value, nn.Module):
        return "module", _weights(value, places)
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, torch.dtype | torch.device | torch.layout | torch.qscheme):
        return "torch", str(value)
    if isinstance(value, torch.Generator):
        return "generator", value.get_state()
    if isinstance(value, torch.jit.ScriptFunction):
        return "script", _unmangled(str(value.code).encode())
    if hasattr(value, "sum_duplicates"):  # sparse, with notes on how it is sorted
        rows = value.tocsr(copy=True)
        rows.sum_duplicates()
        kind = type(value).__qualname__
        return "sparse", kind, rows.shape, rows.indptr, rows.indices, rows.data
    if hasattr(value, "get_arrays") and hasattr(value, "get_tree_stats"):
        return "tree", type(value).__qualname__, [*map(np.asarray, value.get_arrays())]
    if hasattr(value, "best_estimator_"):  # beside it, only how the search went
        return "search", type(value).__qualname__, value.best_estimator_
    if hasattr(value, "_model_path") and hasattr(value, "_model_bytes"):
        return "session", type(value).__qualname__, _session(value)
    if isinstance(value, dict) and type(value).__qualname__ == "Bunch":
        return "bunch", dict(value)  # its attributes are not kept
    return None


def _session(session: Any) -> object:
    """What onnxruntime runs, which is in a file or was given as bytes."""
    if session._model_path is None:
        return session._model_bytes
    path = Path(session._model_path)
    try:
        return path.read_bytes() if path.suffix == ".ort" else onnx_digest(path)
    except OSError as error:
        raise InputError(
            f"{path}, which an onnxruntime session was made of, cannot be read: say "
            "what identifies the classifier (digest=…)"
        ) from error


def _tensor(tensor: Tensor) -> tuple[object, ...]:
    head = "tensor", type(tensor).__qualname__, str(tensor.dtype), tuple(tensor.shape)
    if hasattr(tensor, "__tensor_flatten__"):  # a tensor of tensors
        names, context = tensor.__tensor_flatten__()
        return *head, context, [getattr(tensor, name) for name in names]
    if tensor.is_quantized:
        scheme = tensor.qscheme()
        scales: tuple[str, ...] = "scale", "zero_point"
        if scheme not in {torch.per_tensor_affine, torch.per_tensor_symmetric}:
            scales = "per_channel_scales", "per_channel_zero_points", "per_channel_axis"
        values = [getattr(tensor, f"q_{name}")() for name in scales]
        return *head, str(scheme), values, tensor.int_repr()
    return *head, hashlib.sha256(_bytes_of(tensor)).digest()


def _trace_of(tensor: Tensor) -> bytes:
    if tensor.layout is not torch.strided or tensor.is_complex():
        return _bytes_of(tensor)
    whole = getattr(torch, f"int{8 * tensor.element_size()}")
    bits = tensor.detach().resolve_neg().contiguous().view(-1).view(whole)
    return f"{int(bits.sum())} {int(bits[::2].sum())}".encode()


def _bytes_of(tensor: Tensor) -> bytes:
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    plain = tensor.detach().resolve_conj().resolve_neg().cpu()
    content: bytes = plain.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    return content


def _code_of(script: torch.jit.ScriptModule) -> bytes:
    methods = sorted(script._c._method_names())
    codes = [(name, script._c._get_method(name).code) for name in methods]
    return _unmangled(repr(codes).encode())


def _archive(script: torch.jit.ScriptModule) -> str:
    """Digest of what TorchScript would save, but for where its source was."""
    content = copy.deepcopy(script).eval().save_to_buffer()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith((".debug_pkl", "serialization_id"))
        ]
        read = {name: archive.read(name) for name in names}
    saved = [
        (_unmangled(name.encode()), part if "/data/" in name else _unmangled(part))
        for name, part in read.items()
    ]
    return digest_of(sorted(saved))


def _unmangled(text: bytes) -> bytes:
    """Without what depends on the process: numbers of classes, the order of a set."""
    return re.sub(
        rb"(?:^  \w+ : Final\[.*\n)+",
        lambda found: b"".join(sorted(found[0].splitlines(keepends=True))),
        re.sub(rb"[./]___torch_mangle_\d+", b"", text),
        flags=re.MULTILINE,
    )
