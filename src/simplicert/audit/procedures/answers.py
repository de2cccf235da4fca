"""What a procedure is asked, and what it says: the same for every shape of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.audit.procedures.synthetic import Synthetic
from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs

__all__ = ["SLACK", "Answers", "Asked", "checked_number", "one_by_one"]

MOST_DRAWS = 10**7
"""Draws that one certificate may take: a procedure that waits for ever is an error."""

BATCH = 50
"""Calls between two reports of progress."""

SLACK = 1e-9
"""By which a radius must exceed the truth, relative: more than all rounding here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """So many certificates of one classifier, of independent samples.

    Attributes:
        synthetic: The classifier.
        trials: Certificates.
        alpha: That the procedure is told.
        sigma: Of the noise.
        generator: Of the samples.
        progress: Told each batch of certificates that is done.
    """

    synthetic: Synthetic
    trials: int
    alpha: float
    sigma: float
    generator: np.random.Generator
    progress: Callable[[int], object]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a procedure said, time after time.

    Attributes:
        named: The class; -1 where it abstained.
        radius: In input units, as it came: it may be anything.
        draws: How many it took.
    """

    named: Int[np.ndarray, " trials"]
    radius: Float[np.ndarray, " trials"]
    draws: Int[np.ndarray, " trials"]

    @classmethod
    def joined(cls, parts: "Sequence[Answers]") -> "Answers":
        """One after the other."""
        return cls(
            named=np.concatenate([part.named for part in parts]),
            radius=np.concatenate([part.radius for part in parts]),
            draws=np.concatenate([part.draws for part in parts]),
        )

    def false(self, synthetic: Synthetic, truth: float) -> Bool[np.ndarray, " trials"]:
        """Another class, or a radius above the truth. One of 0, or NaN, claims nothing.

        Args:
            synthetic: The classifier that they are about.
            truth: How far its answer holds, in input units.
        """
        holds = np.where(self.named == synthetic.best, truth, 0.0)
        exceeds = self.radius > holds * (1.0 + SLACK) + SLACK
        return np.asarray((self.named != -1) & exceeds)

    @property
    def odd(self) -> Bool[np.ndarray, " trials"]:
        """Those that are neither a certificate nor an abstention."""
        abstains_with = (self.named == -1) & (self.radius > 0)
        return np.asarray(~(self.radius >= 0) | abstains_with | (self.named < -1))


def one_by_one(
    name: str, asked: Asked, certified: Callable[[], tuple[object, int]]
) -> Answers:
    """Answers of what is called once a certificate, and may raise.

    Args:
        name: Of the procedure.
        asked: What is asked.
        certified: One call: what it returned, and how many draws it took.

    Raises:
        InputError: It raised, or returned no class and radius.
    """
    named = np.zeros(asked.trials, dtype=np.int64)
    radius = np.zeros(asked.trials)
    draws = np.zeros(asked.trials, dtype=np.int64)
    for start in range(0, asked.trials, BATCH):
        batch = range(start, min(start + BATCH, asked.trials))
        with shown_as_theirs(f"{name}, on the classifier {asked.synthetic.name!r},"):
            for i in batch:
                said, draws[i] = certified()
                named[i], radius[i] = _class_and_radius(name, said)
        asked.progress(len(batch))
    return Answers(named=named, radius=radius, draws=draws)


def checked_number(number: object, taken: int) -> int:
    """How many draws a procedure asks for, when it has taken some."""
    if not isinstance(number, int | np.integer) or number < 0:
        raise InputError(f"it asked for {number!r} draws: it must be a whole number")
    if taken + int(number) > MOST_DRAWS:
        raise InputError(
            f"it asked for more than {MOST_DRAWS:,} draws for one certificate: let it "
            "abstain after fewer"
        )
    return int(number)


def _class_and_radius(name: str, said: object) -> tuple[int, float]:
    try:
        pair: Any = said
        named, radius = pair
        whole = int(named)
        if whole == named and abs(whole) < 2**62:
            return whole, float(radius)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(
        f"{name} must return a class and a radius, or -1 and 0.0 to abstain, got "
        f"{said!r:.80}"
    )
