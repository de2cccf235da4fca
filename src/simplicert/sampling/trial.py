"""How many draws a forward pass: by rule where a run is short, else by trying."""

import math
import time
from collections.abc import Callable, Sequence

import torch

# Each divides or is a multiple of a chunk, so that no batch is left half full.
SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)

WORTH_DRAWS = 100_000
"""Shorter runs take the rule's batch: they are over before a trial pays."""

_SECONDS = 3.0
_BETTER = 1.05
_USUAL_VALUES = 1 << 19


def usual_batch(shape: Sequence[int]) -> int:
    """A batch that is seldom bad: about half a million input values, 10 to 1,000 draws.

    Example:
        >>> [usual_batch((c, s, s)) for c, s in ((1, 8), (3, 32), (3, 224))]
        [1000, 100, 10]
    """
    fitting = [size for size in SIZES if size * math.prod(shape) <= _USUAL_VALUES]
    return min(fitting[-1], 1000) if fitting else SIZES[0]


def find_batch(run: Callable[[int], object], *, most: int) -> int:
    """The smallest batch that is about as fast as any, by a few timed passes.

    Args:
        run: Performs a forward pass of so many draws, to its end.
        most: Largest batch of use.

    Returns:
        One of ``SIZES``.
    """
    best, best_speed, worse = SIZES[0], 0.0, 0
    began = time.perf_counter()
    for size in SIZES:
        if size > most or worse == 2 or time.perf_counter() - began > _SECONDS:
            break
        try:
            seconds = min(_timed(run, size) for _ in range(3))
        except torch.OutOfMemoryError:
            break
        if size / seconds > best_speed * _BETTER:
            best, best_speed, worse = size, size / seconds, 0
        else:
            worse += 1
    return best


def _timed(run: Callable[[int], object], size: int) -> float:
    began = time.perf_counter()
    run(size)
    return time.perf_counter() - began
