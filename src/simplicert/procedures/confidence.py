"""How far a class leads, on average, wherever an input moves within a radius.

The bets of ``margins``, with a lead in the place of 0. The proof is in
``docs/margins.md``.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.arguments import Reals
from simplicert.bounds.betting import log_capital, stake_of
from simplicert.bounds.level_sets import test_functions
from simplicert.procedures.margins import LEVELS, ROUNDED, Bet, bets_of
from simplicert.votes import Votes
from simplicert.votes.looks import shares_of

__all__ = ["certified_confidence", "largest_confidence"]

FINENESS = 1024
"""Leads are multiples of one part in so many."""


def _capital(
    bet: Bet,
    histogram: Int[np.ndarray, " levels"],
    levels: Float[np.ndarray, " levels"],
    radius: float,
    alpha: float,
) -> Callable[[float], float]:
    """The logarithm of one bet's capital in the end, against each lead.

    The stake is one for all leads, so that the capital falls with the lead, and good
    for the lead that the pilot foretells, less what draws that all agree leave open.
    """
    tested = test_functions(bet.levels, bet.quantiles, radii=[radius])
    needed, trials = float(tested.needed[0]), int(histogram.sum())
    agreed = 1.0 + np.log(alpha) / trials
    foretold = float((tested.values @ bet.expected)[0]) * agreed - needed
    gains = tested.values - (needed + min(max(foretold, 0.0), 1.0))
    stake = stake_of(bet.expected, gains, trials=trials, alpha=alpha)
    values = bet.read_off(tested.values, levels)

    def capital(lead: float) -> float:
        if stake[0] * (needed + lead) >= 1.0:  # the lowest level would lose all
            return -np.inf
        gains = values - (needed + lead)
        return float(log_capital(histogram, gains, stake=stake)[0])

    return capital


def largest_confidence(
    histogram: Int[np.ndarray, " levels"],
    *,
    pilot: Int[np.ndarray, " levels"],
    radius: float,
    alpha: float,
    levels: Float[np.ndarray, " levels"] = LEVELS,
    most: float = 1.0,
) -> float:
    """Largest mean margin that holds within a radius, as far as draws tell.

    More than is true with probability at most ``alpha``, for one radius that was chosen
    before the draws.

    Args:
        histogram: How many draws had a margin that was rounded down to each level.
        pilot: The same of other draws, which choose the bet.
        radius: In units of sigma, from 0.
        alpha: Failure probability.
        levels: Increasing, from -1.
        most: No larger one is tried.

    Returns:
        A multiple of 1 / ``FINENESS``, rounded down; 0 where none above it is certain.

    Example:
        Ten draws, and ten of the pilot, that all lead by 1, at alpha 0.5.

        >>> seen = np.array([0, 10])
        >>> ends = np.array([-1.0, 1.0])
        >>> largest_confidence(seen, pilot=seen, radius=0.0, alpha=0.5, levels=ends)
        0.865234375
    """
    bets = bets_of(pilot, levels, int(histogram.sum()), alpha)
    seen = histogram > 0
    capitals = [
        _capital(bet, histogram[seen], levels[seen], radius, alpha) for bet in bets
    ]
    needed = np.log(len(capitals)) - np.log(alpha) + ROUNDED

    def passes(step: int) -> bool:
        each = [capital(step / FINENESS) for capital in capitals]
        return bool(np.logaddexp.reduce(each) >= needed)

    low, high = 0, int(most * FINENESS) + 1
    if passes(high - 1):
        return (high - 1) / FINENESS
    while high - low > 1:  # low passes, or is 0
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low / FINENESS


def certified_confidence(
    votes: Votes, *, radius: float, alpha: float, where: Bool[np.ndarray, " images"]
) -> Reals:
    """For each image the least lead over its rivals, each at all of its look's alpha.

    Args:
        votes: With margins, and draws that chose whose they are.
        radius: In units of sigma.
        alpha: Of each image.
        where: Images of which it is asked, at looks with a share of alpha; 0 elsewhere.
    """
    pilot = votes.selection
    assert votes.rivals is not None  # the procedure reads margins
    assert pilot is not None  # and is separate
    alphas = alpha * shares_of(votes.draws, votes.fixed_looks)
    lead = np.where(where, 1.0, 0.0)
    for rival in range(1, votes.rivals.shape[1] + 1):
        ours, theirs = votes.margins_over(rival), pilot.margins_over(rival)
        for row in np.flatnonzero(lead > 0):
            lead[row] = largest_confidence(
                ours[row],
                pilot=theirs[row],
                radius=radius,
                alpha=float(alphas[row]),
                most=lead[row],
            )
    return lead
