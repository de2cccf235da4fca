"""`simplicert train`: a recipe in, a checkpoint out."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.models import save_checkpoint
from simplicert.training import load_recipe, train
from simplicert.training.console import console_progress


def train_command(
    recipe: str,
    /,
    *,
    data: Path | None = None,
    sigma: float | None = None,
    epochs: int | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    out: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Train a network under Gaussian noise, from a recipe.

    For example:

        simplicert train digits --sigma 0.5 --out digits.safetensors

    Args:
        recipe: A built-in recipe, or the path of a .toml file.
        data: Where the images are, for datasets that need files.
        sigma: Standard deviation of the noise, in pixels of [0, 1].
        epochs: Length of the run; the recipe's schedule is stretched to it.
        set_: Another field of the recipe, as in --set seed=1; repeatable.
        out: The checkpoint to write, by default RECIPE-sigma.safetensors.
        json: Print all that the checkpoint says about itself, as JSON.
    """
    resolved = load_recipe(recipe, epochs=epochs, sigma=sigma, **_fields(set_))
    source = resolved.dataset if data is None else str(data)
    training = load_dataset(source, split="train")
    validation = load_dataset(source, split="test")
    with console_progress(resolved.name) as progress:
        model, metadata = train(
            training, resolved, validation=validation, progress=progress
        )
    path = out or Path(f"{resolved.name}-{resolved.sigma:.2f}.safetensors")
    save_checkpoint(path, model, metadata)
    if json:
        print(metadata.model_dump_json(indent=2))
        return
    for measured, accuracy in metadata.accuracy.items():
        print(f"{measured.replace('_', ' ')} accuracy {accuracy:.1%}")
    print(f"wrote {path}")


def _fields(assignments: tuple[str, ...]) -> dict[str, Any]:
    """Fields written as TOML, one ``key=value`` each; bare words are text."""
    fields: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment}: write it as FIELD=VALUE")
        try:
            fields[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            fields[key] = value
    return fields
