"""`simplicert train`: a recipe in, a checkpoint out."""

import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from simplicert.cli.progress import training_progress
from simplicert.cli.types import Whole
from simplicert.data import Dataset, load_dataset
from simplicert.errors import InputError
from simplicert.models import save_checkpoint
from simplicert.training import Recipe, load_recipe, train


def train_command(
    recipe: str,
    /,
    *,
    data: Path | None = None,
    sigma: float | None = None,
    epochs: Whole | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    device: str | None = None,
    workers: Whole = 0,
    corrupt: Literal["refuse", "skip"] = "refuse",
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Train a network under Gaussian noise, from a recipe.

        simplicert train digits --sigma 0.5 -o digits.safetensors

    Args:
        recipe: A built-in recipe, or the path of a .toml file.
        data: Where the images are, for datasets that need files.
        sigma: Standard deviation of the noise, in pixels of [0, 1].
        epochs: Length of the run; the recipe's schedule is stretched to it.
        set_: Another field of the recipe, as in --set seed=1; repeatable.
        out: The checkpoint to write, by default RECIPE-sigma.safetensors.
        device: Where to train, as torch names it; by default a GPU if there is one.
        workers: Processes that read images ahead; 0 reads them in this one.
        corrupt: Refuse images that cannot be decoded, or skip them and say which.
        json: Print all that the checkpoint says about itself, as JSON.
    """
    resolved = load_recipe(recipe, epochs=epochs, sigma=sigma, **_fields(set_))
    path = out or Path(f"{resolved.name}-{resolved.sigma:.2f}.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)  # fails before the training, if ever
    training, validation = (
        _dataset(resolved, data, split=split, corrupt=corrupt)
        for split in (resolved.train_split, resolved.validation_split)
    )
    for name in (*training.skipped, *validation.skipped):
        print(f"skipped {name}", file=sys.stderr)
    with training_progress(resolved.name) as progress:
        model, metadata = train(
            training,
            resolved,
            validation=validation,
            device=device,
            workers=workers,
            progress=progress,
        )
    save_checkpoint(path, model, metadata)
    if json:
        print(metadata.model_dump_json(indent=2))
        return
    for measured, accuracy in metadata.accuracy.items():
        print(f"{measured.replace('_', ' ')} accuracy {accuracy:.1%}")
    print(f"wrote {path}")


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
        if key in {"sigma", "epochs"}:
            raise InputError(f"--set {assignment}: it has an option, --{key}")
        try:
            fields[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            fields[key] = value
    return fields
