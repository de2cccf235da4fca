"""Rows of a table have features: the most unusual, with how far each may move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from simplicert.data.dataset import Dataset
from simplicert.report.portraits.protocol import AT_ONCE
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
        parts = np.array_split(indices, math.ceil(len(indices) / AT_ONCE))
        usual, spread = self._usual(parts)
        entries, named = self.dataset.shape[0], self.dataset.features
        return {
            "kind": "features",
            "names": list(named) or [f"#{entry}" for entry in range(entries)],
            "unit": self.unit.name if self.unit.is_converted else None,
            "scale": np.broadcast_to(self.unit.scales(1), (entries,)).tolist(),
            "from": "0" if self.unit.offset is not None else "the mean of those listed",
            "rows": [row for part in parts for row in self._rows(part, usual, spread)],
        }

    def _rows(
        self,
        indices: Int[np.ndarray, " inputs"],
        usual: Float[np.ndarray, "..."],
        spread: Float[np.ndarray, "..."],
    ) -> list[list[list[float]]]:
        numbers = self._read(indices)
        values = self.unit.offsets(1) + self.unit.scales(1) * numbers
        unusual = np.abs((numbers - usual) / spread)
        chosen = np.argsort(-unusual, axis=1, kind="stable")[:, :MOST_FEATURES]
        return [
            [[int(k), _short(number[k]), _short(value[k])] for k in order]
            for number, value, order in zip(numbers, values, chosen, strict=True)
        ]

    def _usual(
        self, parts: Sequence[Int[np.ndarray, " inputs"]]
    ) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """What is usual of each feature, and what is far from it."""
        if self.unit.offset is not None:
            return np.zeros(1), np.ones(1)
        count = sum(map(len, parts))
        mean = sum(self._read(part).sum(axis=0) for part in parts) / count
        squares = sum(((self._read(part) - mean) ** 2).sum(axis=0) for part in parts)
        spread = np.sqrt(squares / count)
        return mean, np.where(spread > 0, spread, 1.0)

    def _read(
        self, indices: Int[np.ndarray, " inputs"]
    ) -> Float[np.ndarray, "inputs features"]:
        return np.asarray(self.dataset.reader(indices), dtype=np.float64)


def _short(number: float) -> float:
    return float(f"{number:.6g}")


def features_of(dataset: Dataset, unit: Unit) -> Features | None:
    """Of rows of numbers; not of embeddings, whose numbers have no meaning alone."""
    is_embedding = dataset.texts is not None and not dataset.features
    return None if len(dataset.shape) != 1 or is_embedding else Features(dataset, unit)
