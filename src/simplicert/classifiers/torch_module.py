"""Torch modules."""

import copy
import warnings
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from simplicert.classifiers.digest import (
    classifier_digest,
    state_digest,
    weights_digest,
)
from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.reading import Reading
from simplicert.classifiers.runtimes import RUNTIMES, run_by
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.machine.layout import layout
from simplicert.plugins import defined_name

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class TorchClassifier(Classifier):
    """A torch module: images in [0, 1] → outputs, normalisation inside.

    Args:
        module: The module; it stays as it is. Also TorchScript, a quantised module, a
            program that ``torch.export`` made, or a function of a batch of tensors,
            which is called as it is: what it uses must be in evaluation mode and on the
            device already.
        name: Default: its class's.
        output: As for ``Classifier``, like the other arguments.
        remarks: What to say of it before it is sampled.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(dim=1))
        >>> TorchClassifier(module, output="probabilities").name
        'Sequential'
        >>> TorchClassifier(lambda images: images.flatten(1)[:, :3], name="mine").name
        'mine'
    """

    def __init__(
        self,
        module: "nn.Module | ExportedProgram | Callable[[Tensor], Any]",
        *,
        name: str | None = None,
        output: str | Reading = "logits",
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
        class_names: Sequence[str] = (),
        cuts: Sequence[PublishedCut] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        if isinstance(module, ExportedProgram):
            name, module = name or type(module).__name__, module.module()
        self._modules: list[nn.Module] = []
        if isinstance(module, nn.Module):
            self._modules = [module]
            name, digest = name or type(module).__name__, weights_digest(module)
        else:
            name = name or defined_name(module)
            digest = classifier_digest(module, meets=self._modules.append)
        super().__init__(
            name=name,
            digest=digest,
            output=output,
            classes=classes,
            shape=shape,
            training_sigma=training_sigma,
            class_names=class_names,
            cuts=cuts,
        )
        self._module, self._remarks = module, tuple(remarks)
        self._state = state_digest(module) if isinstance(module, nn.Module) else None

    @property
    def module(self) -> nn.Module | None:
        """The module; ``None``: it is a function."""
        return self._module if isinstance(self._module, nn.Module) else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to say of it before it is sampled."""
        return self._remarks

    @property
    def normalisations(self) -> int | None:
        """Submodules with a ``mean`` and a ``std``, which batch norms do not have."""
        if not isinstance(self._module, nn.Module):  # what a function does is unknown
            return None
        return sum(
            hasattr(part, "mean") and hasattr(part, "std")
            for module in self._modules
            for part in module.modules()
        )

    def warnings(self, *, precision: str) -> tuple[str, ...]:
        """The remarks, and weights of another precision, which are converted."""
        weights = (w for module in self._modules for w in module.parameters())
        kept = {weight.dtype for weight in weights if weight.is_floating_point()}
        others = kept - {torch.float32, DTYPES[precision]}
        return self._remarks + tuple(
            f"the model has weights in {name.removeprefix('torch.')}, which are "
            f"converted to {precision}: what is certified is the converted model. Is "
            "it the one that you use?"
            for name in sorted(map(str, others))
        )

    def has_changed(self) -> bool:
        """Whether the module was trained or altered since it was wrapped."""
        module = self._module
        return isinstance(module, nn.Module) and state_digest(module) != self._state

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """An evaluation-mode copy on ``device``, laid out as the images are.

        Raises:
            InputError: It has changed since its digest was taken; it uses statistics of
                the batch; it cannot be copied, or run by this runtime.
        """
        if self.has_changed():
            raise InputError(
                f"{self.name} has changed since it was made a TorchClassifier, whose "
                "digest is of what it was then: make another one of it"
            )
        for module in self._modules:
            check_statistics(module, self.name)
        if not isinstance(self._module, nn.Module):
            return self._as_it_is(precision, runtime=runtime)
        if runtime == "compiled" and isinstance(self._module, torch.jit.ScriptModule):
            raise InputError(f"{self.name} is TorchScript: it is compiled already")
        try:
            module = copy.deepcopy(self._module)
        except Exception as error:
            raise InputError(
                f"{self.name} cannot be copied ({str(error).partition(chr(10))[0]}): "
                "give a module that has not been run yet, without hooks, locks or open "
                "files; or a function that calls it, which is used as it is: "
                "TorchClassifier(lambda images: module(images))"
            ) from error
        with suppress(NotImplementedError):  # exported programs are as they will run
            module.eval()
        for parameter in module.parameters():
            parameter.detach_()  # also TorchScript's, whose copies are no leaves
        module = module.to(device=device, dtype=DTYPES[precision])
        if layout(shape) is torch.channels_last:
            module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        return run_by(
            RUNTIMES[runtime],
            module,
            name=self.name,
            reading=self.reading,
            precision=precision,
            device=device,
        )

    def _as_it_is(self, precision: str, *, runtime: str) -> Forward:
        """A function, which nobody can copy, convert or set to evaluation mode."""
        if precision != "fp32" or runtime != "eager":
            raise InputError(
                f"{self.name} is a function: it runs in fp32 and as it is (runtime "
                "eager); give a torch module for the rest"
            )
        for module in self._modules:
            if any(part.training for part in module.modules()):
                raise InputError(
                    f"{self.name} uses a {type(module).__name__} in training mode: "
                    "call its eval() first"
                )
        function: Forward = self._module
        return function


def check_statistics(module: nn.Module, name: str) -> None:
    """Refuse a module whose answer to one draw depends on the others.

    Raises:
        InputError: As said; ``name`` is the classifier's.
    """
    for where, part in module.named_modules():
        if isinstance(part, _BATCH_NORMS) and part.running_mean is None:
            raise InputError(
                f"{name}: {where or 'the module'} normalises by the statistics of the "
                "batch, so that one draw's vote depends on the others': train it with "
                "track_running_stats=True"
            )


def is_script(path: Path) -> bool:
    """Whether a file holds TorchScript, which is read without unpickling Python."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    return "constants.pkl" in names and any(name.startswith("code/") for name in names)


def load_script(path: Path) -> nn.Module:
    """The module of a file of TorchScript.

    Raises:
        InputError: It cannot be loaded.
    """
    try:
        with warnings.catch_warnings():  # torch would rather have torch.export
            warnings.simplefilter("ignore", DeprecationWarning)
            module: nn.Module = torch.jit.load(  # type: ignore[no-untyped-call]
                path, map_location="cpu"
            )
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"torch cannot load {path}: {reason}") from error
    return module
