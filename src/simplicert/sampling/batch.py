"""How many draws a forward pass: by rule where a run is short, else by trying."""

import math
import time
from collections.abc import Callable, Sequence

# Each divides or is a multiple of a chunk, so that no batch is left half full.
SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)

WORTH_DRAWS = 100_000
"""Shorter runs take the rule's batch: they are over before a trial pays."""

_SECONDS = 4.0
_BETTER = 1.05

# A GPU needs a pass that takes longer than the host takes to launch its hundreds of
# kernels, some milliseconds.
_USUAL_VALUES, _GPU_USUAL_VALUES = 1 << 19, 1 << 23
_USUAL_DRAWS, _GPU_USUAL_DRAWS = 1000, 10_000


def usual_batch(shape: Sequence[int], device: str) -> int:
    """A batch that is seldom bad: about half a million input values, 10 to 1,000 draws.

    Sixteen times as many values on a GPU, and up to 10,000 draws.

    Example:
        >>> shapes = [(c, s, s) for c, s in ((1, 8), (3, 32), (3, 224))]
        >>> [usual_batch(shape, "cpu") for shape in shapes]
        [1000, 100, 10]
        >>> [usual_batch(shape, "cuda") for shape in shapes]
        [10000, 2000, 50]
    """
    values, draws = (
        (_USUAL_VALUES, _USUAL_DRAWS)
        if device == "cpu"
        else (_GPU_USUAL_VALUES, _GPU_USUAL_DRAWS)
    )
    fitting = [size for size in SIZES if size * math.prod(shape) <= values]
    return min(fitting[-1], draws) if fitting else SIZES[0]


def find_batch(speed: Callable[[int], float], *, usual: int, most: int) -> int:
    """A batch that is about as fast as any: half the usual one, or larger.

    Args:
        speed: Draws a second at a batch, measured.
        usual: As ``usual_batch`` says.
        most: Largest batch of use.

    Returns:
        One of ``SIZES``: the smallest within 5% of what the next two reach.
    """
    began = time.monotonic()
    first = max(SIZES.index(usual) - 1, 0)
    best, best_speed, worse = SIZES[first], 0.0, 0
    for size in SIZES[first:]:
        if worse == 2 or size > most or time.monotonic() - began > _SECONDS:
            break
        found = speed(size)
        if found > best_speed * _BETTER:
            best, best_speed, worse = size, found, 0
        else:
            worse += 1
    return best
