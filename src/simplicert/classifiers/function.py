"""Functions of NumPy batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simplicert.classifiers.digest import classifier_digest
from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier
from simplicert.errors import InputError
from simplicert.plugins import defined_name


class NumpyClassifier(Classifier):
    """A function of a NumPy batch.

    Args:
        function: Float32 images, draws × channels × height × width, noisy and not
            clipped → logits or probabilities, draws × classes; integer labels; or one
            logit or probability a draw, of two classes.
        output: Which of these it returns; see ``Classifier``. There is no default: the
            softmax of probabilities would be another classifier.
        classes: Number of classes. Needed for labels.
        name: Default: the function's.
        digest: What identifies it. Default: SHA-256 over its source (its bytecode, if
            it was typed into an interpreter) and over the values that it was made with
            and the globals that it reads; not what it loads when it is called.

    Example:
        >>> def bright(images):
        ...     return (images.mean(axis=(1, 2, 3)) > 0.5).astype(int)
        >>> NumpyClassifier(bright, output="labels", classes=2).output
        'labels'
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], Any],
        *,
        output: str,
        classes: int | None = None,
        name: str | None = None,
        digest: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            name=name or defined_name(function),
            digest=digest or classifier_digest(function),
            output=output,
            classes=classes,
            shape=shape,
        )
        self._function = function

    def ready(
        self,
        shape: Sequence[int],  # noqa: ARG002 (any)
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """The function between torch's tensors, on the CPU and in float32."""
        if precision != "fp32" or runtime != "eager" or device.type != "cpu":
            raise InputError(
                f"{self.name} is not a torch module: it runs on the CPU (device), in "
                "fp32 (precision), and by no other runtime (runtime eager)"
            )

        def forward(images: Tensor) -> Any:
            return as_tensors(self._function(np.ascontiguousarray(images.numpy())))

        return forward


def as_tensors(returned: Any) -> Any:
    """Arrays of numbers, also those in a dictionary or tuple, as tensors.

    What is none stays as it is, and is refused in words where outputs are checked.
    """
    if isinstance(returned, Mapping):
        return {key: as_tensors(each) for key, each in returned.items()}
    if isinstance(returned, tuple) and hasattr(returned, "_fields"):
        return type(returned)(*map(as_tensors, returned))
    if type(returned) in {tuple, list} and any(
        isinstance(each, np.ndarray) for each in returned
    ):
        return type(returned)(map(as_tensors, returned))
    if not isinstance(returned, np.ndarray) or returned.dtype.kind not in "iuf":
        return returned
    return torch.from_numpy(np.ascontiguousarray(returned))
