"""Uniform noise in a cube: l1 balls (Lee et al. 2019; Yang et al. 2020).

Sigma is its standard deviation, as of every noise: the cube's sides go from
``-sqrt(3) * sigma`` to ``sqrt(3) * sigma``, rounded outwards to the grid. In steps of
the grid every integer between is as likely as any other, exactly.
"""

import math
from fractions import Fraction
from typing import Any

from simplicert.noises.protocol import Noise, OnGrid, Put


def half_side(scale: float) -> int:
    """Of the cube, in steps: the first whole number from ``sqrt(3) * scale`` on."""
    square = 3 * Fraction(scale) ** 2
    return math.isqrt(math.ceil(square) - 1) + 1


def _on_grid(scale: float, xp: Any, put: Put) -> OnGrid:  # noqa: ARG001 (no tables)
    half = half_side(scale)
    # The last that is used; one more can be 2**63, which is no int64.
    last = (1 << 63) // (2 * half) * (2 * half) - 1

    def quick(words: Any) -> tuple[Any, Any]:
        positive = (words >> 1) & ((1 << 63) - 1)
        return positive % (2 * half) - half, positive > last

    def careful(words: Any) -> tuple[Any, Any]:
        steps, missing = quick(words[0])
        return steps, ~missing

    return OnGrid(quick=quick, careful=careful)


uniform = Noise("uniform", "l1", on_grid=_on_grid)
