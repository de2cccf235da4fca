"""Soft scores by the distribution of their margins; other draws choose the class."""

import numpy as np
from jaxtyping import Float, Int

from simplicert.arguments import Reals
from simplicert.bounds.betting import log_capital, stake_of
from simplicert.bounds.level_sets import quantiles_of, test_functions
from simplicert.procedures.protocol import Intervals, Procedure
from simplicert.votes import Votes
from simplicert.votes.columns import CELLS

__all__ = ["LEVELS", "certified_radii", "largest_radius", "margins"]

LEVELS = np.arange(CELLS) / (CELLS // 2) - 1.0
"""What margins are rounded down to: the cells' lower ends."""

STEP = 1 / 256
"""Between the radii that are tested, in units of sigma."""

MOST = 6.0
"""The largest of them. 2**21 draws that agree certify 5.0 at alpha 0.5."""

AT_ONCE = 32
"""Radii that are tested before the next are thought of."""

UNSEEN = 0.5
"""Draws below every level, of the pilot's, that it is taken to have missed."""


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
    n, first = int(histogram.sum()), max(int(pilot.sum()), 1)
    lowest = min(max(-np.log(alpha) / n, UNSEEN / first), 0.5)
    quantiles = quantiles_of(pilot, lowest=lowest)
    expected = pilot / (first + UNSEEN)
    expected[0] += UNSEEN / (first + UNSEEN)
    steps = int(most / STEP)
    for start in range(0, steps, AT_ONCE):
        radii = np.arange(start + 1, min(start + AT_ONCE, steps) + 1) * STEP
        tested = test_functions(levels, quantiles, radii=radii)
        gains = tested.values - tested.needed[:, None]
        stake = stake_of(expected, gains, trials=n, alpha=alpha)
        passed = log_capital(histogram, gains, stake=stake) >= -np.log(alpha)
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
