"""What the numbers of an input are: what sigma and radii are measured in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from simplicert.errors import InputError

__all__ = ["PIXELS", "PLAIN", "Unit", "in_unit"]

_LEAST, _MOST = 1e-30, 1e30
"""Of a scale and, its size, of an offset: float32 has room for what comes of it."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit of inputs: ``value = offset + scale * number``.

    The number is what noise is added to, and what radii are distances of; the value is
    what the classifier takes. So with a scale for each feature a ball of numbers is an
    ellipsoid of values, and Gaussian noise has a diagonal covariance there.

    Attributes:
        name: In words, after a number: ``"standard deviations"``.
        low: No number of an input is lower; ``None``: they may be.
        high: Likewise.
        scale: How large one of the unit is, in the classifier's values: one number for
            all, or one for each entry of an input's first axis: a feature, a channel.
            ``None``: the classifier takes the numbers as they are.
        offset: Which value is the number 0, likewise. Default: 0.

    Raises:
        InputError: A scale of 0, bounds that contradict each other, and the like.

    Example:
        >>> unit = Unit(name="standard deviations", scale=(2.0,), offset=(7.0,))
        >>> unit.numbers(np.array([[9.0, 7.0]]))
        array([[1., 0.]])
    """

    name: str
    low: Any = None  # a float, or None
    high: Any = None
    scale: Any = None  # what is an array or a list here becomes a tuple of floats
    offset: Any = None

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(name, str) or not 0 < len(name) <= 60:
            raise InputError(
                f"a unit needs a name of 1 to 60 letters, got {name!r:.80}"
            )
        if not name.isprintable() or name != name.strip():
            raise InputError(f"a unit's name must be printable, got {name!r}")
        for field in ("low", "high"):
            bound = _numbers(field, getattr(self, field), one=True)
            self._check(field, bound)
            object.__setattr__(self, field, bound and bound[0])
        for field in ("scale", "offset"):
            found = _numbers(field, getattr(self, field))
            self._check(field, found)
            object.__setattr__(self, field, found)  # of arrays and lists a tuple
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InputError(
                f"unit {name!r}: low ({self.low:g}) must be below high ({self.high:g})"
            )
        if self.offset is not None and self.scale is None:
            raise InputError(f"unit {name!r}: an offset goes with a scale, maybe of 1")
        sizes = {len(each) for each in (self.scale, self.offset) if each is not None}
        if len(sizes - {1}) > 1:
            raise InputError(
                f"unit {name!r}: {len(self.scale or ())} scales and "
                f"{len(self.offset or ())} offsets: give as many"
            )

    def _check(self, field: str, numbers: tuple[float, ...] | None) -> None:
        positive = field == "scale"
        for entry, number in enumerate(numbers or ()):
            if (positive and not number >= _LEAST) or not abs(number) <= _MOST:
                rule = f"lie in [{_LEAST:g}, {_MOST:g}]" if positive else "be finite"
                where = f" of entry {entry}" if len(numbers or ()) > 1 else ""
                raise InputError(
                    f"unit {self.name!r}: the {field}{where} must {rule}, got "
                    f"{number!r}"
                )

    @property
    def entries(self) -> int:
        """Of an input's first axis, each with a scale of its own; 1 if all share it."""
        return max(len(self.scale or (1.0,)), len(self.offset or (0.0,)))

    @property
    def is_converted(self) -> bool:
        """Whether the classifier takes other values than the numbers."""
        return self.scale is not None

    @property
    def conversion(self) -> str:
        """What the classifier is given, in words; empty: the numbers themselves.

        Example:
            >>> Unit(name="levels", scale=1 / 255).conversion
            'the classifier is given 0.00392157 × the number in levels'
        """
        if self.scale is None:
            return ""
        if self.entries > 1:
            added = " and its offset is added" if any(self.offset or ()) else ""
            return (
                f"the classifier is given values: a number in {self.name} is "
                f"multiplied by its entry's scale{added}"
            )
        scale = f"{self.scale[0]:.6g}"
        offset = f" + {self.offset[0]:.6g}" if any(self.offset or ()) else ""
        return f"the classifier is given {scale} × the number in {self.name}{offset}"

    def check_shape(self, shape: Sequence[int], source: str) -> None:
        """Refuse inputs that have another number of entries.

        Raises:
            InputError: As said.
        """
        if self.entries not in {1, *shape[:1]}:
            raise InputError(
                f"the unit {self.name!r} has {self.entries} scales, but an input of "
                f"{source} has the shape {tuple(shape)}: give one for each of its "
                f"first axis, or one for all"
            )

    def scales(self, axes: int) -> Float[np.ndarray, "..."]:
        """The scale, to be multiplied with inputs of so many axes."""
        return _along_first(self.scale or (1.0,), axes)

    def offsets(self, axes: int) -> Float[np.ndarray, "..."]:
        """The offset, likewise."""
        return _along_first(self.offset or (0.0,), axes)

    def numbers(self, values: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n ..."]:
        """The classifier's values in this unit, in float64 where they are converted.

        They err by ``rounding`` of their size at most.
        """
        if not self.is_converted:
            return values
        axes = values.ndim - 1
        moved = values.astype(np.float64) - self.offsets(axes)
        found: np.ndarray = moved / self.scales(axes)
        return found

    def rounding(self, most: float) -> float:
        """By how much two numbers of this size are off together, at most.

        A difference and a quotient of float64, each rounded once.
        """
        return 2 * most * 2.0**-52 if self.is_converted else 0.0

    def contains(self, numbers: Float[np.ndarray, "n ..."]) -> Bool[np.ndarray, " n"]:
        """Whether all numbers of each input are within its range, and finite."""
        flat = numbers.reshape(len(numbers), -1)
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        # A conversion may round outwards.
        slack = 1e-9 * max(abs(low), abs(high)) if self.is_converted else 0.0
        slack = slack if math.isfinite(slack) else 0.0
        inside = (flat >= low - slack) & (flat <= high + slack) & np.isfinite(flat)
        return np.asarray(inside.all(axis=1))

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return self.name
        low = "-∞" if self.low is None else f"{self.low:g}"
        high = "∞" if self.high is None else f"{self.high:g}"
        return f"{self.name} in [{low}, {high}]"


def _numbers(
    field: str, given: object, *, one: bool = False
) -> tuple[float, ...] | None:
    """What was given for a field, as floats.

    Raises:
        InputError: It is something else.
    """
    if given is None:
        return None
    try:
        flat = np.asarray(given)
        if flat.dtype.kind not in "iuf" or flat.ndim > 1 or (one and flat.ndim):
            raise TypeError
        if not flat.size:
            raise ValueError
    except (TypeError, ValueError):
        what = "a number" if one else "a number, or one for each of an input's entries"
        got = repr(given)[:60]
        raise InputError(f"a unit's {field} must be {what}, got {got}") from None
    return tuple(np.atleast_1d(flat).astype(np.float64).tolist())


def _along_first(entries: Sequence[float], axes: int) -> Float[np.ndarray, "..."]:
    array = np.array(entries)
    return array.reshape(-1, *[1] * (axes - 1)) if len(array) > 1 else array


PIXELS = Unit(name="pixels", low=0.0, high=1.0)
"""What images are in, if nothing else is said."""

PLAIN = Unit(name="the inputs' own numbers")
"""What other inputs are in, if nothing else is said."""


def in_unit(unit: Unit | None) -> str:
    """What stands after a number or a word that is in this unit: not of pixels.

    Example:
        >>> in_unit(PLAIN), in_unit(PIXELS)
        (" in the inputs' own numbers", '')
    """
    return "" if unit is None or unit == PIXELS else f" in {unit.name}"
