"""Gaussian noise, N(0, sigma² I): l2 balls (Cohen et al. 2019)."""

from typing import Any

from simplicert.noises.protocol import Noise


def _fill(values: Any, generator: Any) -> None:
    values.normal_(generator=generator)


gaussian = Noise("gaussian", "l2", _fill)
