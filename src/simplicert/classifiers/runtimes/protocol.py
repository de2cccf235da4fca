"""What a runtime is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.reading import Reading
from simplicert.errors import InputError

__all__ = ["EAGER", "Build", "Part", "Runtime"]


class Part(nn.Module):
    """A module, with nothing but the part that is meant returned."""

    def __init__(self, module: nn.Module, reading: Reading, name: str) -> None:
        super().__init__()
        self.module, self._reading, self._name = module, reading, name
        self.training = False  # like the module, which may refuse to be told so

    def around(self, module: nn.Module) -> "Part":
        """The same part of what another module returns."""
        return Part(module, self._reading, self._name)

    def forward(self, inputs: Tensor) -> Any:
        """The part."""
        return self._reading.picked(self.module(inputs), self._name)


Build = Callable[[Part, Tensor], Forward]
"""A module that is ready, inputs that it takes → what runs it."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What runs a torch module's forward passes.

    Attributes:
        name: As manifests have it.
        build: Makes a forward pass of a module; ``None``: it is called as it is.
            Raises ``InputError``: why it cannot, as a clause.
        package: Whose version decides how it rounds, beside torch's.
        precisions: That it computes in.
        devices: Kinds of device that it runs on; ``None``: any.
        compiles: Whether each size of batch takes long to get ready, so that those that
            come once are asked of the module itself.
    """

    name: str
    build: Build | None
    package: str | None = None
    precisions: tuple[str, ...] = ("fp32",)
    devices: tuple[str, ...] | None = ("cpu",)
    compiles: bool = False

    def check(self, *, precision: str, device: torch.device, output: str) -> None:
        """Refuse what it cannot run.

        Raises:
            InputError: As said.
        """
        if precision not in self.precisions:
            raise InputError(
                f"runtime {self.name} computes in {', '.join(self.precisions)}, not "
                f"{precision}: choose another runtime, or that precision"
            )
        if self.devices is not None and device.type not in self.devices:
            raise InputError(
                f"runtime {self.name} runs on the {self.devices[0].upper()}, not on "
                f"{device.type}: choose another runtime or device"
            )
        if self.build is not None and output == "labels":
            raise InputError(
                f"runtime {self.name} must answer as the module does but for rounding, "
                "and labels do not show that: return logits, or choose runtime eager"
            )


EAGER = Runtime(
    name="eager", build=None, precisions=("fp32", "bf16", "fp16"), devices=None
)
"""The module, called as it is."""
