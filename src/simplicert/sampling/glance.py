"""The first hundred images: whether model and data belong together at all."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment

__all__ = ["GLANCED", "Glance", "glance"]

GLANCED = 100

_FEW = 10
_REORDERED = 0.3
_ENOUGH = 4


@dataclass(frozen=True, kw_only=True)
class Glance:
    """How often the first images are classified right.

    Attributes:
        images: How many.
        inputs: What they are called.
        classes: Of the model.
        clean: Right without noise.
        noisy: Right in one noisy copy of each.
        reordered: Right without noise, were the classes in the best of all orders.
            ``None`` where so few images could not tell.
    """

    images: int
    classes: int
    clean: int
    noisy: int
    reordered: int | None
    inputs: str = "images"

    @property
    def line(self) -> str:
        """For people."""
        clean, noisy = (f"{n / self.images:.0%}" for n in (self.clean, self.noisy))
        return (
            f"the first {self.images:,} {self.inputs}: {clean} right without noise, "
            f"{noisy} in one noisy copy each"
        )

    @property
    def warning(self) -> str | None:
        """What looks as if model and data did not belong together."""
        best = self.reordered
        if best is not None and best - self.clean > _REORDERED * self.images:
            return (
                f"with the classes in another order {best / self.images:.0%} of the "
                f"first {self.inputs} would be right: do the model and the data number "
                "their classes alike? (Folders sort 10 before 2.)"
            )
        if self.images >= _FEW and self.clean * self.classes <= self.images:
            return (
                f"without noise no more of the first {self.inputs} are right than by "
                "chance: is this the data the model was trained on, in its range, "
                f"{'size' if self.inputs == 'images' else 'order of features'} and "
                "order of classes?"
            )
        return None


def glance(
    labels: Int[np.ndarray, " images"],
    *,
    clean: Int[np.ndarray, " images"],
    noisy: Int[np.ndarray, " images"],
    classes: int,
    inputs: str = "images",
) -> Glance:
    """Compare the classes predicted with the labels.

    Example:
        >>> labels = np.arange(40) % 4
        >>> swapped = glance(labels, clean=3 - labels, noisy=3 - labels, classes=4)
        >>> swapped.clean, swapped.reordered
        (0, 40)
    """
    reordered = None
    if len(labels) >= _ENOUGH * classes:
        table = np.zeros((classes, classes), dtype=np.int64)
        np.add.at(table, (labels, clean), 1)
        reordered = int(table[linear_sum_assignment(table, maximize=True)].sum())
    return Glance(
        images=len(labels),
        classes=classes,
        clean=int((clean == labels).sum()),
        noisy=int((noisy == labels).sum()),
        reordered=reordered,
        inputs=inputs,
    )
