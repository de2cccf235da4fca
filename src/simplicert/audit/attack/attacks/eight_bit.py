"""Inputs of 8 bits, k/255, which are the ones that a camera can deliver."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from simplicert.audit.attack.hunt import Hunt
from simplicert.units import PIXELS

__all__ = ["eight_bit"]

_LEVELS = 255.0


def eight_bit(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """The best point so far on the grid k/255, and all pixels some levels up or down.

    Of the moves that lead off the image's own levels, as many of the largest are made
    as the ball has room for: a halving search, since rounding may lead outside.
    """
    if hunt.balls.unit != PIXELS:
        return
    yield _rounded(hunt)
    if hunt.effort:  # the rest is always the same
        return
    for levels in (1, 2, 4, 8):
        for sign in (1.0, -1.0):
            moved = hunt.balls.centres * _LEVELS + sign * levels
            yield (np.clip(np.rint(moved), 0, 255) / _LEVELS).astype(np.float32)


def _rounded(hunt: Hunt) -> Float[np.ndarray, "balls ..."]:
    count = len(hunt.balls)
    own = np.rint(hunt.balls.centres.astype(np.float64) * _LEVELS).reshape(count, -1)
    aim = hunt.best.astype(np.float64).reshape(count, -1) * _LEVELS
    # The largest moves first: a small one is rounded away or too far alike.
    order = np.argsort(-np.abs(aim - own), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[1])[None], axis=1)
    outwards = own + np.sign(aim - own) * np.maximum(np.rint(np.abs(aim - own)), 1.0)
    low, high = np.zeros(count), np.full(count, float(own.shape[1]))
    found = hunt.balls.centres.astype(np.float32)
    for _ in range(12):
        kept = np.ceil((low + high) / 2)
        mixed = np.where(ranks < kept[:, None], outwards, own)
        points = (np.clip(mixed, 0, 255) / _LEVELS).astype(np.float32)
        points = points.reshape(hunt.balls.centres.shape)
        fits = hunt.balls.contain(points)
        found[fits] = points[fits]
        low, high = np.where(fits, kept, low), np.where(fits, high, kept - 1)
    return found
