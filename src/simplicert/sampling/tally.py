"""Outputs of forward passes → votes and scores, added up on the device."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from simplicert.classifiers.outputs import Output, sum_tolerance
from simplicert.sampling.margins import Rivals, add_margins
from simplicert.votes.columns import CELLS, columns_of
from simplicert.votes.encoding import CHOSEN

# Scores are floored to multiples of 2**-32, so that sums over up to 2**21 draws are
# exact in float64: no order of addition, worker count or crash can change them. The
# floored scores are what is certified: they still lie in [0, 1] and sum to at most 1.
SCORE_GRID = 2.0**32


def statistics_of(output: Output) -> tuple[str, ...]:
    """What can be counted of such outputs: of labels, no scores."""
    return ("multinomial",) if output == "labels" else ("multinomial", "softmax")


class Tally:
    """Counts, score sums and sums of squares of some blocks, kept on the device.

    Args:
        rows: Number of blocks.
        classes: Number of classes.
        output: What is added.
        device: Where it is kept.
        temperature: Logits are divided by it before the softmax.
        margins: Whether ``count_margins`` will be asked for: then scores are kept.

    Attributes:
        columns: The evidence columns by name; of labels there are no soft scores.
        rivals: Whose margins were counted, of each row; ``None``: none were.
    """

    def __init__(
        self,
        rows: int,
        classes: int,
        *,
        output: Output,
        device: torch.device,
        temperature: float = 1.0,
        margins: bool = False,
    ) -> None:
        self._output, self._device = output, device
        self._temperature, self._margins = temperature, margins
        self._kept: list[tuple[Tensor, Tensor, Tensor]] = []
        self.rivals: Tensor | None = None
        self.columns = {
            column.name: torch.zeros(
                rows, classes, dtype=getattr(torch, column.dtype), device=device
            )
            for column in columns_of(statistics_of(output))
        }

    def add(
        self,
        outputs: Shaped[Tensor, "draws ..."],
        row: Int[Tensor, " draws"],
    ) -> None:
        """Add one forward pass.

        A draw with a non-finite logit, or with what no probabilities can be, adds to no
        class.
        """
        if self._output == "labels":
            self._count(outputs, row, torch.ones_like(outputs))
            return
        wide = outputs.double()
        total = wide.sum(dim=1)  # not finite if any entry is not
        if self._output == "logits":
            valid = total.isfinite()
            logits = wide
            if self._temperature != 1.0:  # none is to be divided to infinity
                logits = wide - wide.amax(dim=1, keepdim=True)
                logits = logits / self._temperature
            scores = logits.softmax(dim=1)
        else:
            # False for NaN. Rounded rows can sum to a little more than 1: divided by
            # their sum and floored, they sum to at most 1.
            limit = 1 + sum_tolerance(outputs.dtype)
            valid = (wide >= 0).all(dim=1) & (total <= limit)
            scores = wide / total.clamp(min=1)[:, None]
        self._count(wide.argmax(dim=1), row, valid.long())
        scores = scores.mul_(SCORE_GRID).floor_().div_(SCORE_GRID)
        scores = torch.where(valid[:, None], scores, 0.0)
        self.columns["score_sums"].index_add_(0, row, scores)
        if self._margins:
            self._kept.append((scores.clone(), valid, row))
        floored = scores.mul_(scores).mul_(SCORE_GRID).floor_().div_(SCORE_GRID)
        self.columns["score_squares"].index_add_(0, row, floored)

    def count_margins(
        self,
        rivals: Rivals,
        positions: Int[np.ndarray, " rows"],
        blocks: Int[np.ndarray, " rows"],
    ) -> None:
        """Count the margins of all that was added, and let the scores go.

        Args:
            rivals: Whose; what is not known yet is chosen by these draws.
            positions: Of each row's image in the run.
            blocks: Each row's number within its image.
        """
        sums = self.columns["score_sums"]
        self.rivals = rivals.choose(sums, positions, blocks)
        cells = self.rivals.shape[1] * CELLS
        self.columns["margins"] = torch.zeros(
            len(sums), cells, dtype=torch.int64, device=self._device
        )
        for scores, valid, row in self._kept:
            add_margins(self.columns["margins"], scores, valid, row, self.rivals)
        self._kept.clear()

    def send(self) -> None:
        """Begin to copy all to the host, beside what the device is asked next."""
        rivals = {} if self.rivals is None else {CHOSEN: self.rivals}
        self._sent = {
            name: column.to("cpu", non_blocking=True)
            for name, column in {**self.columns, **rivals}.items()
        }
        self._arrives: Any = None  # torch.cuda has no types here
        if self._device.type == "cuda":
            cuda: Any = torch.cuda
            self._arrives = cuda.current_stream(self._device).record_event()

    def received(self) -> dict[str, np.ndarray]:
        """What was sent, when it is there: the columns, and ``CHOSEN``."""
        if self._arrives is not None:
            self._arrives.synchronize()
        return {name: column.numpy() for name, column in self._sent.items()}

    def _count(
        self,
        label: Int[Tensor, " draws"],
        row: Int[Tensor, " draws"],
        votes: Int[Tensor, " draws"],
    ) -> None:
        counts = self.columns["counts"]
        cell = row * counts.shape[1] + label
        counts.view(-1).index_add_(0, cell, votes)
