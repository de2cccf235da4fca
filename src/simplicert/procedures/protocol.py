"""What a procedure is: votes and alpha → intervals for E0 and E1."""

from collections.abc import Callable, Container
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.arguments import checked_alpha
from simplicert.errors import InputError
from simplicert.votes import Votes
from simplicert.votes.columns import COLUMNS

__all__ = ["NO_GUARANTEE", "Intervals", "Procedure", "check_allowed", "top_two"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """What a procedure knows of each image, with probability at least 1 - alpha.

    If the class ``top`` is the smoothed classifier's, its expectation is at least
    ``e0_lower``, and every other's at most ``e1_upper``. That ``top`` is another class
    while ``e0_lower > e1_upper`` is part of the alpha.

    Attributes:
        top: The class that would be named.
        runner_up: The class with the largest estimate of the others.
        e0: Estimated expectation of the top class.
        e1: Estimated expectation of the runner-up.
        e0_lower: Lower bounds, in [0, 1].
        e1_upper: Upper bounds, in [0, 1].
        radius: Lower bounds of the radius of ``Procedure.radius_of`` at sigma = 1, 0
            where no class is named, where the procedure bounds that itself. Then it
            bounds E0 and E1 by 0 and 1: it says nothing of either alone.
        refused: Where the bounds would name a class and were moved until they do not,
            because the rule for naming does not tell the first class from the second:
            the reason of an abstention. ``None`` where there is no such rule.
    """

    top: Int[np.ndarray, " images"]
    runner_up: Int[np.ndarray, " images"]
    e0: Float[np.ndarray, " images"]
    e1: Float[np.ndarray, " images"]
    e0_lower: Float[np.ndarray, " images"]
    e1_upper: Float[np.ndarray, " images"]
    radius: Float[np.ndarray, " images"] | None = None
    refused: Bool[np.ndarray, " images"] | None = None

    @property
    def named(self) -> Bool[np.ndarray, " images"]:
        """Where the class ``top`` is named, if a mechanism certifies anything there."""
        if self.radius is not None:
            return self.radius > 0
        return self.e0_lower > self.others_upper

    @property
    def others_upper(self) -> Float[np.ndarray, " images"]:
        """Upper bounds on every other class's: all classes sum to at most 1."""
        return np.asarray(np.minimum(self.e1_upper, 1.0 - self.e0_lower))


NO_GUARANTEE = (
    "is asymptotic: its level holds only as the draws grow without limit, and nothing "
    "bounds how often a radius from so many is false. These are no certificates; they "
    "are for comparison only"
)
"""What is to be said, after its name, wherever such a procedure's radii are shown."""

_KINDS = {"top": np.int64, "runner_up": np.int64, "refused": np.bool_}
"""Of the fields of ``Intervals``; the others are numbers."""

LEAST_ALPHA = 1e-305
"""Of a look: its parts, for two bounds and for each class, still have their digits."""

RADII = ("neyman_pearson",)
"""The mechanisms whose radius a procedure may bound itself: ``laws`` knows it."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """A way to bound the two expectations that a certificate rests on.

    Attributes:
        name: What tables and options call it.
        statistic: What it counts: ``"multinomial"`` (hard votes) or ``"softmax"``
            (mean scores). Mechanisms are asked whether their proofs are about it.
        intervals: ``(votes, alpha)`` → ``Intervals``, of votes with one number of
            draws, which was fixed; a pure function.
        columns: The evidence columns that it reads.
        separate: Whether other draws must choose the class (``Votes.selection``).
        radius_of: The one mechanism whose radius it bounds itself, without bounds of E0
            and E1 from which others could have one; ``None``: it bounds E0 and E1. It
            can be ``"neyman_pearson"``.
        asymptotic: Whether its intervals hold at their level only as the number of
            draws grows without limit. What rests on them is no certificate, is refused
            where nobody has said that it is wanted, and says what it is.
    """

    name: str
    statistic: str
    intervals: Callable[[Votes, float], Intervals]
    columns: tuple[str, ...]
    separate: bool = False
    radius_of: str | None = None
    asymptotic: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.columns, tuple) or not self.columns:
            raise InputError(
                f"procedure {self.name!r}: columns must be a tuple of names, "
                f"got {self.columns!r}"
            )
        for column in self.columns:
            if column not in COLUMNS or COLUMNS[column].statistic != self.statistic:
                raise InputError(
                    f"procedure {self.name!r} counts {self.statistic!r} and reads "
                    f"{column!r}, which is no column of that"
                )

        if self.radius_of not in (None, *RADII):
            raise InputError(
                f"procedure {self.name!r}: radius_of must be None or "
                f"{' or '.join(map(repr, RADII))}, got {self.radius_of!r}"
            )

    def check_columns(self, there: Container[str]) -> None:
        """Refuse votes that have not what it counts.

        Args:
            there: Names of the evidence columns that the votes have.

        Raises:
            InputError: As said.
        """
        missing = [name for name in self.columns if name not in there]
        if missing:
            how = "use another one, or sample a classifier that gives logits or "
            how += "probabilities"
            if "score_sums" in there and "margins" in missing:
                how = "sample anew, with --margins (margins=True)"
            raise InputError(
                f"these votes have no {' and no '.join(missing)}, which the procedure "
                f"{self.name} counts ({self.statistic}): {how}"
            )

    def __call__(self, votes: Votes, *, alpha: float) -> Intervals:
        """Intervals of all images, each at its look's share of alpha.

        Raises:
            InputError: ``alpha`` outside (0, 1), or below 1e-305 at a look; votes
                without the columns or the separate draws that it needs, or of unequal
                draws without looks.
        """
        alpha = checked_alpha(alpha)
        self.check_columns(votes.columns)
        if self.separate and votes.selection is None:
            raise InputError(
                f"the procedure {self.name} needs other draws that choose the class: "
                "read_run(run, selection=1000) sets a run's first 1,000 apart, and "
                "votes.chosen_by(others) takes any"
            )
        looks = votes.fixed_looks
        if len(looks) <= 1:
            return self._at(votes, alpha * looks[0].share if looks else alpha)
        joined: dict[str, Any] = {
            field.name: np.zeros(len(votes), _KINDS.get(field.name, np.float64))
            for field in fields(Intervals)
            if field.name != "radius" or self.radius_of is not None
        }
        for look in looks:
            here = votes.draws == look.draws
            if here.any():
                found = self._at(votes[here], alpha * look.share)
                for name, whole in joined.items():
                    part = getattr(found, name)
                    whole[here] = False if part is None else part
        return Intervals(**joined)

    def _at(self, votes: Votes, alpha: float) -> Intervals:
        """At one look; one without a share of alpha bounds nothing."""
        if 0.0 < alpha < LEAST_ALPHA:
            raise InputError(
                f"alpha {alpha:g}, the share of one look, is too small to be divided: "
                f"it must be at least {LEAST_ALPHA:g}"
            )
        if alpha > 0.0:
            return self.intervals(votes, alpha)
        found = self.intervals(votes, 0.5)
        nothing = np.zeros(len(votes))
        return Intervals(
            top=found.top,
            runner_up=found.runner_up,
            e0=found.e0,
            e1=found.e1,
            e0_lower=nothing,
            e1_upper=nothing + 1.0,
            radius=None if found.radius is None else nothing,
        )


def check_allowed(procedure: Procedure, *, asymptotic: bool) -> None:
    """Refuse a procedure without a guarantee, unless somebody said that it is wanted.

    Raises:
        InputError: It is asymptotic, and ``asymptotic`` is not said.
    """
    if procedure.asymptotic and not asymptotic:
        raise InputError(
            f"the procedure {procedure.name} is asymptotic: nothing bounds how often "
            "its radii are false, so that it gives no certificates. Use another one; "
            "or, to compare with it, say --asymptotic (asymptotic=True)"
        )


def top_two(
    values: np.ndarray,
) -> tuple[Int[np.ndarray, " images"], Int[np.ndarray, " images"]]:
    """Classes of the largest and second largest value; of equals, the lower index."""
    top = np.empty(len(values), dtype=np.int64)
    runner_up = np.empty_like(top)
    for start in range(0, len(values), 4096):  # so that no second table is in memory
        part = values[start : start + 4096].astype(np.float64)  # exact below 2**53
        rows = np.arange(len(part))
        best = part.argmax(axis=1)
        part[rows, best] = -1  # below any count or score
        top[start : start + 4096] = best
        runner_up[start : start + 4096] = part.argmax(axis=1)
    return top, runner_up
