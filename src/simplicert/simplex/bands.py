"""Round levels that cut a comparison's values into a few bands, to draw and to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Float64

STEPS = tuple(m * 10.0**e for e in range(-2, 7) for m in (1, 2, 5))

MOST_BANDS = 9
"""As many as a reader tells apart by their shade."""

RARE = 0.001
"""Share of the values at either end that may lie beyond the levels."""

Extend = Literal["neither", "min", "max", "both"]

EXTEND: Mapping[tuple[bool, bool], Extend] = MappingProxyType(
    {
        (False, False): "neither",
        (True, False): "min",
        (False, True): "max",
        (True, True): "both",
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bands:
    """Values sorted into bands between round levels.

    Attributes:
        levels: The bands' limits. The neutral value is a whole number of bands away.
        shades: For each band, -1 far below the neutral value to 1 far above. None is
            paler than 0.15, so the two next to neutral differ. A band beyond either
            end of the levels has a shade as well if there are values in it.
        extend: At which ends there are values beyond the levels.
        values: The values, brought to within half a band of the levels: what is
            farther away, or infinite, is in the same band there.
    """

    levels: Float64[np.ndarray, " levels"]
    shades: Float64[np.ndarray, " bands"]
    extend: Extend
    values: Float64[np.ndarray, " points"]


def cut_into_bands(
    values: Float64[np.ndarray, " points"], *, neutral: float, reach: float
) -> Bands:
    """Cut values into at most ``MOST_BANDS`` bands, and those beyond.

    Args:
        values: Any numbers; NaN stays NaN, and infinite is beyond the levels.
        neutral: The value from which bands are counted up and down.
        reach: How far from it the levels go at most.

    Example:
        >>> bands = cut_into_bands(np.array([0.75, 1.0, 1.48]), neutral=1.0, reach=8.0)
        >>> bands.levels.round(1)
        array([0.7, 0.8, 0.9, 1. , 1.1, 1.2, 1.3, 1.4, 1.5])
        >>> bands.extend
        'neither'
    """
    finite = values[np.isfinite(values)]
    ends = np.quantile(finite, [RARE, 1.0 - RARE]) if finite.size else [neutral] * 2
    low, high = np.clip(ends, neutral - reach, neutral + reach)
    for step in STEPS:
        first = np.floor((low - neutral) / step + 1e-6)
        last = max(np.ceil((high - neutral) / step - 1e-6), first + 1.0)
        if last - first <= MOST_BANDS:
            break
    numbers = np.arange(first, last + 1.0)
    levels = neutral + step * numbers
    kept = np.clip(values, levels[0] - step / 2.0, levels[-1] + step / 2.0)
    below = bool((kept < levels[0] - 1e-6 * step).any())
    above = bool((kept > levels[-1] + 1e-6 * step).any())
    middles = np.arange(first - below, last + above) + 0.5
    away = middles / np.abs(middles).max()
    return Bands(
        levels=levels,
        shades=np.sign(away) * (0.15 + 0.85 * np.abs(away)),
        extend=EXTEND[below, above],
        values=kept,
    )
