"""What a printed radius can stand for."""

import numpy as np
from jaxtyping import Float

__all__ = ["ROUNDING", "printed_so"]

ROUNDING = 1e-9
"""Of the radius and of sigma: two libraries' radii of one count differ by less, and
those of two counts by far more."""


def printed_so(
    radius: Float[np.ndarray, " images"],
    unit: Float[np.ndarray, " images"],
    *,
    sigma: float,
) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, " images"]]:
    """Between which radii those lie that print so: rounded up, to nearest or down.

    Args:
        radius: As printed, in any order; what is not finite stays so.
        unit: Of each one's last digit.
        sigma: Noise standard deviation.

    Example:
        >>> low, high = printed_so(np.array([0.48]), np.array([0.01]), sigma=0.5)
        >>> low.round(6), high.round(6)
        (array([0.47]), array([0.49]))
    """
    finite = np.where(np.isfinite(radius), radius, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # absurd units are infinite
        slack = np.maximum(unit, ROUNDING * (np.abs(finite) + sigma))
        return radius - slack, radius + slack
