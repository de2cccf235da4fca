"""A runtime, held against the module itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from simplicert.classifiers.alike import TOLERANCE, Alike
from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.reading import Reading
from simplicert.classifiers.runtimes.protocol import Part, Runtime
from simplicert.errors import InputError
from simplicert.machine.device import is_lack_of_memory

__all__ = ["eagerly", "run_by"]

_SIZES = 1, 7
"""Of the first batches that are compared, where a size costs nothing: one, and odd."""

_COMPARED = 16
"""Sizes of batch that are compared when they first come: one pass of the module each.
Of a runtime that compiles for a size, all are."""

_EAGERLY: ContextVar[bool] = ContextVar("eagerly", default=False)


@contextmanager
def eagerly() -> Iterator[None]:
    """Not compiled, where a size of batch comes once: each takes a minute."""
    token = _EAGERLY.set(True)
    try:
        yield
    finally:
        _EAGERLY.reset(token)


def run_by(
    runtime: Runtime,
    module: nn.Module,
    *,
    name: str,
    reading: Reading,
    precision: str,
    device: torch.device,
) -> Forward:
    """The module's forward pass by a runtime, compared with its own.

    Args:
        runtime: Which.
        module: In evaluation mode, on the device, in this precision, laid out as
            inputs are.
        name: Of the classifier, for messages.
        reading: Of what it returns: the part that is meant is run, and returned alone.
        precision: Of the pass.
        device: Where.

    Raises:
        InputError: The runtime cannot run that; sooner or later: it answers otherwise.
    """
    runtime.check(precision=precision, device=device, output=reading.output)
    if runtime.build is None:
        return module
    return _Held(
        runtime,
        module,
        name=name,
        reading=reading,
        alike=Alike(TOLERANCE, precision=precision),
    )


class _Held:
    """A forward pass by a runtime, made at the first pass, whose inputs show the shape.

    A new size of batch is answered by the module, too, and must agree but for rounding:
    within ``TOLERANCE`` of a class's size, as equal questions must in the probe. Where
    a gradient is asked for, which no vote needs, the module alone answers.
    """

    def __init__(
        self,
        runtime: Runtime,
        module: nn.Module,
        *,
        name: str,
        reading: Reading,
        alike: Alike,
    ) -> None:
        self._runtime, self._module = runtime, module
        self._part, self._reading = Part(module, reading, name), reading
        self._name, self._alike = name, alike
        self._forward: Forward | None = None
        self._compared: set[int] = set()

    def __call__(self, inputs: Tensor) -> Any:
        searched = torch.is_grad_enabled() and inputs.requires_grad
        if searched or (self._runtime.compiles and _EAGERLY.get()):
            return self._module(inputs)
        forward = self._made(inputs) if self._forward is None else self._forward
        enough = not self._runtime.compiles and len(self._compared) >= _COMPARED
        known = enough or len(inputs) in self._compared
        found = forward(inputs) if known else self._same(forward, inputs)
        return self._reading.returned(found)

    def _made(self, inputs: Tensor) -> Forward:
        """The runtime's pass, which answers some noisy inputs as the module does."""
        assert self._runtime.build is not None
        try:
            with torch.inference_mode(mode=False), torch.no_grad():
                some = inputs[:1].clone()
                forward = self._runtime.build(self._part, some)
        except InputError as error:
            raise self._cannot(error) from error
        if not self._runtime.compiles:
            for size in _SIZES:
                self._same(forward, _noisy(some, size))
        self._forward = forward
        return forward

    def _same(self, forward: Forward, inputs: Tensor) -> Any:
        """A runtime's answers, if they are the module's but for rounding.

        Raises:
            InputError: They are not.
        """
        expected = self._part(inputs)
        if not isinstance(expected, Tensor) or expected.ndim not in {1, 2}:
            return expected  # refused in words where outputs are checked
        try:
            found = forward(inputs)
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            raise self._cannot(error) from error
        far = torch.inf
        if isinstance(found, Tensor) and found.shape == expected.shape:
            far = float(self._alike.apart(_numbers(found), _numbers(expected)).max())
        if not far <= self._alike.tolerance:
            raise InputError(
                f"{self._name} answers otherwise by {self._runtime.name} than by "
                f"itself: of {len(inputs)} inputs at once, outputs are {far:.1e} of "
                f"their size apart, and rounding explains {self._alike.tolerance:.0e}. "
                "Choose runtime eager"
            )
        self._compared.add(len(inputs))
        return found

    def _cannot(self, error: Exception) -> InputError:
        reason = next(filter(None, str(error).splitlines()), type(error).__name__)
        return InputError(
            f"{self._name} cannot be run by {self._runtime.name}: {reason}. Or choose "
            "runtime eager"
        )


def _noisy(inputs: Tensor, size: int) -> Tensor:
    """Copies of the first input, with noise of its own size, laid out as it is."""
    noise = torch.randn(
        (size, *inputs.shape[1:]), generator=torch.Generator().manual_seed(0)
    ).to(inputs)
    found = inputs[:1] + noise * inputs.std().clamp(min=0.1)
    if inputs.ndim == 4 and inputs.is_contiguous(memory_format=torch.channels_last):
        found = found.contiguous(memory_format=torch.channels_last)
    return found


def _numbers(outputs: Tensor) -> Tensor:
    """In float64 on the CPU; what is not finite is 0."""
    rows = outputs.reshape(len(outputs), -1)
    return rows.double().nan_to_num(posinf=0.0, neginf=0.0).cpu()
