"""What a noise is: a name, the norm of the balls it certifies, and how it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from simplicert.errors import InputError, unknown_name

__all__ = ["Noise", "Norm", "in_norm", "measured"]

Norm = Literal["l1", "l2", "linf", "none"]
"""How distances between inputs are measured; ``"none"``: radii are no such distances,
but of what the noise moves: the parameters of a rotation, a blur, a translation."""


@dataclass(frozen=True)
class Noise:
    """A distribution of noise, independent of the input and scaled by sigma.

    Attributes:
        name: What runs, tables and proofs call it.
        norm: Of the balls that it certifies: ``"l1"``, ``"l2"`` or ``"linf"``;
            ``"none"`` where they are no balls of inputs.
        fill: ``(values, generator)``: overwrite a float32 torch tensor, draws × input
            values, with noise of mean 0 and standard deviation 1, from nothing but the
            generator. ``None`` where only the facts are known: the noise of a run.
        digest: Of what defines a noise from outside; ``None``: Simplicert's own.
    """

    name: str
    norm: str
    fill: Callable[[Any, Any], object] | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise InputError(
                f"a noise needs a name of letters, digits and _, got {self.name!r}"
            )
        if self.norm not in get_args(Norm):
            raise unknown_name("norm", str(self.norm), get_args(Norm))

    @property
    def facts(self) -> "Noise":
        """All but how it is drawn: what is stored, and equal where the noise is."""
        return Noise(self.name, self.norm, digest=self.digest)

    def __str__(self) -> str:
        balls = "no balls of inputs" if self.norm == "none" else f"{self.norm} balls"
        return f"{self.name} noise, {balls}"


def in_norm(norm: str, what: str) -> str:
    """A radius, radii or balls with their norm, in words.

    Example:
        >>> in_norm("l2", "balls"), in_norm("none", "radius")
        ('l2 balls', 'radius (no distance between inputs)')
    """
    return (
        f"{what} (no distance between inputs)" if norm == "none" else f"{norm} {what}"
    )


def measured(norm: str) -> str:
    """How far a radius reaches, in words."""
    if norm == "none":
        return "no distance between inputs, but of what the noise moves: an angle, say"
    return f"{norm} distance, in units of the input"
