"""Noise as runs of schema 1 and 2 had it, so that an audit can draw it again.

Float32 noise is added to float32 inputs, from torch's generators, whose seeds number
the chunks of a run block by block. New runs have none of it.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from simplicert.noises import Noise
from simplicert.sampling.noisy import CHUNK_VALUES, Buffer, chunk_draws
from simplicert.votes import Manifest

__all__ = ["Float32Chunk", "Float32Inputs", "chunk_seeds"]

HALF_SIDE = float(np.nextafter(np.float32(3.0**0.5), np.float32(2.0)))
"""Of the uniform noise's cube, at sigma = 1: the float32 just above sqrt(3)."""

_CPU_CHUNK_VALUES = 1 << 15
"""At most so many values came from one seed on a CPU."""

_FILL: dict[str, Callable[[Tensor, torch.Generator], object]] = {
    "gaussian-float32": lambda values, generator: values.normal_(generator=generator),
    "uniform-float32": lambda values, generator: values.uniform_(
        -HALF_SIDE, HALF_SIDE, generator=generator
    ),
}


@dataclass(frozen=True, kw_only=True)
class Float32Chunk:
    """Some draws of one block.

    Attributes:
        row: Which of the task's blocks.
        draws: How many.
        seed: Of their noise.
    """

    row: int
    draws: int
    seed: int


def chunk_seeds(
    run_seed: int, image: int, block: int, *, blocks: int, chunks: int
) -> list[int]:
    """Seeds for the noise of one block.

    The chunks of a run are numbered, image after image, from a start that the run's
    seed decides, so no two have the same seed while there are at most 2**32 of them;
    those of one image never do. Torch's CPU generator looks at the low 32 bits alone.

    Args:
        run_seed: The run's seed.
        image: Index of the image in its dataset.
        block: Number of the block within the image.
        blocks: Blocks an image.
        chunks: Chunks a block.

    Example:
        >>> seeds = [
        ...     chunk_seeds(0, image, block, blocks=2, chunks=2)
        ...     for image in (7, 8) for block in (0, 1)
        ... ]
        >>> (np.concatenate(seeds) - seeds[0][0]) % 2**32
        array([0, 1, 2, 3, 4, 5, 6, 7])
    """
    start = int(np.random.SeedSequence(run_seed).generate_state(1)[0])
    first = start + (image * blocks + block) * chunks
    return [(first + chunk) % 2**32 for chunk in range(chunks)]


class Float32Inputs:
    """As ``NoisyInputs``, with the old noise.

    Args:
        shape: Of an input, like the other arguments.
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
        self.capacity, self._fill = capacity, _FILL[noise.name]
        # What scales float32 noise is a float32: none smaller than what is certified.
        scale = np.float32(sigma)
        self._sigma = float(scale if scale >= sigma else np.nextafter(scale, np.inf))
        self._buffer = Buffer(shape, capacity, dtype=dtype, device=device)
        self._noise = self._buffer.flat
        if dtype != torch.float32:
            values = math.prod(shape)
            self._noise = torch.empty(
                capacity, values, device=device, dtype=torch.float32
            )
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._generators = [torch.Generator(device) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    @staticmethod
    def chunks(
        plan: Manifest, row: int, *, image: int, block: int
    ) -> list[Float32Chunk]:
        """The chunks of a block."""
        assert plan.block is not None  # no old run stopped its images
        most = _CPU_CHUNK_VALUES if plan.device == "cpu" else CHUNK_VALUES
        size = chunk_draws(plan.data.shape, most=most)
        seeds = chunk_seeds(
            plan.seed,
            image,
            block,
            blocks=plan.blocks,
            chunks=-(-plan.block // size),
        )
        return [
            Float32Chunk(row=row, draws=min(size, plan.block - i * size), seed=seed)
            for i, seed in enumerate(seeds)
        ]

    def fill(
        self, chunks: Sequence[Float32Chunk], inputs: Sequence[Float[Tensor, "..."]]
    ) -> Float[Tensor, "draws ..."]:
        """The chunks' noisy inputs one after another, until more are asked."""
        ends, filled = [], 0
        for chunk in chunks:
            filled += chunk.draws
            ends.append(filled)
        work, count = list(zip(chunks, ends, strict=True)), len(self._generators)
        shares = [work[i::count] for i in range(count)]
        for _ in self._pool.map(self._draw, self._generators, shares):
            pass
        start = 0
        for row, same in groupby(chunks, key=attrgetter("row")):
            piece = slice(start, start + sum(chunk.draws for chunk in same))
            own = self._buffer.lying(inputs[row]).to(self._noise.device)
            torch.add(
                own.reshape(1, -1),
                self._noise[piece],
                alpha=self._sigma,
                out=self._buffer.flat[piece],
            )
            start = piece.stop
        return self._buffer.inputs[:filled]

    # Pool threads have no inference mode of their own.
    @torch.inference_mode()
    def _draw(
        self, generator: torch.Generator, share: list[tuple[Float32Chunk, int]]
    ) -> None:
        for chunk, end in share:
            generator.manual_seed(chunk.seed)
            self._fill(self._noise[end - chunk.draws : end], generator)
