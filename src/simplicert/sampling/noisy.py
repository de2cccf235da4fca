"""Noisy copies of images, the same bit for bit however they are batched."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import torch
from jaxtyping import Float
from torch import Tensor

from simplicert.machine.layout import layout

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


class NoisyImages:
    """A buffer of noisy copies, written in place and reused.

    Args:
        shape: Channels, height and width of an image.
        capacity: Draws it holds.
        sigma: Noise standard deviation.
        dtype: What the model takes. Noise is added in float32 and rounded once.
        device: Where it is.

    Attributes:
        images: The buffer, draws × channels × height × width.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        capacity: int,
        sigma: float,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.capacity, self._sigma = capacity, sigma
        self._last = layout(shape) is torch.channels_last
        values = math.prod(shape)
        # Float32 whatever torch's default is: the noise is part of the evidence.
        self._noise = torch.empty(capacity, values, device=device, dtype=torch.float32)
        self._flat = self._noise
        if dtype != torch.float32:
            self._flat = torch.empty(capacity, values, device=device, dtype=dtype)
        channels, height, width = shape
        self.images = (
            self._flat.view(-1, height, width, channels).permute(0, 3, 1, 2)
            if self._last
            else self._flat.view(-1, channels, height, width)
        )
        # A GPU fills a chunk in parallel; CPU generators are serial, but there can be
        # several.
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._generators = [torch.Generator(device) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def fill(
        self, chunks: Sequence[Chunk], images: Sequence[Float[Tensor, "channels h w"]]
    ) -> int:
        """Write the chunks' noisy images one after another; returns how many.

        Args:
            chunks: What to draw; fits the buffer.
            images: The image of each row.
        """
        ends, filled = [], 0
        for chunk in chunks:
            filled += chunk.draws
            ends.append(filled)
        self._draw(list(zip(chunks, ends, strict=True)))
        start = 0
        for row, same in groupby(chunks, key=attrgetter("row")):
            piece = slice(start, start + sum(chunk.draws for chunk in same))
            image = images[row].permute(1, 2, 0) if self._last else images[row]
            torch.add(
                image.reshape(1, -1),
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
            self._noise[end - chunk.draws : end].normal_(generator=generator)
