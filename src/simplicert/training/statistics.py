"""Batch-norm statistics that do not depend on who computes a step's shares."""

import torch
from torch import nn

from simplicert.training.processes import Processes

_NAMES = ("running_mean", "running_var", "num_batches_tracked")


class Statistics:
    """Moves a network's batch-norm statistics once a step: to the mean over its shares.

    Left alone they would move once a share, in one process after the other's.

    Args:
        model: The network; the same in all processes.
        shares: Of a step.
        processes: That divide them.
    """

    def __init__(self, model: nn.Module, shares: int, processes: Processes) -> None:
        buffers = [b for name, b in model.named_buffers() if name.endswith(_NAMES)]
        self._buffers = buffers if shares > 1 else []
        self._shares, self._processes = shares, processes
        if self._buffers:
            self._before = self._now()
            self._sum = torch.zeros_like(self._before)

    def end_share(self, *, last: bool) -> None:
        """Start each share of a step from the same statistics; ``last`` ends the step.

        To be called after the backward pass, which still needs them.
        """
        if not self._buffers:
            return
        self._sum += self._now()
        if last:
            self._processes.total(self._sum)
            self._before = self._sum / self._shares
            self._sum.zero_()
        sizes = [buffer.numel() for buffer in self._buffers]
        values = torch.split(self._before, sizes)
        for buffer, value in zip(self._buffers, values, strict=True):
            buffer.copy_(value.view_as(buffer))

    def _now(self) -> torch.Tensor:
        return torch.cat([buffer.float().flatten() for buffer in self._buffers])
