"""What a classifier may return."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from simplicert.errors import InputError
from simplicert.machine.device import is_lack_of_memory
from simplicert.machine.precision import as_recorded

Output = Literal["logits", "probabilities", "labels"]
"""What a classifier returns: a row a draw, or for labels one integer a draw."""

Forward = Callable[[Tensor], Any]
"""Noisy images on the device → what the classifier returns for them."""

_OF_SHAPES = re.compile(
    r"shape|size|dimension|\bdims?\b|channels|features|broadcast|axis|axes|matmul", re.I
)

_INTEGERS = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


def sum_tolerance(dtype: torch.dtype) -> float:
    """How far rounded probabilities of this type may sum from 1.

    Example:
        >>> sum_tolerance(torch.float32), sum_tolerance(torch.bfloat16)
        (0.001, 0.03125)
    """
    return max(1e-3, 4 * torch.finfo(dtype).eps) if dtype.is_floating_point else 0.0


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
    try:
        with as_recorded(images.device):
            returned = forward(images)
    except (InputError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # whatever it is, it is the user's
        if isinstance(error, Exception) and is_lack_of_memory(error):
            raise torch.OutOfMemoryError(str(error)) from error
        first_line = str(error).partition("\n")[0]
        raise InputError(
            f"{name} raised {type(error).__name__} on images of shape "
            f"{tuple(images.shape)}: {first_line}{_advice(error)}"
        ) from error
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
            f"({len(images)}, {classes or 'classes'}), but returned {what(returned)}"
            f"{_cure(returned, len(images), output)}"
        )
    return returned


def _advice(error: BaseException) -> str:
    """What may help with an error of shapes; a server's or an assertion is none."""
    theirs = isinstance(error, OSError | AssertionError)
    if theirs or not _OF_SHAPES.search(str(error)):
        return ""
    return ". Does it take images of this shape, in [0, 1]?"


def _cure(returned: object, draws: int, output: str) -> str:
    """What would make it one row a draw, where that is plain."""
    says = "in Python output=…, on the command line --output …"
    if isinstance(returned, Mapping):
        return f". Say which of them are {output}: {output}:name=KEY ({says})"
    if isinstance(returned, tuple | list):
        return f". Say which are {output}: {output}:item=0 is the first ({says})"
    if tuple(getattr(returned, "shape", ())) in {(draws,), (draws, 1)}:
        return (
            ". If it is of two classes, say that it is one logit, that of class 1: "
            f"logit; or the probability of class 1: probability ({says})"
        )
    return ""


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
            f"{what(returned)}"
        )
    low, high = int(returned.min()), int(returned.max())
    if low < 0 or (classes is not None and high >= classes):
        raise InputError(
            f"{name} returned label {low if low < 0 else high}, but labels must be in "
            f"0 … {(classes or high) - 1}"
        )
    return returned.long()


def what(returned: object) -> str:
    """What something is, in words."""
    if isinstance(returned, Mapping):
        return f"a dictionary of {', '.join(map(str, returned)) or 'nothing'}"
    if isinstance(returned, tuple | list):
        kind = type(returned).__name__
        return f"a {kind} of {', '.join(map(what, returned[:4])) or 'nothing'}"
    if hasattr(returned, "dtype") and hasattr(returned, "shape"):
        kind = "" if isinstance(returned, Tensor) else f"{type(returned).__name__}, "
        return f"{kind}{returned.dtype} of shape {tuple(returned.shape)}"
    return str(type(returned))
