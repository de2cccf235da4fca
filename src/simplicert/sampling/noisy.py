"""Noisy copies of inputs, the same bit for bit however they are batched."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from simplicert.errors import InputError
from simplicert.machine.layout import layout
from simplicert.noises import Noise
from simplicert.noises.grid import grid_step, largest_input
from simplicert.sampling.seeds import Stream
from simplicert.sampling.steps import on_device, on_host
from simplicert.votes import Manifest

# At most so many values come from one stream. They keep a CPU thread busy, whose arrays
# are then in its cache; a GPU takes no longer for these than for a few.
CHUNK_VALUES = 1 << 18


_WORTH_THREADS = 1 << 16
"""Values that take longer than it takes to wake a thread."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some draws of one input that come from one stream.

    Attributes:
        row: Which of the task's inputs.
        stream: Of the whole chunk's noise.
        size: Draws of a whole chunk.
        skip: How many of these come before the first that is wanted.
        draws: How many are wanted.
    """

    row: int
    stream: Stream
    size: int
    skip: int = 0
    draws: int


def chunk_draws(shape: Sequence[int], *, most: int = CHUNK_VALUES) -> int:
    """How many draws get their noise from one stream.

    A function of the shape, whatever the batch: an image then has one noise at any
    batch size, several threads can generate it, and it is never in memory as a whole.

    Args:
        shape: Of an input.
        most: Values of a chunk.

    Example:
        >>> shapes = [(c, s, s) for c, s in ((1, 8), (3, 32), (3, 224))]
        >>> [chunk_draws(shape) for shape in shapes]
        [100, 50, 2]
    """
    sizes = (5, 10, 20, 50, 100)
    fit = (n for n in sizes if n * math.prod(shape) <= most)
    return max(fit, default=2)


def chunks_of(
    row: int,
    *,
    seed: int,
    image: int,
    first: int,
    draws: int,
    size: int,
    purpose: int = 0,
) -> list[Chunk]:
    """The chunks that hold these draws of an image, and what is wanted of each.

    An image's chunks are numbered from its first draw, so that its draws are the same
    however they are divided.

    Example:
        >>> found = chunks_of(0, seed=1, image=7, first=15, draws=10, size=10)
        >>> [(chunk.stream.chunk, chunk.skip, chunk.draws) for chunk in found]
        [(1, 5, 5), (2, 0, 5)]
    """
    found = []
    for number in range(first // size, -(-(first + draws) // size)):
        skip = max(first - number * size, 0)
        end = min(first + draws - number * size, size)
        stream = Stream(seed=seed, image=image, chunk=number, purpose=purpose)
        found.append(
            Chunk(row=row, stream=stream, size=size, skip=skip, draws=end - skip)
        )
    return found


def stages(chunks: Sequence[Any], *, capacity: int) -> Iterator[list[Any]]:
    """Group chunks, in order, so that each group's draws fit a buffer."""
    stage: list[Any] = []
    room = capacity
    for chunk in chunks:
        if chunk.draws > room:
            yield stage
            stage, room = [], capacity
        stage.append(chunk)
        room -= chunk.draws
    yield stage


class Buffer:
    """Room for noisy copies of inputs, as models take them.

    Attributes:
        flat: Draws × values, each draw's as they lie in memory.
        inputs: The same, draws × the shape.
    """

    def __init__(
        self,
        shape: Sequence[int],
        capacity: int,
        *,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        values = math.prod(shape)
        self.flat = torch.empty(capacity, values, device=device, dtype=dtype)
        self._last = layout(shape) is torch.channels_last
        if self._last:
            channels, height, width = shape
            lying = self.flat.view(-1, height, width, channels)
            self.inputs = lying.permute(0, 3, 1, 2)
        else:
            self.inputs = self.flat.view(-1, *shape)

    def lying(self, values: Float[Tensor, "..."]) -> Float[Tensor, " values"]:
        """An input's values in that order."""
        return (values.permute(1, 2, 0) if self._last else values).reshape(-1)


class NoisyInputs:
    """Makes noisy copies, in buffers that are written in place and reused.

    The sum of input and noise is one of integers, on the grid of ``noises/grid.py``,
    and is rounded once.

    Args:
        shape: Of an input, of any length.
        noise: What is added.
        capacity: Draws a buffer holds.
        sigma: Noise standard deviation.
        dtype: What the model takes.
        device: Where they are wanted.
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
        self.capacity, self._device = capacity, device
        self._values = math.prod(shape)
        self._step, self._sigma = grid_step(sigma), sigma
        self._on_device = device.type != "cpu"
        count = 2 if self._on_device else 1
        self._buffers = [
            Buffer(shape, capacity, dtype=dtype, device=device) for _ in range(count)
        ]
        scale = sigma / self._step
        if self._on_device:
            self._drawn_there = on_device(noise, scale, device, values=self._values)
            self._beside = Beside(device)
        else:
            self._drawn_here = on_host(noise, scale, values=self._values)
            floats, self._rounded = self._buffers[0].flat, None
            if dtype != torch.float32:
                self._rounded = floats = torch.empty_like(floats, dtype=torch.float32)
            self._floats = floats.numpy()
        # A GPU adds noise in parallel; a CPU's streams are serial, but there can be
        # several.
        threads = 1 if self._on_device else torch.get_num_threads()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    @staticmethod
    def chunks(plan: Manifest, row: int, *, image: int, block: int) -> list[Chunk]:
        """The chunks that hold the draws of a block."""
        first, end = plan.draws_until(np.array([block, block + 1])).tolist()
        return chunks_of(
            row,
            seed=plan.seed,
            image=image,
            first=first,
            draws=end - first,
            size=chunk_draws(plan.data.shape),
        )

    def fill(
        self, chunks: Sequence[Chunk], inputs: Sequence[Float[Tensor, "..."]]
    ) -> Float[Tensor, "draws ..."]:
        """The chunks' noisy inputs one after another, until more are asked.

        Args:
            chunks: What to draw; fits a buffer.
            inputs: The input of each row.
        """
        self._buffers.reverse()
        buffer, *_ = self._buffers
        rows = {chunk.row for chunk in chunks}
        on_grid = {row: self._on_grid(buffer.lying(inputs[row])) for row in rows}
        places, end = [], 0
        for chunk in chunks:
            places.append(slice(end, end + chunk.draws))
            end += chunk.draws
        if self._on_device:
            with self._beside:
                self._write_there(chunks, on_grid, buffer.flat[:end])
            return buffer.inputs[:end]
        own = [on_grid[chunk.row].numpy() for chunk in chunks]
        if (
            self._pool is None
            or len(chunks) == 1
            or end * self._values < _WORTH_THREADS
        ):
            for each in zip(chunks, own, places, strict=True):
                self._write_here(*each)
        else:
            for _ in self._pool.map(self._write_here, chunks, own, places):
                pass
        if self._rounded is not None:  # by all threads at once, which ours would fight
            buffer.flat[:end].copy_(self._rounded[:end])
        return buffer.inputs[:end]

    def _on_grid(self, values: Float[Tensor, " values"]) -> Int[Tensor, " values"]:
        """Moved to the grid by half a step at most; most floats are on it already.

        Raises:
            InputError: A value is so large that it would swallow the noise.
        """
        numbers = values.cpu().double()
        if (largest := float(numbers.abs().max())) > largest_input(self._sigma):
            raise InputError(
                f"an input has the number {largest:g}, beside which noise of sigma "
                f"{self._sigma:g} would be lost in float32: raise sigma, or measure "
                "the inputs in another unit (--unit deviations)"
            )
        return (numbers / self._step).round().long()

    def _write_here(
        self, chunk: Chunk, on_grid: Int[np.ndarray, " values"], place: slice
    ) -> None:
        steps = self._drawn_here(chunk.stream, chunk.size * self._values)
        wanted = steps.reshape(-1, self._values)[chunk.skip :][: chunk.draws]
        wanted += on_grid
        rounded = self._floats[place]
        rounded[:] = wanted
        rounded *= self._step

    def _write_there(
        self, chunks: Sequence[Chunk], on_grid: dict[int, Tensor], out: Tensor
    ) -> None:
        """All chunks at once: what waits for the device waits as long for few."""
        size, start = chunks[0].size, 0
        streams = [chunk.stream for chunk in chunks]
        steps = self._drawn_there(streams, size * self._values).view(-1, self._values)
        for row, same in groupby(range(len(chunks)), key=lambda i: chunks[i].row):
            run = list(same)  # of a row's chunks only the first and last are cut
            first = run[0] * size + chunks[run[0]].skip
            draws = sum(chunks[i].draws for i in run)
            wanted = steps[first : first + draws]
            wanted += on_grid[row].to(self._device)
            out[start : start + draws].copy_(wanted.float().mul_(self._step))
            start += draws


class Beside:
    """Work on a device beside its main stream, which goes on with the work after it.

    What waits for numbers from the device then waits for this work alone, while the
    main stream is busy with what was asked before. What was asked of the main stream
    before a work is over when the work after it begins: of two buffers in turn, each
    may be read by what is asked there until the other is written.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: Any = None  # torch.cuda has no types here
        if device.type == "cuda":
            cuda: Any = torch.cuda
            self._stream = cuda.Stream(device, priority=-1)
            self._read = cuda.current_stream(device).record_event()

    def __enter__(self) -> None:
        if self._stream is None:
            return
        cuda: Any = torch.cuda
        self._stream.wait_event(self._read)  # what was asked before the last work
        self._read = cuda.current_stream(self._device).record_event()
        self._entered = cuda.stream(self._stream)
        self._entered.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self._stream is None:
            return
        self._entered.__exit__(*error)
        torch.cuda.current_stream(self._device).wait_stream(self._stream)


def check_noise(noise: Noise) -> None:
    """Try a noise from outside: it must be what every noise is.

    Raises:
        InputError: It raises, leaves values out, looks at more than its generator, or
            has another mean than 0 or another standard deviation than 1.
    """
    assert noise.fill is not None
    values, again = np.full((2, 500, 200), np.nan)
    for each in (values, again):
        noise.fill(each, np.random.Generator(Stream(seed=1, image=0, chunk=0).bits()))
    # Of 100,000 values: 10 standard errors, or more for heavy tails.
    mean, deviation = float(values.mean()), float(values.std())
    for rule, broken in (
        ("leaves values that are not finite", not np.isfinite(values).all()),
        ("differs though its generator does not", not np.array_equal(values, again)),
        (f"has the mean {mean:.3f}, not 0", abs(mean) > 0.05),
        (
            f"has the standard deviation {deviation:.3f}, not 1, by which sigma scales "
            "it",
            abs(deviation - 1.0) > 0.05,
        ),
    ):
        if broken:
            raise InputError(f"noise {noise.name!r} {rule}")
