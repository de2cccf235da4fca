"""A stream of random bits belongs to the work, not to the worker."""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np

__all__ = ["ASKED", "Stream"]

ASKED = 1
"""The purpose of noise that is only asked about; that of counted draws is 0."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The bits behind a chunk of an image's draws, the same whoever draws it.

    Attributes:
        seed: The run's, of 64 bits.
        image: Index in its dataset.
        chunk: Number of the chunk within the image.
        purpose: Whether its draws are counted.
    """

    seed: int
    image: int
    chunk: int
    purpose: int = 0

    def bits(self) -> np.random.Philox:
        """Philox4x64-10 (Salmon et al. 2011), a function of key and counter.

        The key is the run's seed and the image, the upper half of the counter the
        purpose and the chunk. So no two streams of a run, nor of runs with different
        seeds, ever have a block of bits in common but by chance, as any others.
        """
        return np.random.Philox(
            key=np.array([self.seed, self.image], dtype=np.uint64),
            counter=np.array([0, 0, self.purpose, self.chunk], dtype=np.uint64),
        )

    def seeds(self) -> tuple[int, int]:
        """Two seeds of 64 bits, for a device's own generator and for ours beside it."""
        told = struct.pack("<4Q", self.seed, self.image, self.purpose, self.chunk)
        found = hashlib.blake2b(
            told, digest_size=16, person=b"simplicert noise"
        ).digest()
        first, second = struct.unpack("<2Q", found)
        return first, second
