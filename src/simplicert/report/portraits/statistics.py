"""What is nothing else has a shape, and some statistics."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.data.dataset import Dataset
from simplicert.report.portraits.protocol import AT_ONCE

__all__ = ["Statistics"]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Least, mean, most and standard deviation of an input's numbers.

    Attributes:
        dataset: Numbers of the run's unit.
    """

    dataset: Dataset

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """As ``Portrait``."""
        parts = np.array_split(indices, math.ceil(len(indices) / AT_ONCE))
        rows: list[list[float]] = []
        for part in parts:
            flat = self.dataset.reader(part).reshape(len(part), -1).astype(np.float64)
            each = (flat.min(1), flat.mean(1), flat.max(1), flat.std(1))
            rows += [[float(f"{x:.4g}") for x in row] for row in np.stack(each, 1)]
        shape = list(self.dataset.shape)
        return {"kind": "statistics", "shape": shape, "rows": rows}
