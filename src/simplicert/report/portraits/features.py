"""Rows of a table have features: the most unusual, with how far each may move."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from simplicert.data.dataset import Dataset
from simplicert.units import Unit

__all__ = ["MOST_FEATURES", "Features", "features_of"]

MOST_FEATURES = 8
"""Of an input that are listed."""


@dataclass(frozen=True, eq=False)
class Features:
    """The features of an input that are furthest from what is usual.

    Usual is the number 0 of a unit that has an offset; otherwise the mean of the inputs
    that are shown, from which each feature is so many of their deviations.

    Attributes:
        dataset: Numbers in ``unit``.
        unit: Whose scale, if it has one, tells each feature's own values.
    """

    dataset: Dataset
    unit: Unit

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """As ``Portrait``: of each input ``[feature, number, value]``, some of them."""
        numbers = np.asarray(self.dataset.reader(indices), dtype=np.float64)
        values = self.unit.offsets(1) + self.unit.scales(1) * numbers
        chosen = np.argsort(-np.abs(self._unusual(numbers)), axis=1, kind="stable")
        entries = self.dataset.shape[0]
        return {
            "kind": "features",
            "names": [
                self.dataset.features[entry] if self.dataset.features else f"#{entry}"
                for entry in range(entries)
            ],
            "unit": self.unit.name if self.unit.is_converted else None,
            "scale": np.broadcast_to(self.unit.scales(1), (entries,)).tolist(),
            "from": "0" if self.unit.offset is not None else "the mean of those listed",
            "rows": [
                [[int(k), _short(number[k]), _short(value[k])] for k in order]
                for number, value, order in zip(
                    numbers, values, chosen[:, :MOST_FEATURES], strict=True
                )
            ],
        }

    def _unusual(
        self, numbers: Float[np.ndarray, "inputs features"]
    ) -> Float[np.ndarray, "inputs features"]:
        if self.unit.offset is not None:
            return numbers
        spread = numbers.std(axis=0)
        apart: np.ndarray = numbers - numbers.mean(axis=0)
        return apart / np.where(spread > 0, spread, 1.0)


def _short(number: float) -> float:
    return float(f"{number:.6g}")


def features_of(dataset: Dataset, unit: Unit) -> Features | None:
    """Of rows of numbers; not of embeddings, whose numbers have no meaning alone."""
    is_embedding = dataset.texts is not None and not dataset.features
    return None if len(dataset.shape) != 1 or is_embedding else Features(dataset, unit)
