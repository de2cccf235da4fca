"""The draw loop: noise, forward pass, count. Everything stays on the device."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from simplicert.errors import InputError
from simplicert.sampling.seeds import block_seed
from simplicert.votes.rows import VoteRows

# Noise is generated in pieces of this many draws, whatever the batch: a block then
# has one noise at any batch size, and never needs its whole noise in memory.
CHUNK = 100

# Scores are floored to multiples of 2**-32, so that sums over up to 2**21 draws are
# exact in float64: no order of addition, worker count or crash can change them. The
# floored scores are what is certified: they still lie in [0, 1] and sum to at most 1.
SCORE_GRID = 2.0**32

# Results wait on the device for this many tasks, so that the host rarely waits for it.
PENDING_TASKS = 16

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Task:
    """Whole blocks drawn together; the same ones in every worker and resumption.

    Attributes:
        positions: Position in the run of each block's image.
        blocks: Each block's number within its image.
    """

    positions: Int[np.ndarray, " rows"]
    blocks: Int[np.ndarray, " rows"]


def make_tasks(images: int, blocks: int, *, block: int, batch: int) -> list[Task]:
    """Divide a run into tasks of about one batch, image after image, block after block.

    The division depends on the run's manifest alone, hence so does the company that a
    draw has in its forward pass.
    """
    group = max(1, batch // block)
    flat = np.arange(images * blocks)
    return [
        Task(positions=part // blocks, blocks=part % blocks)
        for part in (flat[i : i + group] for i in range(0, len(flat), group))
    ]


def draw_votes(
    model: Callable[[Tensor], Tensor],
    read: Callable[[Int[np.ndarray, " n"]], np.ndarray],
    tasks: Iterable[Task],
    *,
    indices: Int[np.ndarray, " images"],
    sigma: float,
    seed: int,
    block: int,
    batch: int,
    classes: int,
    precision: str,
    device: torch.device,
) -> Iterator[VoteRows]:
    """Draw each task's votes.

    Args:
        model: Noisy batch → logits, on ``device``.
        read: Positions in the run → images, in [0, 1].
        tasks: The work, in order.
        indices: Index in the dataset of each position; seeds the noise.
        sigma: Noise standard deviation.
        seed: The run's seed.
        block: Draws a block.
        batch: Most draws a forward pass; halved where memory does not suffice.
        classes: Number of logits.
        precision: Key of ``DTYPES``.
        device: Where everything happens.

    Yields:
        The votes of one or more tasks.

    Raises:
        InputError: The model does not return one row of ``classes`` logits a draw, or
            one draw does not fit into memory.
    """
    loop = _DrawLoop(
        model,
        sigma=sigma,
        seed=seed,
        block=block,
        classes=classes,
        dtype=DTYPES[precision],
        device=device,
    )
    pending: list[tuple[Task, Tensor, Tensor, Tensor]] = []
    images, held = torch.empty(0), np.empty(0, dtype=np.int64)
    for task in tasks:
        needed = np.unique(task.positions)
        if not np.array_equal(needed, held):  # an image spans many tasks: read it once
            images = torch.from_numpy(read(needed)).to(device)
            held = needed
        slots = np.searchsorted(needed, task.positions)
        while True:
            try:
                result = loop.run(images[slots], indices[task.positions], task, batch)
                break
            except torch.OutOfMemoryError:
                if batch == 1:
                    raise InputError(
                        f"one noisy image of shape {tuple(images.shape[1:])} does not "
                        f"fit into the memory of {device}"
                    ) from None
                batch //= 2
                loop.release()
        pending.append((task, *result))
        if len(pending) == PENDING_TASKS:
            yield _to_rows(pending, indices)
            pending = []
    if pending:
        yield _to_rows(pending, indices)


class _DrawLoop:
    """The buffers and constants of one run on one device."""

    def __init__(
        self,
        model: Callable[[Tensor], Tensor],
        *,
        sigma: float,
        seed: int,
        block: int,
        classes: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.model, self.sigma, self.seed = model, sigma, seed
        self.block, self.classes = block, classes
        self.dtype, self.device = dtype, device
        self.generator = torch.Generator(device)
        self.release()

    def release(self) -> None:
        self.noise = torch.empty(0)
        self.inputs = torch.empty(0)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def run(
        self,
        images: Float[Tensor, "blocks ..."],
        indices: Int[np.ndarray, " blocks"],
        task: Task,
        batch: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Counts, score sums and sums of squares, a row a block of the task."""
        rows = len(task.blocks)
        counts = torch.zeros(rows * self.classes, dtype=torch.int64, device=self.device)
        sums = torch.zeros(rows, self.classes, dtype=torch.float64, device=self.device)
        squares = torch.zeros_like(sums)
        self._allocate(images.shape[1:], capacity=max(CHUNK, batch))
        for stage in _stages(rows, self.block, capacity=max(CHUNK, batch)):
            row = self._fill(images, indices, task, stage)
            for start in range(0, len(row), batch):
                piece = slice(start, min(start + batch, len(row)))
                logits = self._logits(self.inputs[piece])
                _accumulate(logits, row[piece], counts, sums, squares)
        return counts.view(rows, self.classes), sums, squares

    def _allocate(self, shape: torch.Size, *, capacity: int) -> None:
        wanted = (capacity, *shape)
        if self.inputs.shape == wanted:
            return
        chunk = min(CHUNK, self.block)
        layout = torch.channels_last if len(shape) == 3 else torch.contiguous_format
        self.noise = torch.empty((chunk, *shape), device=self.device)
        self.inputs = torch.empty(
            wanted, device=self.device, dtype=self.dtype, memory_format=layout
        )

    def _fill(
        self,
        images: Float[Tensor, "blocks ..."],
        indices: Int[np.ndarray, " blocks"],
        task: Task,
        stage: "list[_Chunk]",
    ) -> Int[Tensor, " draws"]:
        """Write noisy copies into the input buffer; returns each draw's row."""
        filled = 0
        for chunk in stage:
            if chunk.first:
                image, block = int(indices[chunk.row]), int(task.blocks[chunk.row])
                self.generator.manual_seed(block_seed(self.seed, image, block))
            noise = self.noise[: chunk.draws].normal_(generator=self.generator)
            # In float32 whatever the model's precision, rounded once when stored.
            noisy = noise.mul_(self.sigma).add_(images[chunk.row])
            self.inputs[filled : filled + chunk.draws].copy_(noisy)
            filled += chunk.draws
        if stage[0].row == stage[-1].row:
            return torch.full((filled,), stage[0].row, device=self.device)
        repeats = torch.tensor([chunk.draws for chunk in stage])
        rows = torch.tensor([chunk.row for chunk in stage])
        return rows.repeat_interleave(repeats).to(self.device)

    def _logits(self, inputs: Tensor) -> Float[Tensor, "draws classes"]:
        output = self.model(inputs)
        logits = getattr(output, "logits", output)  # Hugging Face wraps them
        if not isinstance(logits, Tensor) or logits.shape != (
            len(inputs),
            self.classes,
        ):
            got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits)
            raise InputError(
                f"the model must return one row of {self.classes} logits a draw, "
                f"({len(inputs)}, {self.classes}), but returned {got}"
            )
        return logits


@dataclass(frozen=True)
class _Chunk:
    row: int
    draws: int
    first: bool


def _stages(rows: int, block: int, *, capacity: int) -> Iterator[list[_Chunk]]:
    """Group the chunks of a task's blocks into fills of the input buffer."""
    stage: list[_Chunk] = []
    room = capacity
    for row in range(rows):
        for start in range(0, block, CHUNK):
            chunk = _Chunk(row, min(CHUNK, block - start), first=start == 0)
            if chunk.draws > room:
                yield stage
                stage, room = [], capacity
            stage.append(chunk)
            room -= chunk.draws
    yield stage


def _accumulate(
    logits: Float[Tensor, "draws classes"],
    row: Int[Tensor, " draws"],
    counts: Int[Tensor, " cells"],
    sums: Float[Tensor, "blocks classes"],
    squares: Float[Tensor, "blocks classes"],
) -> None:
    """Add one forward pass. A draw with a non-finite logit adds to no class."""
    wide = logits.double()
    valid = wide.isfinite().all(dim=1)
    wide = torch.where(valid[:, None], wide, 0.0)
    cell = row * sums.shape[1] + wide.argmax(dim=1)
    counts.index_add_(0, cell, valid.long())
    scores = wide.softmax(dim=1).mul_(SCORE_GRID).floor_().div_(SCORE_GRID)
    scores.mul_(valid[:, None])
    sums.index_add_(0, row, scores)
    floored = scores.square().mul_(SCORE_GRID).floor_().div_(SCORE_GRID)
    squares.index_add_(0, row, floored)


def _to_rows(
    pending: list[tuple[Task, Tensor, Tensor, Tensor]],
    indices: Int[np.ndarray, " images"],
) -> VoteRows:
    tasks, counts, sums, squares = zip(*pending, strict=True)
    return VoteRows(
        images=np.concatenate([indices[task.positions] for task in tasks]),
        blocks=np.concatenate([task.blocks for task in tasks]),
        counts=torch.cat(counts).cpu().numpy(),
        score_sums=torch.cat(sums).cpu().numpy(),
        score_squares=torch.cat(squares).cpu().numpy(),
    )
