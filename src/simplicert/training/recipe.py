"""Recipes: everything that decides what weights come out, in one TOML file."""

import itertools
import math
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, field_validator

from simplicert.arguments import MOST_THREADS
from simplicert.data import Dataset
from simplicert.errors import InputError, unknown_name
from simplicert.files import read_bytes
from simplicert.models.catalogue import ARCHITECTURES, DENOISERS
from simplicert.structured import parse_toml
from simplicert.training.methods import METHODS, AnyMethod, Gaussian
from simplicert.training.methods.base import (
    Finite,
    Fraction,
    Method,
    NonNegative,
    Positive,
    PositiveInt,
)

MOST = 2**20
"""Bytes of a recipe."""

_BUILT_IN = resources.files("simplicert.training") / "recipes"


class Recipe(BaseModel):
    """A training run, but for the data's whereabouts and the machine.

    Attributes:
        name: Name it is known by.
        dataset: Name of the dataset.
        train_split: Part of it to train on.
        validation_split: Part of it to measure accuracy on.
        size: Side of the squares to cut out of its images; none if they are of one
            size.
        architecture: Name in the catalogue of architectures.
        sigma: Standard deviation of the Gaussian noise, in pixels of [0, 1]; 0 is
            ordinary training.
        method: What is descended, and its parameters: a table with a ``name``.
        epochs: Passes over the training images.
        batch_size: Images a step, whatever the number of processes.
        shares: Equal parts of a step's images, each with a forward pass, a seed and
            batch-norm statistics of its own. Processes take them in turn; more need
            less memory.
        learning_rate: Rate before any milestone.
        rate_batch: The rate is for so many images a step, and is scaled linearly to
            ``batch_size`` (Goyal et al. 2017). None: it is for ``batch_size``.
        momentum: Of stochastic gradient descent.
        weight_decay: L2 penalty on all weights.
        warmup_epochs: For that long the rate is multiplied by ``warmup_factor``.
        warmup_factor: That factor.
        milestones: Times, in epochs, from which the rate is multiplied by ``decay``.
        decay: That factor.
        augment: Any of ``crop`` (move by up to 4 pixels), ``flip`` (left to right) and
            ``resized-crop`` (of photographs, instead of the centre).
        threads: Of the CPU; the weights are the same, bit for bit, at one number only.
            None leaves it to torch: as many as there are cores.
        precision: ``fp32``; or mixed: ``bf16``, or ``fp16`` with scaled losses.
        stored: Precision that the trained weights are rounded to, and stored in.
        seed: Decides initial weights, order and noise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dataset: str
    train_split: str = "train"
    validation_split: str = "test"
    size: PositiveInt | None = None
    architecture: str
    sigma: NonNegative
    method: Annotated[AnyMethod, Field(validate_default=True)] = Gaussian()
    epochs: PositiveInt
    batch_size: PositiveInt
    shares: PositiveInt = 1
    learning_rate: Positive
    rate_batch: PositiveInt | None = None
    momentum: Fraction
    weight_decay: NonNegative
    warmup_epochs: NonNegative = 0.0
    warmup_factor: Positive = 0.1
    milestones: tuple[Finite, ...] = ()
    decay: Positive = 0.1
    augment: tuple[Literal["crop", "flip", "resized-crop"], ...] = ()
    threads: Annotated[PositiveInt, Field(le=MOST_THREADS)] | None = None
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    stored: Literal["fp32", "bf16"] = "fp32"
    # Torch takes no larger seed.
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0

    @field_validator("method")
    @classmethod
    def _train_what_is_built(cls, method: Method, others: Any) -> Method:
        architecture = others.data.get("architecture")  # absent if invalid itself
        if method.denoises:
            if architecture in ARCHITECTURES:
                raise ValueError(
                    f"trains a denoiser, but {architecture!r} is a classifier's "
                    f"architecture: choose one of {', '.join(DENOISERS)}"
                )
            if others.data.get("sigma") == 0:
                raise ValueError("needs noise to remove, but sigma = 0")
        elif architecture in DENOISERS:
            raise ValueError(
                f"trains a classifier, but {architecture!r} is a denoiser's "
                "architecture: choose another, or method.name = denoise"
            )
        return method

    @field_validator("shares")
    @classmethod
    def _share_the_batch(cls, shares: int, others: Any) -> int:
        images = others.data.get("batch_size", math.inf)
        if shares > images:
            raise ValueError(f"must be at most batch_size = {images}")
        return shares

    @field_validator("warmup_epochs")
    @classmethod
    def _end_before_the_run(cls, warmup_epochs: float, others: Any) -> float:
        epochs = others.data.get("epochs", math.inf)  # absent if invalid itself
        if warmup_epochs >= epochs:
            raise ValueError(f"must be less than epochs = {epochs}")
        return warmup_epochs

    @field_validator("milestones")
    @classmethod
    def _rise_within_the_run(
        cls, milestones: tuple[float, ...], others: Any
    ) -> tuple[float, ...]:
        # Fields that are invalid themselves are absent.
        start = others.data.get("warmup_epochs", 0.0)
        end = others.data.get("epochs", math.inf)
        for earlier, later in itertools.pairwise((start, *milestones, end)):
            if later <= earlier:
                raise ValueError(
                    f"must rise, and lie between warmup_epochs = {start:g} and epochs "
                    f"= {end}"
                )
        return milestones

    @field_validator("augment")
    @classmethod
    def _cut_once(cls, augment: tuple[str, ...], others: Any) -> tuple[str, ...]:
        if "resized-crop" in augment:
            if "crop" in augment:
                raise ValueError("crop and resized-crop exclude each other")
            if others.data.get("size") is None:
                raise ValueError("resized-crop needs a size")
        return augment

    def resolved(self, dataset: Dataset) -> "Recipe":
        """The same, with the digests of the files that it names.

        Raises:
            InputError: What it names is not there, or does not fit this data.
        """
        return self.model_copy(update={"method": self.method.resolved(dataset)})

    def rate(self, time: float) -> float:
        """Learning rate when ``time`` epochs have passed."""
        passed = sum(time >= milestone for milestone in self.milestones)
        warmup = self.warmup_factor if time < self.warmup_epochs else 1.0
        scale = self.batch_size / (self.rate_batch or self.batch_size)
        return self.learning_rate * scale * warmup * self.decay**passed

    def stretched(self, epochs: int) -> "Recipe":
        """The same schedule over another number of epochs.

        Raises:
            pydantic.ValidationError: If that is no number of epochs.
        """
        at_once: dict[str, Any] = {"warmup_epochs": 0.0, "milestones": ()}
        Recipe.model_validate(self.model_dump() | at_once | {"epochs": epochs})
        times = {
            "warmup_epochs": self.warmup_epochs * epochs / self.epochs,
            "milestones": tuple(
                time * epochs / self.epochs for time in self.milestones
            ),
        }
        return self.model_copy(update={"epochs": epochs} | times)


def built_in_recipes() -> tuple[str, ...]:
    """Names of the recipes that ship with Simplicert."""
    return tuple(sorted(Path(f.name).stem for f in _BUILT_IN.iterdir()))


def load_recipe(
    name_or_path: str, /, *, epochs: int | None = None, **overrides: Any
) -> Recipe:
    """A recipe, built in or from a file, with some fields replaced.

    Args:
        name_or_path: A built-in name, or the path of a ``.toml`` file.
        epochs: Length of the run; the recipe's schedule is stretched to it.
        **overrides: Other fields to replace, after that; None leaves a field as it is.
            Some of the method's parameters leave its others as they are.

    Raises:
        InputError: If there is no such recipe, or a field is unknown or invalid.

    Example:
        >>> short = load_recipe("digits", sigma=0.25, epochs=100)
        >>> short.sigma, short.milestones
        (0.25, (62.5, 87.5))
    """
    content = _recipe_bytes(name_or_path)
    given = {key: value for key, value in overrides.items() if value is not None}
    stated = parse_toml(content, f"recipe {name_or_path}")
    try:
        recipe = Recipe.model_validate(stated)
    except pydantic.ValidationError as error:
        problem = _problem(error, content.decode())
        raise InputError(f"recipe {name_or_path}{problem}") from error
    try:
        if epochs is not None:
            recipe = recipe.stretched(epochs)
        fields = recipe.model_dump()
        method = given.get("method")
        same = (None, recipe.method.name)
        if isinstance(method, dict) and method.get("name") in same:
            given["method"] = fields["method"] | method
        return Recipe.model_validate(fields | given)
    except pydantic.ValidationError as error:
        raise InputError(f"recipe {name_or_path}{_problem(error)}") from error


def _recipe_bytes(name_or_path: str) -> bytes:
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise InputError(f"no recipe at {path}: check the path")
        return read_bytes(path, most=MOST)
    known = built_in_recipes()
    if name_or_path not in known:
        raise unknown_name("recipe", name_or_path, known)
    return (_BUILT_IN / f"{name_or_path}.toml").read_bytes()


def _problem(error: pydantic.ValidationError, text: str = "") -> str:
    """The first thing that is wrong: line of the text, field, value and rule."""
    problem = error.errors()[0]
    field, *inner = (str(part) for part in problem["loc"])
    known: Mapping[str, object] = Recipe.model_fields
    if field == "method" and inner:  # first which, which recipes do not say
        known = METHODS.find(inner[0]).model_fields
        field = ".".join([field, *inner[1:2]])
    rule = problem["msg"].removeprefix("Value error, ")
    match problem["type"]:
        case "extra_forbidden":
            kind = f"{inner[0]} field" if inner else "field"
            what = str(unknown_name(kind, field.removeprefix("method."), known))
        case "union_tag_invalid":
            field = "method.name"
            what = str(unknown_name("method", problem["ctx"]["tag"], METHODS.names))
        case "union_tag_not_found":
            what = "method.name is missing"
        case "missing":
            what = f"{field} is missing"
        case "model_attributes_type":
            what = f"{field} = {problem['input']!r}: write it as method.name"
        case _:
            what = f"{field} = {problem['input']!r}: {rule}"
    return f"{_line(text, field)}: {what}"


def _line(text: str, field: str) -> str:
    """Where a recipe's text sets a field, or the table that it is in."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([\w.]+)\]", line):
            table, key = f"{header[1]}.", header[1]
        elif entry := re.match(r"""\s*([\w."']+)\s*=""", line):
            key = table + re.sub(r"""["']""", "", entry[1])
        else:
            continue
        if key == field or (not header and field.startswith(f"{key}.")):
            return f", line {number}"
    return ""
