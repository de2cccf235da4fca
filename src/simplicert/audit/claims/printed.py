"""What a printed radius can stand for, and Cohen's radius of votes."""

import numpy as np
from jaxtyping import Float, Int

from simplicert.bounds import clopper_pearson_lower
from simplicert.mechanisms import cohen

__all__ = ["ROUNDING", "cohens", "printed_so"]

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


def cohens(
    votes: Int[np.ndarray, " images"],
    *,
    draws: int | Int[np.ndarray, " images"],
    sigma: float,
    alpha: float,
) -> Float[np.ndarray, " images"]:
    """Radii of so many votes: of one exact bound on E0, at the whole of alpha."""
    lower = clopper_pearson_lower(votes, trials=draws, alpha=alpha)
    return np.asarray(cohen(lower, 1.0 - lower, sigma=sigma))
