"""One pass over the training images: the same steps whoever takes them."""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import monotonic

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from simplicert.data import Dataset
from simplicert.data.encoded import with_random_cuts
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES, is_lack_of_memory
from simplicert.training.accuracy import Tally
from simplicert.training.augment import AUGMENTATIONS
from simplicert.training.batches import batches
from simplicert.training.processes import Processes
from simplicert.training.progress import Progress, Watcher
from simplicert.training.recipe import Recipe
from simplicert.training.seeds import piece_seed
from simplicert.training.statistics import Statistics

# Progress waits for the device, which should not wait for it often.
_REPORT_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Share:
    """What is computed at once: a part of one step's images.

    Attributes:
        step: Of the epoch, from 0.
        number: Within the step.
        positions: Of its images.
        weight: Its part of the step's images.
        last: Whether it is this process's last of the step.
    """

    step: int
    number: int
    positions: Int[np.ndarray, " images"]
    weight: float
    last: bool


def check_division(shares: int, processes: int) -> None:
    """Refuse processes that would have unequal parts of a step.

    Raises:
        InputError: If they cannot divide its shares.
    """
    if shares % processes:
        raise InputError(
            f"{processes} processes cannot divide {shares} shares of a step equally: "
            f"give shares = {processes} or a multiple of it (it changes the weights "
            "slightly)"
        )


def shares_of_epoch(
    images: int, recipe: Recipe, *, epoch: int, processes: Processes
) -> list[Share]:
    """One process's work in an epoch.

    Which images make up a share depends on the recipe alone. A last step of fewer than
    two images a share is left out: batch norm has no variance of one.

    Raises:
        InputError: If the processes cannot share the steps equally.
    """
    count, world = recipe.shares, processes.world
    check_division(count, world)
    seed = piece_seed(recipe.seed, epoch)
    order = np.random.default_rng(seed).permutation(images)
    steps = range(0, images, recipe.batch_size)
    found: list[Share] = []
    for step, start in enumerate(steps):
        batch = order[start : start + recipe.batch_size]
        least = 2 * count if found else count
        if len(batch) < min(least, recipe.batch_size):
            break
        parts = np.array_split(batch, count)
        for number in range(processes.rank, count, world):
            found.append(
                Share(
                    step=step,
                    number=number,
                    positions=parts[number],
                    weight=len(parts[number]) / len(batch),
                    last=number + world >= count,
                )
            )
    if not found:
        raise InputError(
            f"{images} images are not enough for {count} shares: lower shares"
        )
    return found


@dataclass(kw_only=True)
class Epochs:
    """What one process trains with, epoch after epoch.

    Attributes:
        model: The network, on its device.
        network: The same, as it is called: perhaps with gradients averaged.
        optimiser: Of its weights.
        scaler: Of its losses; does nothing unless the precision is ``fp16``.
        dataset: Labelled images.
        recipe: How.
        processes: Who else trains it.
        readers: Processes that read images ahead.
        progress: Who watches.
    """

    model: nn.Module
    network: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    dataset: Dataset
    recipe: Recipe
    processes: Processes
    readers: int
    progress: Watcher

    def run(self, epoch: int) -> Tally:
        """Train for one epoch, from 0; returns what was seen of it, by all processes.

        Raises:
            InputError: If loss or weights are not finite.
        """
        recipe, dataset = self.recipe, self.dataset
        device = next(self.model.parameters()).device
        if "resized-crop" in recipe.augment:
            dataset = with_random_cuts(dataset, seed=piece_seed(recipe.seed, epoch))
        shares = shares_of_epoch(
            len(dataset), recipe, epoch=epoch, processes=self.processes
        )
        read = batches(
            dataset,
            [share.positions for share in shares],
            readers=self.readers,
            device=device,
        )
        self.network.train()
        statistics = Statistics(self.model, recipe.shares, self.processes)
        generator = torch.Generator(device)
        seen, begun, reported = Tally(device), monotonic(), -math.inf
        for share, (images, labels) in zip(shares, read, strict=True):
            seed = piece_seed(recipe.seed, epoch, share.step, share.number)
            generator.manual_seed(seed)
            time_passed = epoch + share.step * recipe.batch_size / len(dataset)
            try:
                loss, logits = self._descend(
                    images, labels, share=share, time=time_passed, generator=generator
                )
            except Exception as error:
                if not is_lack_of_memory(error):
                    raise
                raise InputError(
                    f"{len(images)} images at once do not fit into the memory of "
                    f"{device}: give more shares than {recipe.shares}"
                    + (", or fewer draws" if recipe.method.passes > 1 else "")
                ) from error
            statistics.end_share(last=share.last)
            seen.add(logits, labels, loss)
            now = monotonic()
            if share is shares[-1] or (
                share.last and (now - reported > _REPORT_SECONDS)
            ):
                self._report(epoch, share, seen, len(dataset), now - begun)
                reported = now
        self.processes.total(seen.totals)
        self._check_loss(seen.loss, epoch)
        # The last step shows in no loss of this epoch, and is about to be saved.
        if not all(weight.isfinite().all() for weight in self.model.parameters()):
            raise self._diverged("the weights became infinite", epoch)
        return seen

    def _descend(
        self,
        images: Tensor,
        labels: Tensor,
        *,
        share: Share,
        time: float,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor | None]:
        """Add a share's gradient, and take the step if it is its last: loss, logits."""
        recipe, network = self.recipe, self.network
        for name, augment in AUGMENTATIONS.items():
            if name in recipe.augment:
                images = augment(images, generator=generator)
        exchange: AbstractContextManager[None] = nullcontext()
        if isinstance(network, DistributedDataParallel) and not share.last:
            exchange = network.no_sync()  # once a step, in its last backward pass
        with exchange:
            with torch.autocast(
                images.device.type,
                DTYPES[recipe.precision],
                enabled=recipe.precision != "fp32",
            ):
                loss, logits = recipe.method.loss(
                    network,
                    images,
                    labels,
                    sigma=recipe.sigma,
                    done=time / recipe.epochs,
                    generator=generator,
                )
            # Processes' gradients are averaged, but the shares' are to be added.
            weighted = loss * (share.weight * self.processes.world)
            torch.autograd.backward(self.scaler.scale(weighted))
        if share.last:
            for group in self.optimiser.param_groups:
                group["lr"] = recipe.rate(time)
            self.scaler.step(self.optimiser)
            self.scaler.update()
            self.optimiser.zero_grad()
        return loss.detach(), None if logits is None else logits.detach()

    def _report(
        self, epoch: int, share: Share, seen: Tally, total: int, seconds: float
    ) -> None:
        images = min((share.step + 1) * self.recipe.batch_size, total)
        self._check_loss(seen.loss, epoch)
        self.progress(
            Progress(
                epoch=epoch + 1,
                epochs=self.recipe.epochs,
                images=images,
                images_total=total,
                loss=seen.loss,
                accuracy=seen.accuracy,
                learning_rate=self.optimiser.param_groups[0]["lr"],
                images_per_second=images / seconds,
            )
        )

    def _check_loss(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise self._diverged(f"the loss became {loss}", epoch)

    def _diverged(self, what: str, epoch: int) -> InputError:
        recipe = self.recipe
        return InputError(
            f"{what} in epoch {epoch + 1} of {recipe.epochs}, and would again with "
            "this recipe. Start anew with a lower learning_rate (it is "
            f"{recipe.learning_rate:g}), warmup_epochs = 1 or more"
            + ("" if recipe.precision == "fp32" else ", or precision = fp32")
            + "; what was saved before is kept"
        )
