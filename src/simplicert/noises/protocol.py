"""What a noise is: a name, the norm of the balls it certifies, and how it is drawn."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from simplicert.errors import InputError, unknown_name
from simplicert.units import PIXELS, PLAIN, Unit, in_unit

__all__ = ["Noise", "Norm", "OnGrid", "Put", "in_norm", "measured"]

Norm = Literal["l1", "l2", "linf", "none"]
"""How distances between inputs are measured; ``"none"``: radii are no such distances,
but of what the noise moves: the parameters of a rotation, a blur, a translation."""

_NAME = re.compile(r"[^\W\d][\w-]*")

_FLOATS = (
    "drawn by a function that gives floating-point numbers, which are taken to have "
    "the law that its proofs are about"
)


Put = Callable[[np.ndarray], Any]
"""A NumPy array → one of those that the bits are in."""


@dataclass(frozen=True)
class OnGrid:
    """An exact law on integers, of random bits: what ``floor(sigma Z / q)`` is.

    Words are int64, every value equally likely, in arrays of the module ``xp``: NumPy
    or torch. So functions use what is called the same in both, and they may overwrite
    the words.

    Attributes:
        quick: A word for each value → steps, and where the word was not enough.
        careful: Three words for each value (3 × n) → steps, and where they are accepted
            rather than drawn anew. For values whose first word was not enough, the law
            of an accepted one is what remains of the whole law.
    """

    quick: Callable[[Any], tuple[Any, Any]]
    careful: Callable[[Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Noise:
    """A distribution of noise, independent of the input and scaled by sigma.

    Attributes:
        name: What runs and tables call it.
        norm: Of the balls that it certifies: ``"l1"``, ``"l2"`` or ``"linf"``;
            ``"none"`` where they are no balls of inputs.
        fill: ``(values, generator)``: overwrite a NumPy array of float64, draws × input
            values, with noise of mean 0 and standard deviation 1, from nothing but the
            ``numpy.random.Generator``. ``None`` where only the facts are known, or
            where it is drawn ``on_grid``.
        digest: Of what defines a noise from outside; ``None``: Simplicert's own.
        on_grid: ``(sigma in steps, xp, put)`` → its exact law in steps of the grid.
        stands_for: What proofs call it, if that is not its name.
        assumes: How it was drawn, and what its certificates take for granted of that,
            in words; ``None``: nothing.
    """

    name: str
    norm: str
    fill: Callable[[Any, Any], object] | None = None
    digest: str | None = None
    on_grid: Callable[[float, Any, Put], OnGrid] | None = None
    stands_for: str | None = None
    assumes: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError(
                f"a noise needs a name of letters, digits, - and _, got {self.name!r}"
            )
        if self.norm not in get_args(Norm):
            raise unknown_name("norm", str(self.norm), get_args(Norm))
        if self.digest is not None and self.assumes is None:
            object.__setattr__(self, "assumes", _FLOATS)

    @property
    def facts(self) -> "Noise":
        """All but how it is drawn: what is stored, and equal where the noise is."""
        return Noise(
            self.name,
            self.norm,
            digest=self.digest,
            stands_for=self.stands_for,
            assumes=self.assumes,
        )

    def shares_law(self, other: "Noise") -> bool:
        """Whether proofs about this noise are about the other, however it was added."""
        return (self.law, self.norm, self.digest) == (
            other.law,
            other.norm,
            other.digest,
        )

    @property
    def law(self) -> str:
        """What proofs call it."""
        return self.stands_for or self.name

    def __str__(self) -> str:
        balls = "no balls of inputs" if self.norm == "none" else f"{self.norm} balls"
        return f"{self.name} noise, {balls}"


def in_norm(norm: str, what: str, unit: Unit | None = None) -> str:
    """A radius, radii or balls with their norm, in words; and their unit, but pixels.

    Example:
        >>> in_norm("l2", "balls"), in_norm("none", "radius")
        ('l2 balls', 'radius (no distance between inputs)')
        >>> in_norm("l2", "radii", Unit(name="levels", scale=(1 / 255,)))
        'l2 radii in levels'
    """
    if norm == "none":
        return f"{what} (no distance between inputs)"
    return f"{norm} {what}{in_unit(unit)}"


def measured(norm: str, unit: Unit | None = None) -> str:
    """How far a radius reaches, in words."""
    if norm == "none":
        return "no distance between inputs, but of what the noise moves: an angle, say"
    if unit in {None, PIXELS, PLAIN}:
        return f"{norm} distance, in units of the input"
    if unit.entries == 1:
        return f"{norm} distance, in {unit.name}"
    return (
        f"{norm} distance, in {unit.name}: each of the {unit.entries} entries of an "
        "input is divided by a scale of its own, so that in their own values the ball "
        "is an ellipsoid"
    )
