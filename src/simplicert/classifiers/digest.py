"""What identifies a torch module: a digest over all that it computes with."""

import hashlib
import inspect
import sys
from enum import Enum
from functools import partial
from pathlib import Path
from types import CellType, FunctionType, MethodType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from simplicert.errors import InputError


def weights_digest(module: nn.Module) -> str:
    """SHA-256 over what a module computes with, as far as Python can see it.

    Its structure, every parameter and buffer, plain attributes, hooks, and the whole
    source file of every class, base class and function that is neither Python's nor
    torch's nor ours: a constant beside the class may matter as much as a weight. The
    same under any version of torch; of Python too, unless a function has no file or no
    name.

    Raises:
        InputError: A lazy module has no weights yet.
    """
    hashed = hashlib.sha256()
    tensors = module.state_dict() | dict(module.named_buffers())  # non-persistent too
    for name, tensor in sorted(tensors.items()):
        if is_lazy(tensor):
            raise InputError(
                f"{name} of {type(module).__name__} has no values yet: call the module "
                "once on images, or load its weights, before it is sampled"
            )
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().view(-1)
        hashed.update(flat.view(torch.uint8).numpy().tobytes())
    # One that is called in several places has several names.
    for name, part in module.named_modules(remove_duplicate=False):
        hashed.update(f"{name} {type(part).__qualname__} {_settings(part)}".encode())
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            hashed.update(f"hook {_plain(hook)}".encode())
        if isinstance(part, torch.jit.ScriptModule):
            hashed.update(getattr(part, "code", "").encode())  # a list has none
    kinds = {kind for part in module.modules() for kind in type(part).__mro__}
    for source in sorted({_source_of(kind) for kind in kinds}):
        hashed.update(source.encode())
    return hashed.hexdigest()


def _settings(part: nn.Module) -> dict[str, object]:
    """Plain attributes; of torch's own modules those that were given.

    What is private is plain if it is a number or text, and not torch's own. Torch's
    constructors, and what its modules print, gain parameters from version to version,
    whose defaults keep what a module computes.
    """
    torchs = type(part).__module__.partition(".")[0] == "torch"
    attributes = {
        key: value
        for key, value in sorted(vars(part).items())
        if key != "training"
        and (not key.startswith("_") or (not torchs and _is_number_or_text(value)))
    }
    if torchs:
        parameters = inspect.signature(type(part)).parameters
        defaults = {key: each.default for key, each in parameters.items()}
        return {
            key: _plain(value)
            for key, value in attributes.items()
            if key not in defaults or _plain(value) != _plain(defaults[key])
        }
    return {key: _plain(value) for key, value in attributes.items()}


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, bool | int | float | complex | str)


def _plain(value: object, above: frozenset[int] = frozenset()) -> object:  # noqa: PLR0911 (one a kind)
    """A value without addresses: equal for equal modules, in any process.

    Args:
        value: What to describe.
        above: Where it was found: what holds itself ends there.
    """
    if value is None or _is_number_or_text(value):
        return value
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, Enum | torch.dtype | torch.device):
        return str(value)
    if id(value) in above or isinstance(value, nn.Module | type):
        return _name_of(value)  # modules have their own place in the digest
    plain = partial(_plain, above=above | {id(value)})
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(plain(each)) for each in value)
    if isinstance(value, partial):
        return [plain(each) for each in (value.func, value.args, value.keywords)]
    if isinstance(value, MethodType):
        return [plain(value.__func__), plain(value.__self__)]
    if isinstance(value, FunctionType) and not _is_known(value):
        return plain(_parts(value))
    if (hasattr(value, "__dataclass_fields__") or callable(value)) and not _is_known(
        type(value)
    ):
        return [_name_of(value), _source_of(type(value)), plain(value.__getstate__())]
    return _name_of(value)


def _parts(function: FunctionType) -> list[object]:
    """Its source, the defaults of its arguments, and what it closes over."""
    code, source = function.__code__, _source_of(function)
    if not source or function.__name__ == "<lambda>":  # a file may have many of these
        source += f"{code.co_code.hex()} {_plain(code.co_consts)} {code.co_names}"
    defaults = [function.__defaults__, function.__kwdefaults__]
    cells = [cell for cell in function.__closure__ or () if cell != CellType()]  # empty
    closed = [cell.cell_contents for cell in cells]
    return [function.__qualname__, source, defaults, closed]


def _name_of(value: object) -> str:
    return getattr(value, "__qualname__", type(value).__qualname__)


def _is_known(kind: type | FunctionType) -> bool:
    """Whether Python, torch or we define it."""
    package = (kind.__module__ or "").partition(".")[0]
    return package in {"torch", "simplicert"} | sys.stdlib_module_names


def _source_of(kind: type | FunctionType) -> str:
    """The file that defines it; nothing for what is known."""
    if _is_known(kind):
        return ""
    try:
        path = inspect.getsourcefile(kind)
        return Path(path).read_text("utf-8", errors="replace") if path else ""
    except (TypeError, OSError):  # typed into an interpreter
        return ""
