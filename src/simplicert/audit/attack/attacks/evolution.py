"""A search by answers alone, for classifiers without a gradient."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from simplicert.audit.attack.hunt import Hunt

__all__ = ["evolution"]

_PAIRS = 8


def evolution(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """Moves both ways along random directions, and their mean weighted by what it gave.

    Half of the directions are white, half are constant over an image or a channel,
    which hardly any white one is. Nothing where there is a gradient, which is better.

    References:
        Salimans et al. 2017, arXiv:1703.03864 (antithetic evolution strategies).
    """
    if hunt.target.has_slope:
        return
    noise = hunt.target.noise(min(hunt.harder(32, 128), hunt.target.batch))
    points, shape = hunt.start(), hunt.balls.centres.shape
    flat = (shape[0], shape[1], *(1 for _ in shape[2:]))
    for generation in range(hunt.harder(4, 32)):
        if hunt.over():
            break
        length = hunt.stride() / (1.0 + generation / 2)
        drift = np.zeros(shape)
        for pair in range(_PAIRS):
            size = flat if pair % 2 and len(shape) > 2 else shape
            random = hunt.rng.standard_normal(size)
            move = hunt.scaled(np.broadcast_to(random, shape), length)
            there, back = (hunt.balls.inside(points + s * move) for s in (1, -1))
            gains = [
                hunt.target.margins(each, noise, hunt.balls.held)
                for each in (there, back)
            ]
            weight = (gains[0] - gains[1]).reshape(-1, *(1 for _ in shape[1:]))
            drift += weight * move
        moves = drift.any(axis=tuple(range(1, len(shape))))
        ahead = hunt.balls.inside(points + hunt.scaled(drift, length))
        points[moves] = ahead[moves]
        yield points
