"""Gaussian noise, N(0, sigma² I): l2 balls (Cohen et al. 2019).

Drawn exactly, in steps of the grid: ``floor(sigma Z / q)`` of a real Z, from random
bits (``docs/noise.md`` has the proof). Half of the line is divided into cells of 2**33
steps, about a hundred-and-eightieth of sigma. In a cell every step has nearly one
probability, so the law is a mixture: a whole number of 2**-16 of the uniform law on
each cell, which one word of 64 bits decides (16 choose the cell, one the sign, 33 the
step), and what remains, below a hundredth, by rejection. There 128 bits are compared
with a number that is computed to 60 digits where float64 does not decide it.
"""

import math
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.noises.grid import RESOLUTION
from simplicert.noises.protocol import Noise, OnGrid, Put

_FINE = 33  # bits of a step's place in its cell
_INDEX = 16  # bits that choose a cell
_CELLS = 4096
"""From 0 to 16 sigma at least. Beyond it is less than 1e-56 of the law."""

_NONE = -(1 << 63)
"""In a table: no cell. It stays negative whatever bits a step's place adds."""

_SAFE = 2.0**-40
"""Far above float64's error in a cell's probability, relative."""

_DOUBT = 2.0**-30
"""Far above float64's error in what is compared, of which 1 is the largest."""

_V = 54  # bits of the first comparison
_DIGITS = 70
_PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510582097494459230781641"
)


class Cells:
    """How the law of half of the line is made up, at a sigma.

    Probabilities are in units of 2**-16 over a whole cell: a step of density ``p`` has
    ``p * 2**-(16 + 33)``.

    Args:
        scale: Sigma in steps, from 2**40 up to 2**41.

    Attributes:
        base: Of the uniform law on each cell: the largest whole number that is below
            the density throughout.
        peak: Above ``base``, what remains at most, anywhere in the cell.
        weights: How often a cell is proposed for what remains.
        unit: ``peak <= unit * weights``.
    """

    def __init__(self, scale: float) -> None:
        assert 2.0**RESOLUTION <= scale < 2.0 ** (RESOLUTION + 1)
        self.scale = scale
        density = self.density(np.arange(_CELLS + 1) * 2.0**_FINE / scale)
        self.base = np.floor(density[1:] * (1.0 - _SAFE))
        self.peak = density[:-1] * (1.0 + _SAFE) - self.base
        self.unit = float(self.peak.sum() / ((1 << _INDEX) - _CELLS - 1))
        self.weights = np.ceil(self.peak / self.unit)

    @property
    def factor(self) -> float:
        """The density at 0."""
        return 2.0 ** (_FINE + _INDEX + 1) / math.sqrt(2.0 * math.pi) / self.scale

    def density(self, z: Any) -> Any:
        """Of both halves of the line together, at ``z`` sigma."""
        return self.factor * np.exp(-0.5 * z * z)

    def share(self, step: int) -> Decimal:
        """The share of a step's proposals that is accepted, to 60 digits.

        The mass of a step is its width times the density in its middle, and the next
        term; what follows is below 2**-150 of it.
        """
        cell = step >> _FINE
        with localcontext(Context(prec=_DIGITS)):
            width = 1 / Decimal(self.scale)
            z = (2 * step + 1) * width / 2
            mass = 2 * width * (-z * z / 2).exp() / (2 * _PI).sqrt()
            mass *= 1 + (z * z - 1) * width * width / 24
            left = mass * 2 ** (_FINE + _INDEX) - Decimal(float(self.base[cell]))
            bound = Decimal(self.unit) * Decimal(float(self.weights[cell]))
            share: Decimal = left / bound
            return share

    def accepts(self, step: int, *words: int) -> bool:
        """Whether a number of these 128 bits is below the share, decided exactly."""
        high, low = (word % (1 << 64) for word in words)
        with localcontext(Context(prec=_DIGITS)):
            return Decimal((high << 64) + low) / (1 << 128) < self.share(step)

    @staticmethod
    def table(parts: np.ndarray) -> Int[np.ndarray, " entries"]:
        """The first step of a cell, as many times as it has parts; else ``_NONE``."""
        entries = np.full(1 << _INDEX, _NONE)
        cells = np.repeat(np.arange(len(parts)) << _FINE, parts.astype(np.int64))
        entries[: len(cells)] = cells
        return entries


@lru_cache(maxsize=16)
def _cells(scale: float) -> Cells:
    return Cells(scale)


def _on_grid(scale: float, xp: Any, put: Put) -> OnGrid:
    cells = _cells(scale)
    first, second = put(cells.table(cells.base)), put(cells.table(cells.weights))
    base, bound = put(cells.base), put(cells.unit * cells.weights)

    def steps_at(table: Any, words: Any) -> Any:
        steps = xp.take(table, words & ((1 << _INDEX) - 1))
        place = words >> (64 - _FINE)
        place &= (1 << _FINE) - 1
        steps |= place
        return steps

    def signed(steps: Any, words: Any) -> Any:
        """The bit after the cell's turns 0, 1, 2, … into -1, -2, -3, …."""
        words <<= 63 - _INDEX
        words >>= 63
        steps ^= words
        return steps

    def quick(words: Any) -> tuple[Any, Any]:
        steps = steps_at(first, words)
        missing = steps < 0
        return signed(steps, words), missing

    def careful(words: Any) -> tuple[Any, Any]:
        steps = steps_at(second, words[0])
        some = steps >= 0
        cell = xp.where(some, steps >> _FINE, 0)
        z = (xp.asarray(steps, dtype=xp.float64) + 0.5) / scale
        share = cells.factor * xp.exp(-0.5 * z * z) - xp.take(base, cell)
        share /= xp.take(bound, cell)
        high = (words[1] >> (64 - _V)) & ((1 << _V) - 1)
        drawn = xp.asarray(high, dtype=xp.float64) * 2.0**-_V
        accepted = some & (drawn < share)
        doubtful = some & (abs(drawn - share) < _DOUBT)
        for i in xp.where(doubtful)[0].tolist():
            accepted[i] = cells.accepts(int(steps[i]), *map(int, words[1:, i]))
        return signed(steps, words[0]), accepted

    return OnGrid(quick=quick, careful=careful)


gaussian = Noise("gaussian", "l2", on_grid=_on_grid)
