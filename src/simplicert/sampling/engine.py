"""The draw loop: noise, forward pass, count. Everything stays on the device."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from simplicert.classifiers.outputs import Forward, Output, outputs_of
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.noises import FLOAT32, Noise
from simplicert.sampling.float32 import Float32Inputs
from simplicert.sampling.margins import Rivals
from simplicert.sampling.noisy import NoisyInputs, chunk_draws, stages
from simplicert.sampling.tally import Tally
from simplicert.votes import Manifest
from simplicert.votes.encoding import CHOSEN
from simplicert.votes.rows import VoteRows

# Results wait on the device for this many tasks, so that the host rarely waits for it.
PENDING_TASKS = 16
PENDING_SECONDS = 1.0

# Noise is made ready for about so many values, or for one batch if that is more.
_BUFFER_VALUES = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Task:
    """Whole blocks drawn together; the same ones in every worker and resumption.

    Attributes:
        positions: Position in the run of each block's image.
        blocks: Each block's number within its image.
    """

    positions: Int[np.ndarray, " rows"]
    blocks: Int[np.ndarray, " rows"]


class Tasks(Sequence[Task]):
    """A run divided into tasks of about one batch, image by image, block by block.

    The division depends on the run's manifest alone, hence so does the company that a
    draw has in its forward pass. Tasks are made when asked for: there can be millions.

    Tasks are shared out by *lanes*: of most runs each is one. Where an image's first
    block chooses what the others count, a lane has whole images, and one worker, which
    comes to the first block first.

    Args:
        plan: The run's manifest.
        share: ``(rank, world)``: every ``world``-th lane, from the ``rank``-th.
    """

    def __init__(self, plan: Manifest, *, share: tuple[int, int] = (0, 1)) -> None:
        self._blocks, self._total = plan.blocks, len(plan.images) * plan.blocks
        assert plan.block is not None  # else images are drawn in rounds
        self._group = self._lane = max(1, plan.batch // plan.block)
        if plan.margins is not None:
            self._lane = max(1, self._group // plan.blocks) * plan.blocks
        self._pieces = -(-self._lane // self._group)  # of a lane, each a task
        rank, world = share
        self._lanes = range(-(-self._total // self._lane))[rank::world]

    def __len__(self) -> int:
        return len(self._lanes) * self._pieces

    def missing(
        self, done: Bool[np.ndarray, "images blocks"]
    ) -> Int[np.ndarray, " tasks"]:
        """Which tasks have blocks that are not done."""
        lanes = np.arange(0, self._total, self._lane)[:, None]
        starts = lanes + np.arange(self._pieces) * self._group
        complete = np.logical_and.reduceat(done.ravel(), starts.ravel())
        mine = complete.reshape(starts.shape)[self._lanes.start :: self._lanes.step]
        return np.flatnonzero(~mine)

    def count_blocks(self, tasks: Int[np.ndarray, " tasks"]) -> int:
        """How many blocks these tasks hold."""
        starts, ends = self._ends_of(tasks)
        return int((ends - starts).sum())

    def __getitem__(self, index: Any) -> Any:  # a slice is not needed, and not given
        start, end = self._ends_of(range(len(self))[index])
        flat = np.arange(start, end)
        return Task(positions=flat // self._blocks, blocks=flat % self._blocks)

    def _ends_of(self, tasks: Any) -> tuple[Any, Any]:
        lane = (self._lanes.start + self._lanes.step * (tasks // self._pieces)) * (
            self._lane
        )
        start = lane + tasks % self._pieces * self._group
        end = np.minimum(start + self._group, lane + self._lane)
        return start, np.minimum(end, self._total)


def buffer_draws(shape: Sequence[int], batch: int) -> int:
    """For how many draws noise is made at a time.

    Several batches where images are small, so that forward passes follow each other
    without a pause; whole batches, and at least a chunk.

    Example:
        >>> [buffer_draws((3, side, side), 100) for side in (32, 224)]
        [1300, 100]
    """
    batches = max(1, _BUFFER_VALUES // (math.prod(shape) * batch))
    return max(chunk_draws(shape), batches * batch)


class Drawer:
    """Draws tasks: what one process keeps meanwhile, the model, the batch, the buffer.

    Args:
        forward: Noisy batch → outputs, on ``device``.
        read: Positions in the run → images, in [0, 1].
        plan: The run's conditions. Its batch is halved where memory does not suffice.
        noise: What is added.
        output: What ``forward`` returns.
        device: Where everything happens.
        heard: Told of each pass's inputs and outputs.
        rivals: Whose margins stored rows have, if the plan has margins.
    """

    def __init__(
        self,
        forward: Forward,
        read: Callable[[Int[np.ndarray, " n"]], np.ndarray],
        plan: Manifest,
        *,
        noise: Noise,
        output: Output,
        device: torch.device,
        heard: Callable[[Tensor, Tensor], None] | None = None,
        rivals: Int[np.ndarray, "images chosen"] | None = None,
    ) -> None:
        self.forward, self.read, self.plan, self.noise = forward, read, plan, noise
        self.output, self.device, self.heard = output, device, heard
        self.batch = plan.batch
        self.noisy: NoisyInputs | Float32Inputs | None = None
        self._rivals: Rivals | None = None
        if plan.margins is not None:
            self._rivals = Rivals(plan, device=device, known=rivals)
        self._indices = np.array(plan.images)
        self._images, self._held = torch.empty(0), np.empty(0, dtype=np.int64)
        self._begun, self._since = 0, time.monotonic()

    def votes(self, tasks: Iterable[Task]) -> Iterator[VoteRows]:
        """Draw each task's votes.

        Yields:
            The votes of one or more tasks, after as many or a second: nothing is waited
            for before.

        Raises:
            InputError: The model raises, or does not return one row of ``classes`` a
                draw; or one draw does not fit into memory.
        """
        pending: list[tuple[Task, Tally]] = []
        for task in tasks:
            try:
                pending.append((task, self.begin(task)))
            except (Exception, KeyboardInterrupt):
                if pending:  # drawn and paid for
                    yield self.fetch(pending)
                raise
            late = time.monotonic() - self._since > PENDING_SECONDS
            if late or len(pending) == PENDING_TASKS:
                yield self.fetch(pending)
                pending = []
        if pending:
            yield self.fetch(pending)

    def begin(self, task: Task) -> Tally:
        """Ask for a task; its votes are there when the device has come to it."""
        if self._begun == 0:  # what was done in between is nobody's
            self._since = time.monotonic()
        self._begun += 1
        needed = np.unique(task.positions)
        # An image spans many tasks: it is read once.
        if not np.isin(needed, self._held).all():
            self._images, self._held = torch.from_numpy(self.read(needed)), needed
        slots = np.searchsorted(self._held, task.positions).tolist()
        own = [self._images[slot] for slot in slots]
        images = self._indices[task.positions].tolist()
        blocks = list(zip(images, task.blocks.tolist(), strict=True))
        while (tally := self.draw(blocks, own)) is None:
            self.shrink()
        if self._rivals is not None:
            with torch.inference_mode():
                tally.count_margins(self._rivals, task.positions, task.blocks)
        tally.send()
        return tally

    def fetch(self, begun: Sequence[tuple[Task, Tally]]) -> VoteRows:
        """Wait for tasks that were begun; the time since the last fetch is theirs."""
        tasks, tallies = zip(*begun, strict=True)

        sent = [tally.received() for tally in tallies]
        columns = {
            name: np.concatenate([each[name] for each in sent]) for name in sent[0]
        }
        rivals = columns.pop(CHOSEN, None)
        blocks = np.concatenate([task.blocks for task in tasks])
        draws, before = self.plan.draws_in(blocks), self._since
        self._begun, self._since = self._begun - len(begun), time.monotonic()
        return VoteRows(
            images=self._indices[np.concatenate([task.positions for task in tasks])],
            blocks=blocks,
            columns=columns,
            rivals=rivals,
            draw_seconds=(self._since - before) * draws / draws.sum(),
        )

    def shrink(self) -> None:
        """Halve the batch, after memory did not suffice."""
        if self.batch == 1:
            raise too_large(self.plan, self.device)
        self.batch //= 2
        self.noisy = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def draw(
        self, blocks: list[tuple[int, int]], images: list[Float[Tensor, "..."]]
    ) -> Tally | None:
        """The votes of a task, or ``None`` if it does not fit into memory.

        Args:
            blocks: Of each row, which image's and its number there.
            images: Of each row, in memory.

        Nothing here waits for a GPU: the host stays ahead of it by some batches.
        """
        tally = Tally(
            len(images),
            self.plan.classes,
            output=self.output,
            device=self.device,
            temperature=self.plan.temperature,
            margins=self._rivals is not None,
        )
        try:
            sizes = self.plan.draws_in(np.array([block for _, block in blocks]))
            done = 0
            # Draws come block by block.
            rows = torch.repeat_interleave(
                torch.arange(len(blocks), device=self.device),
                torch.from_numpy(sizes).to(self.device, non_blocking=True),
                output_size=int(sizes.sum()),
            )
            for inputs in self._noisy(blocks, images):
                outputs = [
                    self._pass(batch) for batch in torch.split(inputs, self.batch)
                ]
                tally.add(torch.cat(outputs), rows[done : done + len(inputs)])
                done += len(inputs)
        except torch.OutOfMemoryError:
            return None
        return tally

    def _pass(self, inputs: Tensor) -> Tensor:
        outputs = outputs_of(
            self.forward,
            inputs,
            name=self.plan.model.name,
            output=self.output,
            classes=self.plan.classes,
        ).clone()  # a classifier may write every answer to one buffer
        if self.heard is not None:
            self.heard(inputs, outputs)
        return outputs

    def _noisy(
        self, blocks: list[tuple[int, int]], images: list[Float[Tensor, "..."]]
    ) -> Iterator[Float[Tensor, "draws ..."]]:
        """Noisy copies of all rows one after another, as many as fit a buffer."""
        if self.noisy is None:
            old = self.plan.noise.name in FLOAT32
            shape = images[0].shape
            self.noisy = (Float32Inputs if old else NoisyInputs)(
                shape,
                noise=FLOAT32[self.plan.noise.name] if old else self.noise,
                capacity=buffer_draws(shape, self.batch),
                sigma=self.plan.sigma,
                dtype=DTYPES[self.plan.precision],
                device=self.device,
            )
        chunks = [
            chunk
            for row, (image, block) in enumerate(blocks)
            for chunk in self.noisy.chunks(self.plan, row, image=image, block=block)
        ]
        for stage in stages(chunks, capacity=self.noisy.capacity):
            yield self.noisy.fill(stage, images)


def too_large(plan: Manifest, device: torch.device) -> InputError:
    """The error where even a batch of one does not fit."""
    return InputError(
        f"one noisy image of shape {tuple(plan.data.shape)} does not fit into the "
        f"memory of {device}"
    )
