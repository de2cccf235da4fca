"""One training run in several processes, which torchrun starts and restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from simplicert.machine.workers import share_of_this_process


@dataclass(frozen=True)
class Processes:
    """The processes that train together, seen from one of them.

    Attributes:
        rank: Which this is.
        world: How many there are.
    """

    rank: int = 0
    world: int = 1

    def wrap(self, model: nn.Module) -> nn.Module:
        """The same network, whose gradients are averaged over the processes."""
        if self.world == 1:
            return model
        return DistributedDataParallel(model)

    def total(self, *amounts: Tensor) -> None:
        """Replace each tensor by its sum over the processes."""
        if self.world > 1:
            for amount in amounts:
                distributed.all_reduce(amount)

    def agree_on(self, number: int, *, device: torch.device) -> bool:
        """Whether all processes, which wait for each other here, have this number."""
        ends = torch.tensor([number, -number], device=device)
        if self.world > 1:
            distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        return int(ends.sum()) == 0  # the largest is the smallest


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the other processes of torchrun, if it started this one."""
    share = share_of_this_process()
    if share is None:
        yield Processes()
        return
    on_gpu = device.type == "cuda"
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo", device_id=device if on_gpu else None
    )
    try:
        yield Processes(*share)
    finally:
        distributed.destroy_process_group()
