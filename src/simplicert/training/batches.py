"""Batches of a dataset, read ahead by worker processes if there are any."""

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from simplicert.data import Dataset
from simplicert.errors import InputError


def batches(
    dataset: Dataset, order: np.ndarray, *, size: int, workers: int = 0
) -> Iterable[tuple[Tensor, Tensor]]:
    """Images in [0, 1] and labels, ``size`` at a time; the last may be fewer.

    Raises:
        InputError: If the images have no labels.
    """
    if dataset.labels is None:
        raise InputError(
            f"dataset {dataset.name!r}, split {dataset.split!r} has no labels: "
            "training and accuracy need them"
        )
    return DataLoader(
        _Batches(dataset, torch.from_numpy(dataset.labels), order, size),
        batch_size=None,  # they are batches already
        num_workers=workers,
        generator=torch.Generator(),  # or it would draw from the global one
    )


class _Batches(TorchDataset[tuple[Tensor, Tensor]]):
    def __init__(
        self, dataset: Dataset, labels: Tensor, order: np.ndarray, size: int
    ) -> None:
        self._dataset = dataset
        self._labels = labels
        self._order = order
        self._size = size

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._size)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if index >= len(self):
            raise IndexError(index)
        positions = self._order[index * self._size : (index + 1) * self._size]
        images = torch.from_numpy(self._dataset.read(positions))
        return images, self._labels[positions]
