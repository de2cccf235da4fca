"""Inputs that floating-point noise treats otherwise, though they are hardly moved.

A sum of floats is rounded by the size of its parts, and a float32 normal is one of few
values: both leave in the noisy input a trace of the clean one, which a classifier may
read. The trace is of the input's low bits, so these attacks change nothing else.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from simplicert.audit.attack.ball import ORDERS
from simplicert.audit.attack.hunt import Hunt

__all__ = ["rounding"]

_FINEST = 24
"""Bits of a float32's mantissa."""


def rounding(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """Every value a unit in the last place, a power of two or a third of one away.

    Also: on and just off coarse dyadic grids, with random low bits, and zeros that are
    subnormal instead.
    """
    if hunt.beyond:  # it goes nowhere near that far
        return
    centres = hunt.balls.centres.astype(np.float32)
    for bits in range(8, _FINEST + 5, 4):
        yield centres + hunt.rng.integers(0, 2, centres.shape) * 2.0**-bits
    if hunt.effort:  # the rest is always the same
        return
    values = centres[0].size
    # As far as every value can move at once, and two steps short of that.
    most = hunt.balls.reach / values ** (1.0 / ORDERS[hunt.balls.norm])
    column = (-1, *(1 for _ in centres.shape[1:]))
    for share in (0.99, 0.5, 0.25):
        shift = (share * most).reshape(column)
        yield centres + shift
        yield centres - shift
    yield np.nextafter(centres, np.float32(2.0))
    yield np.nextafter(centres, np.float32(-1.0))
    yield np.maximum(centres, np.float32(2.0**-149))
    yield np.maximum(centres, np.float32(2.0**-126))
    for bits in range(8, _FINEST + 1, 4):
        coarse = np.floor(centres * 2.0**bits) / 2.0**bits
        yield coarse
        yield coarse + 2.0**-_FINEST
    for bits in range(6, _FINEST + 6):
        step = 2.0**-bits
        if (step < most).any():
            yield centres + step
            yield centres - step
            yield centres + step / 3.0
