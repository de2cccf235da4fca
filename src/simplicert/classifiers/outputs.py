"""What a classifier may return."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from simplicert.errors import InputError, unknown_name
from simplicert.machine.device import is_lack_of_memory
from simplicert.machine.precision import as_recorded

Output = Literal["logits", "probabilities", "labels"]
"""What a classifier returns: a row a draw, or for labels one integer a draw."""

Forward = Callable[[Tensor], Any]
"""Noisy images on the device → what the classifier returns for them."""

_INTEGERS = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


def sum_tolerance(dtype: torch.dtype) -> float:
    """How far rounded probabilities of this type may sum from 1.

    Example:
        >>> sum_tolerance(torch.float32), sum_tolerance(torch.bfloat16)
        (0.001, 0.03125)
    """
    return max(1e-3, 4 * torch.finfo(dtype).eps) if dtype.is_floating_point else 0.0


def check_kind(output: str) -> Output:
    """The name of a kind of output, if it is one.

    Raises:
        InputError: It is not.
    """
    if output not in get_args(Output):
        raise unknown_name("kind of output", output, get_args(Output))
    return output  # type: ignore[return-value]  # mypy does not narrow by get_args


def outputs_of(
    forward: Forward, images: Tensor, *, name: str, output: Output, classes: int | None
) -> Shaped[Tensor, "draws ..."]:
    """One forward pass, checked for its shape.

    Args:
        forward: What to call.
        images: What with.
        name: Of the classifier, for messages.
        output: What it returns.
        classes: Number of classes, or ``None`` if that is to be learnt.

    Raises:
        InputError: The classifier raises, or returns something else.
        torch.OutOfMemoryError: The pass does not fit into memory.
    """
    returned: Any
    try:
        with as_recorded(images.device):
            returned = forward(images)
    except (InputError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever it is, it is the user's code
        if is_lack_of_memory(error):
            raise torch.OutOfMemoryError(str(error)) from error
        first_line = str(error).partition("\n")[0]
        raise InputError(
            f"{name} raised {type(error).__name__} on images of shape "
            f"{tuple(images.shape)}: {first_line}. Does it take images of this shape, "
            "in [0, 1]?"
        ) from error
    returned = getattr(returned, "logits", returned)  # Hugging Face wraps them
    if output == "labels":
        return _labels(returned, len(images), name=name, classes=classes)
    if not (
        isinstance(returned, Tensor)
        and returned.ndim == 2
        and len(returned) == len(images)
        and returned.shape[1] == (classes or max(2, returned.shape[1]))
    ):
        raise InputError(
            f"{name} must return one row of {classes or 'at least 2'} {output} a draw, "
            f"({len(images)}, {classes or 'classes'}), but returned {_what(returned)}"
        )
    return returned


def _labels(
    returned: object, draws: int, *, name: str, classes: int | None
) -> Int[Tensor, " draws"]:
    if (
        not isinstance(returned, Tensor)
        or returned.shape != (draws,)
        or returned.dtype not in _INTEGERS
    ):
        raise InputError(
            f"{name} must return one integer label a draw, ({draws},), but returned "
            f"{_what(returned)}"
        )
    low, high = int(returned.min()), int(returned.max())
    if low < 0 or (classes is not None and high >= classes):
        raise InputError(
            f"{name} returned label {low if low < 0 else high}, but labels must be in "
            f"0 … {(classes or high) - 1}"
        )
    return returned.long()


def _what(returned: object) -> str:
    if isinstance(returned, Tensor):
        return f"{returned.dtype} of shape {tuple(returned.shape)}"
    return str(type(returned))
