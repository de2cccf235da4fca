"""Images have pictures."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.data.dataset import Dataset
from simplicert.report.portraits.protocol import AT_ONCE
from simplicert.report.thumbnails import sprite_sheet
from simplicert.units import Unit

__all__ = ["Pictures", "pictures_of"]


@dataclass(frozen=True, eq=False)
class Pictures:
    """A picture an image, side by side on one sheet.

    Attributes:
        read: Indices → images × channels × height × width, from ``low`` to ``high``.
        low: What is black; ``None``: the least that is shown.
        high: What is white, likewise.
    """

    read: Callable[[np.ndarray], np.ndarray]
    low: float | None = 0.0
    high: float | None = 1.0

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """As ``Portrait``."""
        sheet, columns = sprite_sheet(self._ranged(indices), indices)
        count = len(indices)
        return {"kind": "picture", "sheet": sheet, "columns": columns, "count": count}

    def _ranged(
        self, indices: Int[np.ndarray, " inputs"]
    ) -> Callable[[np.ndarray], np.ndarray]:
        if (self.low, self.high) == (0.0, 1.0):
            return self.read
        if self.low is None or self.high is None:
            parts = np.array_split(indices, math.ceil(len(indices) / AT_ONCE))
            ends = [(each.min(), each.max()) for each in map(self.read, parts)]
            least, most = np.min(ends), np.max(ends)
            return replace(self, low=float(least), high=float(most))._ranged(indices)
        low, wide = self.low, (self.high - self.low) or 1.0
        return lambda rows: (self.read(rows) - low) / wide


def pictures_of(dataset: Dataset, unit: Unit) -> Pictures | None:
    """Of images: black and white are the ends of their range, if it is known."""
    if len(dataset.shape) != 3:
        return None
    if unit.low is None or unit.high is None:
        return Pictures(dataset.reader, low=None, high=None)
    return Pictures(dataset.reader, low=unit.low, high=unit.high)
