"""How well a network classifies, under noise."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from simplicert.data import Dataset
from simplicert.training.batches import batches


@torch.inference_mode()
def measure_accuracy(
    model: nn.Module, dataset: Dataset, *, sigma: float, seed: int, workers: int = 0
) -> float:
    """Share of images classified correctly, in [0, 1], each under one draw of noise."""
    model.eval()
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    seen = Tally()
    order = np.arange(len(dataset))
    for clean, targets in batches(dataset, order, size=500, workers=workers):
        images, labels = clean.to(device), targets.to(device)
        noise = torch.randn(images.shape, generator=generator, device=device)
        seen.add(model(images + sigma * noise), labels)
    return seen.accuracy


@dataclass
class Tally:
    """Running mean loss and accuracy."""

    images: int = 0
    correct: int = 0
    total_loss: float = 0.0

    def add(self, logits: Tensor, labels: Tensor, loss: float = 0.0) -> None:
        """Count one batch, with its mean loss."""
        self.images += len(labels)
        self.correct += int((logits.argmax(dim=1) == labels).sum())
        self.total_loss += loss * len(labels)

    @property
    def accuracy(self) -> float:
        """Share classified correctly so far."""
        return self.correct / self.images

    @property
    def loss(self) -> float:
        """Mean loss so far."""
        return self.total_loss / self.images
