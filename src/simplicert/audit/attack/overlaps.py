"""Pairs of certificates that contradict each other: no draws are needed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from simplicert.audit.attack.ball import Balls, distance

__all__ = ["Overlaps", "find_overlaps"]

_BLOCK_VALUES = 1 << 22

_METRICS = {"l1": "cityblock", "l2": "euclidean", "linf": "chebyshev"}


@dataclass
class Overlaps:
    """What came of comparing pairs of balls with different classes.

    Attributes:
        pairs: Of positions of balls that overlap, with their distance, rounded up.
        compared: How many pairs of different classes were compared.
        all: How many there are.
    """

    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    compared: int = 0
    all: int = 0


def find_overlaps(balls: Balls, *, over: Callable[[], bool]) -> Overlaps:
    """Pairs of open balls that share a point, though their classes differ.

    They do where the centres are less than the sum of the radii apart; the segment
    between two inputs has inputs alone, since a range to the power d is convex.

    Args:
        balls: Of whole certified radii.
        over: Whether to stop.
    """
    found = Overlaps()
    _, counts = np.unique(balls.held, return_counts=True)
    found.all = (len(balls) ** 2 - int((counts**2).sum())) // 2
    flat, places = balls.centres.reshape(len(balls), -1), np.arange(len(balls))
    metric: Any = _METRICS[balls.norm]  # its stubs want a literal
    for ours, theirs in _blocks(len(balls), flat.shape[1]):
        if over():
            break
        apart = cdist(flat[ours], flat[theirs], metric)
        reach = balls.reach[ours, None] + balls.reach[None, theirs]
        differ = balls.held[ours, None] != balls.held[None, theirs]
        later = places[None, theirs] > places[ours, None]
        found.compared += int((differ & later).sum())
        near = differ & later & (apart < reach * (1 + 1e-6))
        for row, column in np.argwhere(near):
            a, b = int(row) + ours.start, int(column) + theirs.start
            far = float(distance(flat[[a]], flat[[b]], balls.norm)[0])
            # The sum of two floats may be rounded up, by less than this.
            if far < (balls.reach[a] + balls.reach[b]) * (1.0 - 2.0**-52):
                found.pairs.append((a, b, far))
    return found


def _blocks(count: int, values: int) -> Iterator[tuple[slice, slice]]:
    size = max(1, _BLOCK_VALUES // values)
    starts = range(0, count, size)
    for a in starts:
        for b in starts:
            if b >= a:
                yield slice(a, a + size), slice(b, b + size)
