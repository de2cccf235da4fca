"""Uniform noise in a cube: l1 balls (Lee et al. 2019; Yang et al. 2020).

Sigma is its standard deviation, as of every noise: the cube's sides go from
``-sqrt(3) * sigma`` to ``sqrt(3) * sigma``.
"""

from typing import Any

import numpy as np

from simplicert.noises.protocol import Noise

HALF_SIDE = float(np.nextafter(np.float32(3.0**0.5), np.float32(2.0)))
"""Of the cube, at sigma = 1: the float32 just above sqrt(3). Torch draws one of 2**24
points from -HALF_SIDE to a step below HALF_SIDE."""


def _fill(values: Any, generator: Any) -> None:
    values.uniform_(-HALF_SIDE, HALF_SIDE, generator=generator)


uniform = Noise("uniform", "l1", _fill)
