"""What an ONNX file takes, and how inputs are made that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simplicert.errors import InputError

LAYOUTS = ("channels_first", "channels_last")

_WRAP = "wrap its session in simplicert.classifiers.NumpyClassifier"

BYTES = "255 × what it is given, rounded to a whole number and cut to 0 … 255"
"""What a file gets that takes uint8."""

Arrange = Callable[[np.ndarray], np.ndarray]


def _bytes(images: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = np.rint(images * np.float32(255)).clip(0, 255)
    return rounded.astype(np.uint8)


_TYPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tensor(float)": lambda images: images,
    "tensor(float16)": lambda images: images.astype(np.float16),
    "tensor(double)": lambda images: images.astype(np.float64),
    "tensor(uint8)": _bytes,
}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The one input of a file.

    Attributes:
        path: The file, for messages.
        name: Of the input.
        type: As onnxruntime calls it.
        shape: As the file says it; ``None``: any.
        layout: What was said of it, if anything was.
    """

    path: Path
    name: str
    type: str
    shape: tuple[int | None, ...]
    layout: str | None = None

    @property
    def batch(self) -> int | None:
        """How many inputs a pass must have, if that is fixed."""
        return self.shape[0]

    @property
    def facts(self) -> str:
        """What is computed before the file is; empty: nothing."""
        cast = "" if self.type == "tensor(float)" else self.type
        if self.type == "tensor(uint8)":
            cast += f" {BYTES}"
        return " ".join(filter(None, (cast, self.layout)))

    def arranging(self, shape: Sequence[int]) -> Arrange:
        """What makes draws of inputs of this shape what the file takes.

        Raises:
            InputError: They cannot be, or in two ways.
        """
        cast, order = _TYPES[self.type], self._order(tuple(shape))
        return lambda images: np.ascontiguousarray(order(cast(images)))

    def _order(self, shape: tuple[int, ...]) -> Arrange:
        first, last = self._fits(shape), self._fits((*shape[1:], shape[0]))
        last = last and len(shape) > 1
        if self.layout is not None:
            first, last = (
                first and self.layout == LAYOUTS[0],
                last and self.layout == LAYOUTS[1],
            )
        if first and last and 1 not in {shape[0], int(np.prod(shape[1:]))}:
            raise InputError(
                f"{self.path} takes {[*self.shape[1:]]} an input, which inputs of "
                f"shape {shape} are with the channels first and last: say which it "
                f"wants, {self.path}:{LAYOUTS[0]} or {self.path}:{LAYOUTS[1]}"
            )
        if first:
            return lambda images: images
        if last:
            return lambda images: np.moveaxis(images, 1, -1)
        if len(self.shape) == 2 and self._fits((int(np.prod(shape)),)):
            return lambda images: images.reshape(len(images), -1)
        why = "load them at that size"
        if len(self.shape) - 1 != len(shape):
            why = f"it takes inputs of {len(self.shape) - 1} axes. Or {_WRAP}"
        elif self.layout is not None:
            why = f"they are not that with {self.layout}"
        raise InputError(
            f"{self.path} takes {[*self.shape[1:]]} an image, but was given images of "
            f"shape {shape}: {why}"
        )

    def _fits(self, shape: Sequence[int]) -> bool:
        declared = self.shape[1:]
        return len(shape) == len(declared) and all(
            each in {None, size} for size, each in zip(shape, declared, strict=True)
        )


def taken_by(path: Path, inputs: Sequence[Any], *, layout: str | None = None) -> Taken:
    """The one input of a file.

    Args:
        path: The file, for messages.
        inputs: As onnxruntime lists them.
        layout: Where its channels are, if that was said.

    Raises:
        InputError: There is another number of them, or it is of another type.
    """
    found = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
    if len(inputs) != 1:
        raise InputError(f"{path} must take one input, but takes {found}: {_WRAP}")
    [only] = inputs
    if only.type not in _TYPES:
        raise InputError(
            f"{path} must take one of {', '.join(_TYPES)}, but takes {found}: put a "
            f"Cast in front of it, or {_WRAP}, which may convert"
        )
    sizes = [size if isinstance(size, int) else None for size in only.shape or ()]
    if len(sizes) < 2 or 0 in sizes:
        raise InputError(
            f"{path} must take inputs along a first axis, but takes {found}: {_WRAP}"
        )
    return Taken(
        path=path,
        name=only.name,
        type=only.type,
        shape=tuple(sizes),
        layout=layout,
    )
