"""Noisy copies of inputs, the same bit for bit however they are batched."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from simplicert.errors import InputError
from simplicert.machine.layout import layout
from simplicert.noises import Noise

# At most so many values get a seed of their own. On a CPU they keep a thread busy; a
# GPU takes no longer for these than for a few.
_CHUNK_VALUES, _GPU_CHUNK_VALUES = 1 << 15, 1 << 18


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some draws of one block.

    Attributes:
        row: Which of the task's blocks.
        draws: At most ``chunk_draws``.
        seed: Of its noise.
    """

    row: int
    draws: int
    seed: int


def chunk_draws(shape: Sequence[int], device: str) -> int:
    """How many draws get their noise from one seed.

    A function of the shape and the kind of device alone, whatever the batch: a block
    then has one noise at any batch size, several threads can generate it, and it is
    never in memory as a whole.

    Example:
        >>> shapes = [(c, s, s) for c, s in ((1, 8), (3, 32), (3, 224))]
        >>> [chunk_draws(shape, "cpu") for shape in shapes]
        [100, 10, 2]
        >>> [chunk_draws(shape, "cuda") for shape in shapes]
        [100, 50, 2]
    """
    most = _CHUNK_VALUES if device == "cpu" else _GPU_CHUNK_VALUES
    sizes = (5, 10, 20, 50, 100)
    return max((n for n in sizes if n * math.prod(shape) <= most), default=2)


def stages(chunks: Sequence[Chunk], *, capacity: int) -> Iterator[list[Chunk]]:
    """Group chunks, in order, so that each group fits the buffer."""
    stage: list[Chunk] = []
    room = capacity
    for chunk in chunks:
        if chunk.draws > room:
            yield stage
            stage, room = [], capacity
        stage.append(chunk)
        room -= chunk.draws
    yield stage


class NoisyInputs:
    """A buffer of noisy copies, written in place and reused.

    Args:
        shape: Of an input, of any length.
        noise: What fills it.
        capacity: Draws it holds.
        sigma: Noise standard deviation.
        dtype: What the model takes. Noise is added in float32 and rounded once.
        device: Where it is.

    Attributes:
        inputs: The buffer, draws × the shape.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        noise: Noise,
        capacity: int,
        sigma: float,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        assert noise.fill is not None  # what is drawn from was found, not read
        self.capacity, self._noise_of = capacity, noise.fill
        # What scales float32 noise is a float32: none smaller than what is certified.
        scale = np.float32(sigma)
        self._sigma = float(scale if scale >= sigma else np.nextafter(scale, np.inf))
        self._last = layout(shape) is torch.channels_last
        values = math.prod(shape)
        # Float32 whatever torch's default is: the noise is part of the evidence.
        self._noise = torch.empty(capacity, values, device=device, dtype=torch.float32)
        self._flat = self._noise
        if dtype != torch.float32:
            self._flat = torch.empty(capacity, values, device=device, dtype=dtype)
        if self._last:
            channels, height, width = shape
            lying = self._flat.view(-1, height, width, channels)
            self.inputs = lying.permute(0, 3, 1, 2)
        else:
            self.inputs = self._flat.view(-1, *shape)
        # A GPU fills a chunk in parallel; CPU generators are serial, but there can be
        # several.
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._generators = [torch.Generator(device) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def fill(
        self, chunks: Sequence[Chunk], inputs: Sequence[Float[Tensor, "..."]]
    ) -> int:
        """Write the chunks' noisy inputs one after another; returns how many.

        Args:
            chunks: What to draw; fits the buffer.
            inputs: The input of each row.
        """
        ends, filled = [], 0
        for chunk in chunks:
            filled += chunk.draws
            ends.append(filled)
        self._draw(list(zip(chunks, ends, strict=True)))
        start = 0
        for row, same in groupby(chunks, key=attrgetter("row")):
            piece = slice(start, start + sum(chunk.draws for chunk in same))
            own = inputs[row].permute(1, 2, 0) if self._last else inputs[row]
            torch.add(
                own.reshape(1, -1),
                self._noise[piece],
                alpha=self._sigma,
                out=self._flat[piece],
            )
            start = piece.stop
        return filled

    def _draw(self, work: list[tuple[Chunk, int]]) -> None:
        count = len(self._generators)
        shares = [work[i::count] for i in range(count)]
        values = work[-1][1] * self._noise.shape[1]
        if self._pool is None or len(work) == 1 or values < 2 * _CHUNK_VALUES:
            self._draw_share(self._generators[0], work)
        else:
            for _ in self._pool.map(self._draw_share, self._generators, shares):
                pass

    # Pool threads have no inference mode of their own.
    @torch.inference_mode()
    def _draw_share(
        self, generator: torch.Generator, share: list[tuple[Chunk, int]]
    ) -> None:
        for chunk, end in share:
            generator.manual_seed(chunk.seed)
            self._noise_of(self._noise[end - chunk.draws : end], generator)


def check_noise(noise: Noise) -> None:
    """Try a noise from outside: it must be what every noise is.

    Raises:
        InputError: It raises, leaves values out, looks at more than its generator, or
            has another mean than 0 or another standard deviation than 1.
    """
    assert noise.fill is not None
    values = torch.full((500, 200), torch.nan)
    again = torch.full_like(values, torch.nan)
    generator = torch.Generator()
    for each in (values, again):
        noise.fill(each, generator.manual_seed(1))
    wide = values.double()
    # Of 100,000 values: 10 standard errors, or more for heavy tails.
    mean, deviation = float(wide.mean()), float(wide.std())
    for rule, broken in (
        ("leaves values that are not finite", not bool(values.isfinite().all())),
        ("differs though its generator does not", not torch.equal(values, again)),
        (f"has the mean {mean:.3f}, not 0", abs(mean) > 0.05),
        (
            f"has the standard deviation {deviation:.3f}, not 1, by which sigma scales "
            "it",
            abs(deviation - 1.0) > 0.05,
        ),
    ):
        if broken:
            raise InputError(f"noise {noise.name!r} {rule}")
