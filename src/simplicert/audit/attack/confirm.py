"""Exact tests of whether the class of the smoothed classifier at a point is another."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy.special import betainc
from scipy.stats import norm

from simplicert.audit.attack.target import LEAST_DRAWS, Target

__all__ = ["Change", "Confirmations", "draws_to_tell", "sign_test"]


def sign_test(own: int, rival: int) -> float:
    """How likely so many votes for the rival are, were it not the likelier of the two.

    ``P[Binomial(own + rival, 1/2) >= rival]``: exact, whatever other classes get.

    Example:
        >>> sign_test(0, 10), sign_test(5, 0)
        (0.0009765625, 1.0)
    """
    return float(betainc(rival, own + 1, 0.5)) if rival else 1.0


def draws_to_tell(margin: float, level: float) -> int:
    """Draws after which a sign test at ``level`` rejects, most probably.

    Args:
        margin: The rival's share of the votes less the own class's, above 0.
        level: Of the test.

    Returns:
        At least 1,000, and two standard errors more than half of all cases need.

    Example:
        >>> draws_to_tell(1.0, 1e-9), draws_to_tell(0.05, 1e-9)
        (1000, 26000)
    """
    needed = ((float(norm.isf(level)) + 2.0) / margin) ** 2
    return max(LEAST_DRAWS, 1_000 * math.ceil(min(needed, 1e12) / 1_000))


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """A point at which the class is another, as a test on fresh draws has shown.

    Attributes:
        row: Of the certificates.
        attack: What proposed it.
        point: The input.
        held: The class that was claimed.
        rival: The class that is likelier there.
        far: Its distance from the image, rounded up.
        over: That over the certified radius.
        votes: Of the class held and of the rival, among ``draws``.
        seed: Of these draws.
        p_value: Of the sign test.
    """

    row: int
    attack: str
    point: Float32[np.ndarray, "..."]
    held: int
    rival: int
    far: float
    over: float
    votes: tuple[int, int]
    draws: int
    seed: int
    p_value: float


class Confirmations:
    """So many tests, fixed beforehand, which share a level.

    Args:
        level: Probability of any wrong rejection, at most.
        most: How many tests there can be.

    Attributes:
        done: How many there were.
    """

    def __init__(self, level: float, most: int) -> None:
        self.level, self.most, self.done = level, most, 0

    @property
    def each(self) -> float:
        """The level of one test."""
        return self.level / self.most

    def reject(
        self,
        target: Target,
        point: Float32[np.ndarray, "..."],
        *,
        held: int,
        rival: int,
        draws: int,
    ) -> tuple[tuple[int, int], int, float] | None:
        """Draw afresh at a point, and test whether its class is the one held.

        Returns:
            The votes of both, the seed of the draws and the p-value, if the test
            rejects; ``None`` else, or where no test is left.
        """
        if self.done == self.most:
            return None
        self.done += 1
        seed = target.fresh_seed()
        counts = target.votes(point[None], draws, seed=seed, checked=True)[0]
        votes = int(counts[held]), int(counts[rival])
        p_value = sign_test(*votes)
        return (votes, seed, p_value) if p_value <= self.each else None
