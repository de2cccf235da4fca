"""How a batch lies in memory."""

from collections.abc import Sequence

import torch


def layout(shape: Sequence[int]) -> torch.memory_format:
    """How images of this shape lie in memory.

    Convolutions are faster channels-last (docs/speed.md), except on tiny images. A
    function of the shape alone, since noise is generated in memory order.
    """
    big = len(shape) == 3 and min(shape[-2:]) >= 16
    return torch.channels_last if big else torch.contiguous_format
