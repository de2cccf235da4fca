"""Ascent on the margin of the smoothed scores, with the same noise at every step."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from simplicert.audit.attack.hunt import Hunt

__all__ = ["gradient"]


def gradient(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """Steps up the slope of the best rival's log mean score less the class's own.

    Nothing where the classifier has no slope. The scores are the softmax's also where
    votes are certified: a search may be wrong.

    References:
        Salman et al. 2019, arXiv:1906.04584, section 2.3 (SmoothAdv).
    """
    if not hunt.target.has_slope:
        return
    steps = hunt.harder(10, 80)
    noise = hunt.target.noise(min(hunt.harder(32, 256), hunt.target.batch))
    points = hunt.start()
    for step in range(steps):
        if hunt.over():
            if step == 0:
                return
            break
        slope = hunt.target.slope(points, noise, hunt.balls.held)
        if hunt.balls.norm == "linf":
            slope = np.sign(slope)
        # Across the ball at first, then as fine as it takes to follow its surface.
        length = hunt.stride() * (2.0 / (1.0 + step))
        points = hunt.balls.inside(points + hunt.scaled(slope, length))
    yield points
