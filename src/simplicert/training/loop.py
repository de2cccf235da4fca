"""The training loop: stochastic gradient descent under noise, epoch by epoch."""

import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn
from torch.backends import cudnn

from simplicert.data import Dataset
from simplicert.data.memory import keep_in_memory
from simplicert.errors import InputError
from simplicert.machine.allocator import keep_freed_memory
from simplicert.machine.device import DTYPES, cpu_threads, usable_device
from simplicert.models import Metadata, build_model
from simplicert.training.accuracy import measure_accuracy
from simplicert.training.epoch import Epochs
from simplicert.training.processes import joined
from simplicert.training.progress import Watcher, ignore
from simplicert.training.recipe import Recipe
from simplicert.training.state import EpochRecord, TrainingState

# Epochs shorter than that are saved together: writing would take longer than they.
_SAVE_SECONDS = 1.0


def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    validation: Dataset | None = None,
    state: Path | None = None,
    device: str | None = None,
    compiled: bool = False,
    readers: int = 0,
    progress: Watcher = ignore,
) -> tuple[nn.Module, Metadata]:
    """Train a network to classify images under Gaussian noise, or to remove it.

    Every time an image is seen it gets fresh noise. On one kind of CPU, with
    ``threads`` in the recipe, the weights depend on recipe and data alone, bit for bit,
    also if the run was stopped and resumed. Under torchrun the processes divide every
    step's shares. The global random state is left as it was.

    Args:
        dataset: Labelled training images.
        recipe: What to train, and how.
        validation: Labelled images to measure accuracy on, under noise, after each
            epoch.
        state: File that keeps the run after every epoch, or every second if they are
            shorter, and from which it goes on; the log is written beside it as
            ``.csv``. None keeps nothing.
        device: Where to train, as torch names it; by default a GPU if there is one.
        compiled: Compile the network first: minutes, for a faster run on a GPU.
        readers: Processes that read images ahead; 0 reads them in this one.
        progress: Called now and then, and at the end of every epoch.

    Returns:
        The network in eval mode, on the CPU, and what a checkpoint should say about
        it: the two arguments of ``save_checkpoint``.

    Raises:
        InputError: If the images have no labels, or do not fit the recipe; if the state
            is of another run or cannot be written; or if loss or weights are not
            finite.

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
    recipe = recipe.resolved(dataset)
    where = usable_device(device)
    with ExitStack() as stack:
        stack.enter_context(_tuned(where, recipe.threads))
        processes = stack.enter_context(joined(where))
        model, optimiser = _fresh_model(dataset, recipe, where)
        scaler = torch.amp.GradScaler(where.type, enabled=recipe.precision == "fp16")
        kept = state and TrainingState(state, recipe, dataset)
        log = kept.restore(model, optimiser, scaler) if kept else []
        if not processes.agree_on(len(log), device=where):
            raise InputError(
                f"the processes read different states of the run: put {state} on a "
                "disk that they all share"
            )
        network = model
        if compiled:
            # On a GPU launching a small network's kernels takes longer than they do:
            # CUDA graphs launch them at once. They use their memory again at the next
            # pass, so they are not for gradients that are added up or exchanged.
            mode = "reduce-overhead" if recipe.shares == 1 else None
            network = torch.compile(model, mode=mode)  # type: ignore[assignment]  # its stubs know functions only
        epochs = Epochs(
            model=model,
            network=processes.wrap(network),
            optimiser=optimiser,
            scaler=scaler,
            dataset=(
                dataset if "resized-crop" in recipe.augment else keep_in_memory(dataset)
            ),
            recipe=recipe,
            processes=processes,
            readers=readers,
            progress=progress,
        )
        classifier = recipe.method.classifying(model)
        if classifier is None:  # and so nothing to measure
            validation = None
        measure = partial(
            measure_accuracy,
            classifier or model,
            sigma=recipe.sigma,
            seed=recipe.seed,
            readers=readers,
            processes=processes,
        )
        if validation is not None:
            validation = keep_in_memory(validation)  # what is damaged shows now
        saved = time.monotonic()
        for epoch in range(len(log), recipe.epochs):
            begun = time.monotonic()
            seen = epochs.run(epoch)
            trained = time.monotonic()
            accuracy = None if validation is None else measure(validation)
            log.append(
                EpochRecord(
                    epoch=epoch + 1,
                    learning_rate=optimiser.param_groups[0]["lr"],
                    loss=seen.loss,
                    accuracy=seen.accuracy,
                    validation_accuracy=accuracy,
                    images_per_second=float(seen.totals[0]) / (trained - begun),
                    seconds=time.monotonic() - begun,
                )
            )
            due = time.monotonic() - saved > _SAVE_SECONDS or len(log) == recipe.epochs
            if kept and processes.rank == 0 and due:
                kept.save(model, optimiser, scaler, log)
                saved = time.monotonic()
        model.to(DTYPES[recipe.stored]).float()  # what is measured is what is stored
        accuracies = {
            f"{validation.split}_{key}": measure(validation, sigma=sigma)
            for key, sigma in {"clean": 0.0, "noisy": recipe.sigma}.items()
            if validation is not None
        }
    model.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return model.eval(), _describe(dataset, recipe, accuracies)


@contextmanager
def _tuned(device: torch.device, threads: int | None) -> Iterator[None]:
    """Settings of the process that make it fast, until training ends."""
    keep_freed_memory()
    # Shapes repeat, so the fastest convolutions are worth a search on a GPU. Not the
    # default of ``enabled``, which is False.
    with (
        cpu_threads(threads),
        cudnn.flags(enabled=cudnn.enabled, benchmark=device.type == "cuda"),
    ):
        yield


def _fresh_model(
    dataset: Dataset, recipe: Recipe, device: torch.device
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The recipe's network and optimiser; the only use of a global random state."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(recipe.seed)
        model = build_model(
            recipe.architecture, shape=dataset.shape, classes=len(dataset.class_names)
        )
    # Convolutions run faster with the channels last; the numbers' meaning is the same.
    model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    return model, optimiser


def _describe(dataset: Dataset, recipe: Recipe, accuracy: dict[str, float]) -> Metadata:
    packages = ("simplicert", "torch", "numpy")
    return Metadata(
        architecture=recipe.architecture,
        shape=dataset.shape,
        class_names=() if recipe.method.denoises else dataset.class_names,
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        sigma=recipe.sigma,
        recipe=recipe.model_dump(mode="json"),
        accuracy=accuracy,
        versions={"python": platform.python_version()}
        | {package: version(package) for package in packages},
    )
