"""Soft scores by the distribution of their margins; other draws choose the class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from simplicert.arguments import Reals
from simplicert.bounds.betting import log_capital, stake_of
from simplicert.bounds.level_sets import quantiles_of, test_functions
from simplicert.procedures.protocol import Intervals, Procedure
from simplicert.votes import Votes
from simplicert.votes.columns import CELLS

__all__ = [
    "LEVELS",
    "ROUNDED",
    "Bet",
    "bets_of",
    "certified_radii",
    "largest_radius",
    "margins",
]

LEVELS = np.arange(CELLS) / (CELLS // 2) - 1.0
"""What margins are rounded down to: the cells' lower ends."""

STEP = 1 / 256
"""Between the radii that are tested, in units of sigma."""

MOST = 6.0
"""The largest of them. 2**21 draws that agree certify 5.0 at alpha 0.5."""

AT_ONCE = 32
"""Radii that are tested before the next are thought of."""

ROUNDED = 2.0**-40
"""More than the errors of the logarithms of alpha and of a sum of two capitals."""

UNSEEN = 0.5
"""Draws at the lowest level that the pilot is taken to have missed."""


@dataclass(frozen=True)
class Bet:
    """What the pilot draws choose for one rival: how its radii are tested.

    The draws that bound have no part in a stake or a function, not even in how they are
    rounded: both are computed at the pilot's levels, and read off between those.

    Attributes:
        levels: Those that the pilot draws have, the lowest, and the highest.
        quantiles: Where the tangents touch.
        expected: Probability of each level, for the size of the stake.
    """

    levels: Float[np.ndarray, " own"]
    quantiles: Float[np.ndarray, " tangents"]
    expected: Float[np.ndarray, " own"]

    @classmethod
    def of(
        cls,
        pilot: Int[np.ndarray, " levels"],
        levels: Float[np.ndarray, " levels"],
        lowest: float,
    ) -> "Bet":
        """Shares nearer to 0 or 1 than ``lowest`` the pilot does not tell."""
        draws = max(int(pilot.sum()), 1)
        missed = min(UNSEEN, lowest * draws)
        kept = pilot > 0
        kept[[0, -1]] = True
        pilot = pilot[kept]
        expected = pilot / (draws + missed)
        expected[0] += missed / (draws + missed)
        return cls(levels[kept], quantiles_of(pilot, lowest=lowest), expected)

    def __call__(
        self,
        histogram: Int[np.ndarray, " levels"],
        levels: Float[np.ndarray, " levels"],
        radii: Float[np.ndarray, " radii"],
        alpha: float,
    ) -> Reals:
        """The logarithm of the capital in the end, for each radius."""
        tested = test_functions(self.levels, self.quantiles, radii=radii)
        trials, gains = int(histogram.sum()), tested.values - tested.needed[:, None]
        stake = stake_of(self.expected, gains, trials=trials, alpha=alpha)
        return log_capital(histogram, self.read_off(gains, levels), stake=stake)

    def read_off(
        self, values: Float[np.ndarray, "tests own"], levels: Float[np.ndarray, " more"]
    ) -> Float[np.ndarray, "tests more"]:
        """What functions of which these are the values are at other levels.

        Between two of the pilot's levels all tangents are one: a function is linear.
        """
        below = np.searchsorted(self.levels[1:-1], levels, side="right")
        width = self.levels[below + 1] - self.levels[below]
        part = (levels - self.levels[below]) / width
        return np.asarray(values[:, below] * (1.0 - part) + values[:, below + 1] * part)


def bets_of(
    pilot: Int[np.ndarray, " levels"],
    levels: Float[np.ndarray, " levels"],
    draws: int,
    alpha: float,
) -> list[Bet]:
    """One, or two with half of the capital each, where the pilot has few draws.

    So many draws tell shares from 1 that the pilot does not; one bets that they are as
    near as the draws can tell, one that they are where the pilot draws end.
    """
    told = min(-np.log(alpha) / draws, 0.5)
    seen = min(UNSEEN / max(int(pilot.sum()), 1), 0.5)
    tried = sorted({told, max(told, seen)})
    return [Bet.of(pilot, levels, each) for each in tried]


def largest_radius(
    histogram: Int[np.ndarray, " levels"],
    *,
    pilot: Int[np.ndarray, " levels"],
    alpha: float,
    levels: Float[np.ndarray, " levels"] = LEVELS,
    most: float = MOST,
) -> float:
    """Largest radius within which the mean margin is positive, as far as draws tell.

    More than that is true with probability at most ``alpha``: multiples of ``STEP`` are
    tested in increasing order, each at all of ``alpha``, until one fails.

    Args:
        histogram: How many draws had a margin that was rounded down to each level.
        pilot: The same of other draws, which choose what is tested, and how.
        alpha: Failure probability.
        levels: Increasing, from -1.
        most: No larger radius is tried.

    Returns:
        The radius in units of sigma; 0 where the first is not certified.
    """
    bets = bets_of(pilot, levels, int(histogram.sum()), alpha)
    seen = histogram > 0
    histogram, levels = histogram[seen], levels[seen]
    needed, steps = np.log(len(bets)) - np.log(alpha) + ROUNDED, int(most / STEP)
    for start in range(0, steps, AT_ONCE):
        radii = np.arange(start + 1, min(start + AT_ONCE, steps) + 1) * STEP
        capitals = [bet(histogram, levels, radii, alpha) for bet in bets]
        passed = np.logaddexp.reduce(capitals, axis=0) >= needed
        if not passed.all():
            return float((start + int(np.argmin(passed))) * STEP)
    return steps * STEP


def certified_radii(votes: Votes, *, alpha: float) -> Reals:
    """For each image the least of the radii over its rivals, each at all of alpha."""
    pilot = votes.selection
    assert votes.rivals is not None  # the procedure reads margins
    assert pilot is not None  # and is separate
    radius = np.full(len(votes), MOST)
    for rival in range(1, votes.rivals.shape[1] + 1):
        ours, theirs = votes.margins_over(rival), pilot.margins_over(rival)
        for row in np.flatnonzero(radius > 0):
            radius[row] = largest_radius(
                ours[row], pilot=theirs[row], alpha=alpha, most=radius[row]
            )
    return radius


def _intervals(votes: Votes, alpha: float) -> Intervals:
    assert votes.rivals is not None
    assert votes.score_sums is not None
    rows, top = np.arange(len(votes)), votes.rivals[:, 0].astype(np.int64)
    means = votes.score_sums / votes.draws[:, None]
    others = means.copy()
    others[rows, top] = -1.0
    runner_up = others.argmax(axis=1)
    nothing = np.zeros(len(votes))
    return Intervals(
        top=top,
        runner_up=runner_up,
        e0=means[rows, top],
        e1=means[rows, runner_up],
        e0_lower=nothing,
        e1_upper=nothing + 1.0,
        radius=certified_radii(votes, alpha=alpha),
    )


margins = Procedure(
    name="margins",
    statistic="softmax",
    intervals=_intervals,
    columns=("score_sums", "margins"),
    separate=True,
    radius_of="neyman_pearson",
)
