"""Stop when each of some radii is certified or futile."""

import itertools
from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from simplicert.arguments import real_numbers
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism
from simplicert.procedures import Procedure
from simplicert.rounding import round_down
from simplicert.stopping.prospects import Prospects
from simplicert.stopping.protocol import Outcome, Rule
from simplicert.votes import Look, Manifest, Votes

__all__ = ["until"]

Radii = Float[np.ndarray, " radii"]


def until(
    radii: Sequence[float] | np.ndarray | float,
    *,
    mechanism: str | Mechanism | None = None,
    procedure: str | Procedure | None = None,
    asymptotic: bool = False,
) -> Rule:
    """Stop an image when each radius is certified, or futile.

    A radius is certified when ``certify`` would certify it of these votes, at this
    look's share of alpha. It is futile when the most that the draws until the last look
    may be expected to certify is less (``docs/looks.md``).

    Args:
        radii: Which to decide, in input units, rising; 0 asks for a class.
        mechanism: By which they are certified, as ``certify`` takes it; a monotone one.
        procedure: Likewise.
        asymptotic: Likewise.

    Raises:
        InputError: There is no radius, one is negative or not finite, or they do not
            rise; or as ``Prospects.of``.

    Example:
        >>> until([0.25, 0.5]).spec["radii"]
        [0.25, 0.5]
    """
    goals = _checked(radii)
    prospects = Prospects.of(
        mechanism=mechanism, procedure=procedure, asymptotic=asymptotic
    )
    return Rule(
        name="until",
        decided=partial(_decided, prospects, goals),
        parameters={"radii": goals.tolist(), **prospects.spec},
        outcome=partial(_outcome, prospects, goals),
        fits=partial(_fits, prospects, goals),
    )


def _checked(radii: object) -> Radii:
    goals = np.atleast_1d(real_numbers(radii, argument="radii"))
    if goals.ndim != 1 or not len(goals):
        raise InputError(f"until needs radii, at least one, got shape {goals.shape}")
    legal = (goals >= 0.0) & (goals < np.inf)
    if not legal.all():
        raise InputError(
            "until takes radii that are 0 or more, and finite, got "
            f"{goals[~legal][0]:g}"
        )
    for before, after in itertools.pairwise(goals):
        if not before < after:
            raise InputError(
                f"until takes radii that rise: {after:g} comes after {before:g}"
            )
    return goals


def _reached(radius: Float[np.ndarray, " images"], goals: Radii) -> np.ndarray:
    """How many goals each radius reaches, which are the first; 0 is not certified."""
    return np.where(radius > 0.0, np.searchsorted(goals, radius, side="right"), 0)


def _decided(
    prospects: Prospects, goals: Radii, votes: Votes, alpha: float
) -> Bool[np.ndarray, " images"]:
    certified = _reached(prospects.now(votes, alpha), goals)
    decided: np.ndarray = certified == len(goals)
    open_ = np.flatnonzero(~decided)
    if len(open_):
        hoped = _reached(prospects.best(votes[open_], alpha), goals)
        decided[open_] = hoped <= certified[open_]
    return decided


def _outcome(prospects: Prospects, goals: Radii, votes: Votes, alpha: float) -> Outcome:
    certified = _reached(prospects.now(votes, alpha), goals)
    hoped = _reached(prospects.best(votes, alpha), goals)
    return {
        f"until {goal:g}": np.select(
            [certified > number, hoped <= number], ["certified", "futile"], "open"
        )
        for number, goal in enumerate(goals)
    }


def _fits(
    prospects: Prospects,
    goals: Radii,
    manifest: Manifest,
    looks: Sequence[Look],
    alpha: float,
) -> None:
    largest, look = prospects.largest(manifest, looks, alpha)
    if _reached(np.array([largest]), goals)[0] < len(goals):
        named = f"until {goals[-1]:g}: "
        if not largest > 0.0:
            raise InputError(
                f"{named}{look.draws:,} draws can certify nothing at alpha {alpha:g}: "
                "draw more"
            )
        raise InputError(
            f"{named}{look.draws:,} draws can certify a radius of "
            f"{round_down(largest, 3):.3f} at most, at alpha {alpha:g} × "
            f"{look.share:g}: leave larger ones out, or draw more"
        )
