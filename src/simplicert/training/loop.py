"""The training loop: Gaussian noise augmentation (Cohen, Rosenfeld and Kolter 2019)."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from simplicert.data import Dataset
from simplicert.data.encoded import with_random_cuts
from simplicert.data.memory import keep_in_memory
from simplicert.errors import InputError
from simplicert.models import Metadata, build_model
from simplicert.training.accuracy import Tally, measure_accuracy
from simplicert.training.augment import AUGMENTATIONS
from simplicert.training.batches import batches
from simplicert.training.progress import Progress, Watcher, ignore
from simplicert.training.recipe import Recipe


def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    validation: Dataset | None = None,
    device: str | None = None,
    workers: int = 0,
    progress: Watcher = ignore,
) -> tuple[nn.Module, Metadata]:
    """Train a network to classify images under Gaussian noise.

    Every time an image is seen it gets fresh noise. On one kind of CPU, with
    ``threads`` in the recipe, the weights depend on recipe and data alone, bit for bit.
    The global random state is left as it was.

    Args:
        dataset: Labelled training images.
        recipe: What to train, and how.
        validation: Labelled images to measure the finished network on.
        device: Where to train, as torch names it; by default a GPU if there is one.
        workers: Processes that read images ahead; 0 reads them in this one.
        progress: Called after every step.

    Returns:
        The network in eval mode, on the CPU, and what a checkpoint should say about
        it: the two arguments of ``save_checkpoint``.

    Raises:
        InputError: If the images have no labels, or do not fit the recipe.

    Example:
        >>> from simplicert.data import load_dataset
        >>> from simplicert.training import load_recipe
        >>> digits = load_dataset("digits", split="train")
        >>> short = load_recipe("digits", sigma=0.25, epochs=2)
        >>> model, metadata = train(digits, short)
        >>> metadata.architecture, metadata.sigma
        ('small-cnn', 0.25)
    """
    if validation is not None and (validation.shape, validation.class_names) != (
        dataset.shape,
        dataset.class_names,
    ):
        raise InputError(
            f"validation images have shape {validation.shape} and "
            f"{len(validation.class_names)} classes, training images {dataset.shape} "
            f"and {len(dataset.class_names)}: they must be of one dataset"
        )
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = _fresh_model(dataset, recipe)
    # Convolutions run faster with the channels last; the numbers' meaning is the same.
    model.to(device=place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    source = dataset if "resized-crop" in recipe.augment else keep_in_memory(dataset)
    with _threads(recipe.threads):
        for epoch in range(recipe.epochs):
            train_epoch(
                model,
                optimiser,
                source,
                recipe,
                epoch=epoch,
                workers=workers,
                progress=progress,
            )
        accuracy = {
            f"{validation.split}_{key}": measure_accuracy(
                model, validation, sigma=sigma, seed=recipe.seed, workers=workers
            )
            for key, sigma in {"clean": 0.0, "noisy": recipe.sigma}.items()
            if validation is not None
        }
    model.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return model.eval(), _describe(dataset, recipe, accuracy)


def train_epoch(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    dataset: Dataset,
    recipe: Recipe,
    *,
    epoch: int,
    workers: int = 0,
    progress: Watcher = ignore,
) -> None:
    """One pass over the training images, in an order and with noise of its own."""
    model.train()
    device = next(model.parameters()).device
    # The seed belongs to the epoch, so it does not matter what ran before it.
    seed = epoch_seed(recipe.seed, epoch)
    order = np.random.default_rng(seed).permutation(len(dataset))
    generator = torch.Generator(device).manual_seed(seed)
    if "resized-crop" in recipe.augment:
        dataset = with_random_cuts(dataset, seed=seed)
    seen, start = Tally(), time.monotonic()
    for clean, targets in batches(
        dataset, order, size=recipe.batch_size, workers=workers
    ):
        rate = recipe.rate(epoch + seen.images / len(dataset))
        for group in optimiser.param_groups:
            group["lr"] = rate
        images, labels = clean.to(device), targets.to(device)
        for name, augment in AUGMENTATIONS.items():
            if name in recipe.augment:
                images = augment(images, generator=generator)
        noise = torch.randn(images.shape, generator=generator, device=device)
        with torch.autocast(
            device.type, torch.bfloat16, enabled=recipe.precision == "bf16"
        ):
            logits = model(images + recipe.sigma * noise)
        loss = cross_entropy(logits.float(), labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

        seen.add(logits.detach(), labels, loss.item())
        progress(
            Progress(
                epoch=epoch + 1,
                epochs=recipe.epochs,
                images=seen.images,
                images_total=len(dataset),
                loss=seen.loss,
                accuracy=seen.accuracy,
                learning_rate=rate,
                images_per_second=seen.images / (time.monotonic() - start),
            )
        )


def epoch_seed(run_seed: int, epoch: int) -> int:
    """Seed of one epoch's order, augmentation and noise."""
    sequence = np.random.SeedSequence(run_seed, spawn_key=(epoch,))
    return int(sequence.generate_state(1, np.uint64)[0])


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _fresh_model(dataset: Dataset, recipe: Recipe) -> nn.Module:
    """The recipe's network; its initial weights are the only use of a global state."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(recipe.seed)
        return build_model(
            recipe.architecture, shape=dataset.shape, classes=len(dataset.class_names)
        )


def _describe(dataset: Dataset, recipe: Recipe, accuracy: dict[str, float]) -> Metadata:
    packages = ("simplicert", "torch", "numpy")
    return Metadata(
        architecture=recipe.architecture,
        shape=dataset.shape,
        class_names=dataset.class_names,
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        sigma=recipe.sigma,
        recipe=recipe.model_dump(mode="json"),
        accuracy=accuracy,
        versions={"python": platform.python_version()}
        | {package: version(package) for package in packages},
    )
