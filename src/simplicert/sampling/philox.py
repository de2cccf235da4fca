"""Philox4x32-10 (Salmon et al., SC 2011) of any counters, on any device.

For the few values whose first random word was not enough: a further word is then a
function of the value's place, whatever else is drawn beside it. Nobody waits for it on
a CPU, where a chunk's own stream goes on.
"""

from typing import Any

import torch
from torch import Tensor

__all__ = ["words_at"]

_MASK = (1 << 32) - 1
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10


def philox(counter: list[Any], key: list[Any]) -> list[Any]:
    """Four words of 32 bits, as int64 tensors, of four and of a key of two."""
    c, k = list(counter), list(key)
    for _ in range(_ROUNDS):
        first, second = (m * each for m, each in zip(_MULTIPLIERS, c[::2], strict=True))
        high = [
            (each >> 32) & _MASK for each in (first, second)
        ]  # wrapped, as unsigned
        c = [
            high[1] ^ c[1] ^ k[0],
            second & _MASK,
            high[0] ^ c[3] ^ k[1],
            first & _MASK,
        ]
        k = [(each + step) & _MASK for each, step in zip(k, _WEYL, strict=True)]
    return c


def words_at(keys: Tensor, places: Tensor, attempts: Tensor) -> Tensor:
    """Three words of 64 bits for each place: 3 × n.

    Args:
        keys: Of each place's chunk, int64.
        places: Within the chunk, below 2**32.
        attempts: How often each was asked before.
    """
    number = torch.tensor([[0], [1]], device=places.device)  # four words are not enough
    zero = torch.zeros_like(places)
    counter = [each + 0 * number for each in (places, attempts, zero, zero)]
    counter[2] = counter[2] + number
    key = [keys & _MASK, (keys >> 32) & _MASK]
    halves = torch.stack(philox(counter, key), dim=1).flatten(0, 1)[:6]
    return halves[0::2] | (halves[1::2] << 32)
