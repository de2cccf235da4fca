"""Histograms of margins, counted on the device, and whose margins they are."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from simplicert.votes import Manifest
from simplicert.votes.columns import CELLS

__all__ = ["Rivals", "add_margins", "margin_cells"]


def margin_cells(
    scores: Float[Tensor, "draws classes"], rivals: Int[Tensor, "draws chosen"]
) -> Int[Tensor, "draws histograms"]:
    """``votes.rivals.cells_of`` on a device, each draw with rivals of its own."""
    chosen = scores.gather(1, rivals)
    rest = scores.scatter(1, rivals, -1.0).amax(dim=1, keepdim=True)
    margins = chosen[:, :1] - torch.cat([chosen[:, 1:], rest], dim=1)
    cells: Tensor = margins.add_(1.0).mul_(CELLS // 2).floor_().long()
    return cells.clamp_(max=CELLS - 1)


class Rivals:
    """Of each image of a run the class and the rivals whose margins are counted.

    The first block of an image chooses them: the class with the largest sum of scores,
    and those that come next. Nothing here waits for the device.

    Args:
        plan: The run's manifest; it has margins.
        device: Where they are kept.
        known: Those of images that have rows already, in the run's order; -1 of others.
            What once was chosen stays, also if the draws that chose were lost: other
            blocks have margins of these.
    """

    def __init__(
        self,
        plan: Manifest,
        *,
        device: torch.device,
        known: Int[np.ndarray, "images chosen"] | None = None,
    ) -> None:
        assert plan.margins is not None
        if known is None:
            shape = len(plan.images), plan.margins.rivals + 1
            known = np.full(shape, -1, dtype=np.int64)
        self._is_known = known[:, 0] >= 0
        self._chosen = torch.from_numpy(known).to(device, copy=True)

    def choose(
        self,
        sums: Float[Tensor, "rows classes"],
        positions: Int[np.ndarray, " rows"],
        blocks: Int[np.ndarray, " rows"],
    ) -> Int[Tensor, "rows chosen"]:
        """Those of each row's image; what is not known yet, its first block chooses.

        Args:
            sums: Of the scores of each row's draws.
            positions: Of its image in the run.
            blocks: Its number within the image.
        """
        device, count = self._chosen.device, self._chosen.shape[1]
        where = torch.from_numpy(positions).to(device, non_blocking=True)
        new = np.flatnonzero((blocks == 0) & ~self._is_known[positions])
        if len(new):
            at = torch.from_numpy(new).to(device, non_blocking=True)
            ordered = sums[at].argsort(dim=1, descending=True, stable=True)
            self._chosen[where[at]] = ordered[:, :count]
            self._is_known[positions[new]] = True
        assert self._is_known[positions].all(), "an image's first block comes first"
        return self._chosen[where]


def add_margins(
    histograms: Int[Tensor, "rows cells"],
    scores: Float[Tensor, "draws classes"],
    valid: Bool[Tensor, " draws"],
    row: Int[Tensor, " draws"],
    rivals: Int[Tensor, "rows chosen"],
) -> None:
    """Count the margins of draws; of those that are not valid, none."""
    cells = margin_cells(scores, rivals[row])
    each = cells.shape[1]
    number = row[:, None] * each + torch.arange(each, device=row.device)
    counts = valid.long()[:, None].expand_as(cells)
    histograms.view(-1).index_add_(
        0, (number * CELLS + cells).reshape(-1), counts.reshape(-1)
    )
