"""Signals have a waveform: a line a channel, over time."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from simplicert.data.dataset import Dataset
from simplicert.report.portraits.protocol import AT_ONCE
from simplicert.units import Unit

__all__ = ["Waveform", "waveform_of"]

COLUMNS = 150
"""Steps of time that are drawn of more, each from its least to its most."""

HEIGHT = 100
"""Steps of height."""

MOST_CHANNELS = 8
"""Lines under each other; more channels than these are no waveform."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """Each channel's least and most in each step of time.

    Attributes:
        dataset: Signals, channels × time, as numbers of ``unit``.
        unit: Whose range the drawing has; without one it is that of those shown.
    """

    dataset: Dataset
    unit: Unit

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """As ``Portrait``: of each channel two heights a step, from 0 at the top."""
        parts = np.array_split(indices, math.ceil(len(indices) / AT_ONCE))
        ends = np.concatenate([_ends(self.dataset.reader(part)) for part in parts])
        low, high = self.unit.low, self.unit.high
        if low is None or high is None:
            low, high = float(ends.min()), float(ends.max())
        heights = (high - ends) / ((high - low) or 1.0) * HEIGHT
        return {
            "kind": "waveform",
            "names": list(self.dataset.features) or None,
            "low": float(f"{low:.4g}"),
            "high": float(f"{high:.4g}"),
            "time": self.dataset.shape[1],
            "height": HEIGHT,
            "rows": np.rint(heights).astype(int).tolist(),
        }


def _ends(
    signals: Float[np.ndarray, "inputs channels time"],
) -> Float[np.ndarray, "inputs channels ends"]:
    """The least and the most of each step, in turn; of a short signal all."""
    time = signals.shape[-1]
    if time <= 2 * COLUMNS:
        return signals
    starts = np.unique(
        np.linspace(0, time, min(COLUMNS, time), endpoint=False, dtype=int)
    )
    least = np.minimum.reduceat(signals, starts, axis=-1)
    most = np.maximum.reduceat(signals, starts, axis=-1)
    return np.stack([least, most], axis=-1).reshape(*signals.shape[:2], -1)


def waveform_of(dataset: Dataset, unit: Unit) -> Waveform | None:
    """Of a few channels over time."""
    if len(dataset.shape) != 2 or dataset.shape[0] > MOST_CHANNELS:
        return None
    return Waveform(dataset, unit)
