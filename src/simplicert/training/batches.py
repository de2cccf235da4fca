"""Pieces of a dataset, read ahead by worker processes if there are any."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from simplicert.data import Dataset
from simplicert.errors import InputError


def batches(
    dataset: Dataset,
    pieces: Sequence[np.ndarray],
    *,
    device: torch.device,
    readers: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Images in [0, 1] and labels on ``device``, a piece of the dataset at a time.

    Args:
        dataset: The whole.
        pieces: Positions in it.
        device: Where the images are wanted.
        readers: Processes that read ahead; 0 reads in this one.

    Raises:
        InputError: If the images have no labels.
    """
    if dataset.labels is None:
        raise InputError(
            f"dataset {dataset.name!r}, split {dataset.split!r} has no labels: "
            "training and accuracy need them"
        )
    loader = DataLoader(
        _Pieces(dataset, torch.from_numpy(dataset.labels), pieces),
        batch_size=None,  # they are batches already
        num_workers=readers,
        pin_memory=device.type == "cuda",  # then copies overlap with the computation
        generator=torch.Generator(),  # or it would draw from the global one
    )
    for piece in loader:
        if isinstance(piece, InputError):
            raise piece
        images, labels = piece
        yield (
            images.to(device, non_blocking=True),
            labels.to(device, non_blocking=True),
        )


class _Pieces(TorchDataset[tuple[Tensor, Tensor] | InputError]):
    def __init__(
        self, dataset: Dataset, labels: Tensor, pieces: Sequence[np.ndarray]
    ) -> None:
        self._dataset = dataset
        self._labels = labels
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor] | InputError:
        if index >= len(self):
            raise IndexError(index)
        positions = self._pieces[index]
        try:
            images = torch.from_numpy(self._dataset.read(positions))
        except InputError as error:  # raised, it would come with a worker's traceback
            return error
        return images, self._labels[positions]
