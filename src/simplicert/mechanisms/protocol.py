"""What a certification mechanism is: a function of the evidence and sigma."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike


@runtime_checkable  # beartype asks, under pytest
class Mechanism(Protocol):
    """Deterministic map from the two class expectations to a certified radius.

    A plain function with this signature is a mechanism; nothing is inherited. What it
    must obey beyond the signature is in ``docs/mechanisms.md``, "the common laws".
    """

    def __call__(
        self, e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Float64[np.ndarray, "..."]:
        """Certified L2 radii in input units, of the two arguments' broadcast shape."""
        ...
