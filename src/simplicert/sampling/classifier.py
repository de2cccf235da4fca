"""Any classifier, made ready to be sampled."""

import copy
import hashlib
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from types import CellType, FunctionType, MethodType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.sampling.noise import layout
from simplicert.sampling.outputs import (
    Forward,
    Output,
    check_kind,
    outputs_of,
    sum_tolerance,
)

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Classifier(ABC):
    """A base classifier and what identifies it.

    Args:
        name: For people.
        digest: SHA-256 over its weights, or over what else defines it.
        output: What it returns: ``"logits"``, whose softmax is its scores;
            ``"probabilities"``, which are certified as they are; or ``"labels"``.
        classes: Number of classes. Needed for labels; else learnt from the output.
        shape: Channels, height and width of the images it takes, where that is known.
        training_sigma: Noise it was trained with, where that is known.

    Raises:
        InputError: Another kind of output, or labels of an unknown number of classes.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        output: str,
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
    ) -> None:
        self.name, self.digest = name, digest
        self.output: Output = check_kind(output)
        self.classes, self.shape = classes, shape
        self.training_sigma = training_sigma
        if output == "labels" and classes is None:
            raise InputError(
                f"{name} returns labels, which do not tell how many classes there are: "
                "say classes=…"
            )

    @property
    def normalisations(self) -> int:
        """Parts that subtract a mean and divide by a deviation, as far as is known."""
        return 0

    @abstractmethod
    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """What maps noisy images of this shape, on ``device``, to outputs.

        Raises:
            InputError: It cannot be run like that.
        """

    @torch.inference_mode()
    def count_classes(self, forward: Forward, image: Tensor) -> int:
        """One forward pass of an image in [0, 1], to see what comes back.

        Raises:
            InputError: Not one row of outputs, or of another kind than was said.
        """
        outputs = outputs_of(
            forward, image, name=self.name, output=self.output, classes=self.classes
        )
        if self.output == "labels" and self.classes is not None:
            return self.classes
        row = outputs[0].double()
        off = abs(float(row.sum()) - 1)
        like = bool((row >= 0).all()) and off <= sum_tolerance(outputs.dtype)
        if self.output == "logits" and like:
            raise InputError(
                f"{self.name} returns numbers that sum to 1, as probabilities do, but "
                "logits are expected, of which the softmax will be taken. Say "
                'output="probabilities" (docs/classifiers.md), or leave the softmax out'
            )
        if self.output == "probabilities" and not like and bool(row.isfinite().all()):
            raise InputError(
                f"{self.name} is said to return probabilities, but they sum to "
                f"{float(row.sum()):g} and lie in [{float(row.min()):g}, "
                f"{float(row.max()):g}]"
            )
        return len(row)


class TorchClassifier(Classifier):
    """A torch module: images in [0, 1] → outputs, normalisation inside.

    Args:
        module: The module; it stays as it is.
        name: Default: its class's.
        output: As for ``Classifier``, like the other arguments.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(dim=1))
        >>> TorchClassifier(module, output="probabilities").name
        'Sequential'
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str | None = None,
        output: str = "logits",
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
    ) -> None:
        super().__init__(
            name=name or type(module).__name__,
            digest=weights_digest(module),
            output=output,
            classes=classes,
            shape=shape,
            training_sigma=training_sigma,
        )
        self._module = module

    @property
    def normalisations(self) -> int:
        """Submodules with a ``mean`` and a ``std``, which batch norms do not have."""
        return sum(
            hasattr(part, "mean") and hasattr(part, "std")
            for part in self._module.modules()
        )

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """An evaluation-mode copy on ``device``, laid out as the images are."""
        for name, part in self._module.named_modules():
            if isinstance(part, _BATCH_NORMS) and part.running_mean is None:
                raise InputError(
                    f"{self.name}: {name or 'the module'} normalises by the statistics "
                    "of the batch, so that one draw's vote depends on the others': "
                    "train it with track_running_stats=True"
                )
        try:
            module = copy.deepcopy(self._module)
        except Exception as error:
            raise InputError(
                f"{self.name} cannot be copied ({str(error).partition(chr(10))[0]}): "
                "give a module that has not been run yet, or one without hooks"
            ) from error
        module = module.eval().requires_grad_(False)
        module = module.to(device=device, dtype=DTYPES[precision])
        if layout(shape) is torch.channels_last:
            module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        if compiled:
            module.compile(dynamic=False)  # so that a shape has one way to be rounded
        return module


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
            hashed.update(part.code.encode())
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


def _plain(value: object) -> object:  # noqa: PLR0911 (one a kind)
    """A value without addresses: equal for equal modules, in any process."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if value is None or _is_number_or_text(value):
        return value
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(each)) for each in value)
    if isinstance(value, Enum | torch.dtype | torch.device):
        return str(value)
    if isinstance(value, partial):
        return [_plain(each) for each in (value.func, value.args, value.keywords)]
    if is_dataclass(value) and not isinstance(value, type):
        entries = {each.name: getattr(value, each.name) for each in fields(value)}
        return [type(value).__qualname__, _plain(entries)]
    if isinstance(value, MethodType):
        return _plain(value.__func__)
    if isinstance(value, FunctionType) and not _is_known(value):
        return _function(value)
    return _name_of(value)


def _function(value: FunctionType) -> list[object]:
    """Its source, the defaults of its arguments, and what it closes over."""
    code, source = value.__code__, _source_of(value)
    if not source or value.__name__ == "<lambda>":  # a file may have many of these
        source += f"{code.co_code.hex()} {_plain(code.co_consts)} {code.co_names}"
    defaults = [value.__defaults__, value.__kwdefaults__]
    cells = [cell for cell in value.__closure__ or () if cell != CellType()]  # empty
    around = [cell.cell_contents for cell in cells]
    # Functions only by name, since one may close over itself.
    closed = [_name_of(each) if callable(each) else _plain(each) for each in around]
    return [value.__qualname__, source, _plain(defaults), closed]


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
