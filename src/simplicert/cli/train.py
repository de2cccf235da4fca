"""`simplicert train`: a recipe in, a checkpoint out."""

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from simplicert.cli.output import print_json
from simplicert.cli.printing import escaped, note, say
from simplicert.cli.progress import training_progress
from simplicert.cli.types import Whole
from simplicert.data import Dataset, load_dataset
from simplicert.errors import InputError
from simplicert.files import check_name, clear_leftovers
from simplicert.machine.locks import HeldError, held
from simplicert.machine.workers import (
    launch_workers,
    share_of_this_process,
    threads_each,
)
from simplicert.models import Metadata, load_checkpoint, save_checkpoint
from simplicert.structured import parse_toml
from simplicert.training import Recipe, load_recipe, train
from simplicert.training.epoch import check_division
from simplicert.training.progress import ignore
from simplicert.training.state import check_same_run


def train_command(
    recipe: str,
    /,
    *,
    data: Path | None = None,
    sigma: float | None = None,
    epochs: Whole | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    device: str | None = None,
    compiled: bool = False,
    processes: Whole = 1,
    readers: Whole = 0,
    corrupt: Literal["refuse", "skip"] = "refuse",
    json: bool = False,
) -> None:
    """Train a classifier under Gaussian noise, or a denoiser, from a recipe.

    Stop it at any instant; the same command goes on after the last whole epoch.

        simplicert train digits --sigma 0.5 -o digits.safetensors

        simplicert train imagenet-resnet50 --data imagenet \\
            --processes 2 --set batch_size=512 --set shares=2

    Args:
        recipe: The path of a .toml file, or a recipe built in: digits, fashion-mnist,
            cifar10-resnet20-cpu, cifar10-resnet110, cifar10-denoiser-cpu,
            imagenet-resnet50.
        data: Where the images are, for datasets that need files.
        sigma: Standard deviation of the noise, in pixels of [0, 1].
        epochs: Length of the run; the recipe's schedule is stretched to it.
        set_: Another field of the recipe, as in --set seed=1; repeatable. The method is
            --set method.name=gaussian, macer, smoothadv, consistency, denoise or
            FILE.py:CLASS.
        out: The checkpoint to write, by default RECIPE-sigma.safetensors. Beside it
            lie the log, .csv, and until it is written the state, .training.
        device: Where to train, as torch names it; by default a GPU if there is one.
        compiled: Compile the network first; takes minutes, pays on a GPU.
        processes: On this machine, restarted if one dies; they divide the recipe's
            shares. On several machines, start torchrun instead.
        readers: Processes that read images ahead; 0 reads them in this one.
        corrupt: Refuse images that cannot be decoded, or skip them and say which.
        json: Print all that the checkpoint says about itself, as JSON.
    """
    for option, number, least in (("processes", processes, 1), ("readers", readers, 0)):
        if number < least:
            raise InputError(f"--{option} must be at least {least}, got {number}")
    share = share_of_this_process()
    resolved = load_recipe(recipe, epochs=epochs, sigma=sigma, **_fields(set_))
    path = out or Path(f"{resolved.name}-{resolved.sigma:.2f}.safetensors")
    if path.suffix != ".safetensors":
        raise InputError(f"-o {path}: a checkpoint's name ends in .safetensors")
    check_name(path)
    if path.is_dir():
        raise InputError(f"-o {path}: there is a directory of that name")
    path.parent.mkdir(parents=True, exist_ok=True)  # fails before the training, if ever
    training, validation = (
        _dataset(resolved, data, split=split, corrupt=corrupt)
        for split in (resolved.train_split, resolved.validation_split)
    )
    said = [
        f"skipped {name}" for each in (training, validation) for name in each.skipped
    ]
    said += [f"data: {remark}" for remark in (*training.notes, *validation.notes)]
    for line in dict.fromkeys(said):
        note(line)
    resolved = resolved.resolved(training)
    metadata = trained_already(path, resolved, training)
    if metadata is None and processes > 1 and share is None:
        check_division(resolved.shares, processes)
        threads = resolved.threads or threads_each(processes, None) or 1
        launch_workers(sys.argv[1:], workers=processes, threads=threads)
        return
    state = path.with_suffix(".training")
    leads = share is None or share[0] == 0
    if metadata is None:
        only = _sole_trainer(path) if leads else nullcontext()
        with only, training_progress(escaped(resolved.name)) as progress:
            model, metadata = train(
                training,
                resolved,
                validation=validation,
                state=state,
                device=device,
                compiled=compiled,
                readers=readers,
                progress=progress if leads else ignore,
            )
            if leads:
                try:
                    save_checkpoint(path, model, metadata)
                except OSError as error:
                    raise InputError(
                        f"cannot write {path}: {error.strerror}. The trained state is "
                        f"kept in {state}: make room, and the same command writes it"
                    ) from error
                state.unlink(missing_ok=True)  # no other may have begun one
    if not leads:
        return
    state.unlink(missing_ok=True)
    if json:
        print_json(metadata.model_dump(mode="json"))
        return
    for measured, accuracy in metadata.accuracy.items():
        say(f"{measured.replace('_', ' ')} accuracy {accuracy:.1%}")
    say(f"wrote {path}")


@contextmanager
def _sole_trainer(path: Path) -> Iterator[None]:
    """Keep others from the checkpoint, its state and its log; clear what crashes left.

    Raises:
        InputError: If there is another already.
    """
    lock = path.with_suffix(".lock")
    try:
        with held(lock):
            for suffix in (".safetensors", ".training", ".csv"):
                clear_leftovers(path.with_suffix(suffix))
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except HeldError:
        raise InputError(
            f"another process is training {path}: wait for it, or write elsewhere with "
            "-o"
        ) from None


def trained_already(path: Path, recipe: Recipe, dataset: Dataset) -> Metadata | None:
    """What the checkpoint says that this command wrote before, if it has.

    Raises:
        InputError: If there is another file.
    """
    if not path.exists():
        return None
    _, metadata = load_checkpoint(path)
    check_same_run(
        path,
        dict(metadata.recipe),
        metadata.dataset_digest,
        recipe.model_dump(mode="json"),
        dataset.digest,
    )
    note(f"{path} is trained already: remove it to train again")
    return metadata


def _dataset(
    recipe: Recipe, data: Path | None, *, split: str, corrupt: Literal["refuse", "skip"]
) -> Dataset:
    """A split of the recipe's dataset, from ``data`` if it is given."""
    source = recipe.dataset if data is None else str(data)
    try:
        return load_dataset(source, split=split, size=recipe.size, corrupt=corrupt)
    except InputError as error:
        if data is None:
            raise InputError(
                f"recipe {recipe.name} needs the dataset {recipe.dataset!r}: {error}. "
                "Say where it is with --data DIR"
            ) from error
        raise


def _fields(assignments: tuple[str, ...]) -> dict[str, Any]:
    """Fields written as TOML, one ``key=value`` each; bare words are text."""
    fields: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment}: write it as FIELD=VALUE")
        field, dot, parameter = key.partition(".")
        if field in {"sigma", "epochs"}:
            raise InputError(f"--set {assignment}: it has an option, --{field}")
        if not dot:
            fields[field] = _value(value, assignment)
        elif isinstance(fields.setdefault(field, {}), dict):
            fields[field][parameter] = _value(value, assignment)
    return fields


def _value(text: str, assignment: str) -> Any:
    try:
        table = parse_toml(f"value = {text}", f"--set {assignment}")
    except InputError as error:
        if isinstance(error.__cause__, tomllib.TOMLDecodeError):
            return text
        raise
    return table["value"] if len(table) == 1 else text  # it had lines of its own
