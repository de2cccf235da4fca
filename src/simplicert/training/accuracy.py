"""How well a network classifies, under noise."""

import numpy as np
import torch
from torch import Tensor, nn

from simplicert.data import Dataset
from simplicert.training.batches import batches
from simplicert.training.methods.base import noisy_copies
from simplicert.training.processes import Processes
from simplicert.training.seeds import piece_seed

_BATCH = 500


@torch.inference_mode()
def measure_accuracy(
    model: nn.Module,
    dataset: Dataset,
    *,
    sigma: float,
    seed: int,
    readers: int = 0,
    processes: Processes = Processes(),  # noqa: B008 (frozen)
) -> float:
    """Share of images classified correctly, in [0, 1], each under one draw of noise.

    The noise depends on ``seed`` alone, whatever the number of processes; each of them
    measures its part, and all return the whole.
    """
    model.eval()
    device = next(model.parameters()).device
    generator = torch.Generator(device)
    seen = Tally(device)
    starts = range(0, len(dataset), _BATCH)
    mine = starts[processes.rank :: processes.world]
    pieces = [np.arange(start, min(start + _BATCH, len(dataset))) for start in mine]
    read = batches(dataset, pieces, readers=readers, device=device)
    for start, (images, labels) in zip(mine, read, strict=True):
        generator.manual_seed(piece_seed(seed, start))
        noisy = noisy_copies(images, draws=1, sigma=sigma, generator=generator)
        seen.add(model(noisy), labels)
    processes.total(seen.totals)
    accuracy = seen.accuracy
    assert accuracy is not None  # all of them had logits
    return accuracy


class Tally:
    """Running mean loss and accuracy, kept on the device until they are asked for.

    Attributes:
        totals: Images, how many of them classified correctly, and their total loss.
    """

    def __init__(self, device: torch.device) -> None:
        # Float64 counts exactly, and a loss that is not finite stays in its sum.
        self._classified = True
        doubles = torch.float32 if device.type == "mps" else torch.float64
        self.totals = torch.zeros(3, dtype=doubles, device=device)

    def add(
        self, logits: Tensor | None, labels: Tensor, loss: Tensor | None = None
    ) -> None:
        """Count one batch, with its mean loss; without logits it has no accuracy."""
        count = len(labels)
        self.totals[0] += count
        if logits is None:
            self._classified = False
        else:
            self.totals[1] += (logits.argmax(dim=1) == labels).sum()
        if loss is not None:
            self.totals[2] += loss * count

    @property
    def accuracy(self) -> float | None:
        """Share classified correctly so far; ``None`` if that was not asked of all."""
        return float(self.totals[1] / self.totals[0]) if self._classified else None

    @property
    def loss(self) -> float:
        """Mean loss so far."""
        return float(self.totals[2] / self.totals[0])
