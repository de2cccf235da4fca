"""What a certification mechanism is: a function of the evidence and sigma."""

from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

Radii: TypeAlias = Float64[np.ndarray, "..."]
"""Certified l2 radii in input units, of the arguments' broadcast shape."""


@runtime_checkable  # beartype asks, under pytest
class Mechanism(Protocol):
    """Deterministic map from the two class expectations to a certified radius.

    A plain function with this signature is a mechanism; nothing is inherited. What it
    must obey beyond the signature is in ``docs/mechanisms.md``, "the common laws".
    """

    def __call__(
        self, e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Radii:
        """Radii: 0 where nothing is certified; never negative or NaN."""
        ...
