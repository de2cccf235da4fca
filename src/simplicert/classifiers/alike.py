"""Whether two answers to one question are equal but for rounding."""

import torch
from torch import Tensor

from simplicert.machine.device import DTYPES

__all__ = ["TOLERANCE", "Alike"]

TOLERANCE = 1e-4
"""Of an output's size: far above float32's rounding, far below an int8 step's."""


class Alike:
    """Whether answers agree but for rounding.

    Args:
        tolerance: Of each class's largest answer, or of a middling class's.
        precision: Of the forward pass; no less than 16 of its units are allowed.
    """

    def __init__(self, tolerance: float, *, precision: str) -> None:
        self.tolerance = max(tolerance, 16 * torch.finfo(DTYPES[precision]).eps)

    def __call__(self, answers: Tensor, reference: Tensor) -> bool:
        """Whether all rows do."""
        return bool(self.rows(answers, reference).all())

    def rows(self, answers: Tensor, reference: Tensor) -> Tensor:
        """Of each row, whether it does."""
        return (self.apart(answers, reference) <= self.tolerance).all(dim=1)

    def apart(self, answers: Tensor, reference: Tensor) -> Tensor:
        """How far answers are apart, in their classes' sizes."""
        size = torch.maximum(answers.abs(), reference.abs()).amax(dim=0)
        size = torch.maximum(size, size.median())
        size = size.clamp(min=torch.finfo(size.dtype).tiny)
        return (answers - reference).abs() / size
