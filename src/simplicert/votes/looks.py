"""Looks: the numbers of draws, fixed before the first, at which an image may stop."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from simplicert.errors import InputError

__all__ = ["Look", "check_looks", "one_look", "shares_of"]


@dataclass(frozen=True)
class Look:
    """One look at the votes of an image.

    Attributes:
        draws: How many there are then.
        share: Of alpha, that the bounds at this look have.
    """

    draws: int
    share: float


def one_look(draws: int) -> tuple[Look, ...]:
    """A fixed number of draws: one look, with all of alpha."""
    return (Look(draws, 1.0),)


def shares_of(
    draws: Int[np.ndarray, " images"], looks: Sequence[Look]
) -> Float[np.ndarray, " images"]:
    """The share of alpha of the look at which each image is."""
    shares = {look.draws: look.share for look in looks}
    return np.array([shares[each] for each in draws.tolist()], dtype=np.float64)


def check_looks(looks: Sequence[Look]) -> None:
    """Looks whose bounds all hold at once, by the union bound.

    Raises:
        InputError: There is none, their draws do not rise, or their shares of alpha are
            negative, or sum to 0 or to more than 1.
    """
    if not looks:
        raise InputError("looks must hold at least one")
    if not all(isinstance(look, Look) for look in looks):
        raise InputError("looks must be Look(draws, share), each")
    for before, after in itertools.pairwise(looks):
        if after.draws <= before.draws:
            raise InputError(
                f"looks must rise: {after.draws} draws come after {before.draws}"
            )
    if looks[0].draws < 1:
        raise InputError(f"a look needs at least 1 draw, got {looks[0].draws}")
    total = math.fsum(look.share for look in looks)
    if not all(look.share >= 0.0 for look in looks) or not 0.0 < total <= 1.0:
        raise InputError(
            f"the looks' shares of alpha are {[look.share for look in looks]}: they "
            "must not be negative, and sum to more than 0 and at most 1, or the bounds "
            "of all looks do not hold at once"
        )
