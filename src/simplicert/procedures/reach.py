"""What a procedure can show at most: it is asked about votes that all agree."""

from functools import lru_cache

import numpy as np
from jaxtyping import Int
from scipy.special import ndtr

from simplicert.arguments import checked_alpha, checked_trials
from simplicert.errors import InputError
from simplicert.procedures.protocol import Procedure
from simplicert.votes import Votes
from simplicert.votes.columns import CELLS

__all__ = ["largest_e0_lower", "min_draws"]

MOST_DRAWS = 2**31


def largest_e0_lower(procedure: Procedure, *, draws: int, alpha: float) -> float:
    """Largest lower bound on E0 that so many draws can give: all of them agree.

    No outcome of that many draws certifies a radius beyond the one at this point of the
    simplex. Of a procedure that bounds a radius itself it is the E0 that has this
    radius where E1 is ``1 - E0``.

    Args:
        procedure: Any; of two classes.
        draws: Number of draws, at least 1.
        alpha: Failure probability of the whole certificate, in (0, 1).

    Returns:
        The bound, in [0, 1); 0 where it names no class.

    Raises:
        InputError: An argument outside its range.

    Example:
        ``(alpha / 2)**(1 / n)`` for Clopper-Pearson.

        >>> from simplicert.procedures import clopper_pearson
        >>> round(largest_e0_lower(clopper_pearson, draws=100_000, alpha=0.001), 6)
        0.999924
    """
    return _largest(procedure, int(checked_trials(draws)), float(checked_alpha(alpha)))


@lru_cache(maxsize=256)  # certify asks, for every few votes that are served
def _largest(procedure: Procedure, draws: int, alpha: float) -> float:
    found = procedure(unanimous(draws), alpha=alpha)
    if not found.named[0]:
        return 0.0
    if found.radius is not None:
        return float(ndtr(found.radius[0]))
    return float(found.e0_lower[0])


def min_draws(procedure: Procedure, *, alpha: float) -> int:
    """Fewest draws at which a certificate can name a class at all.

    Args:
        procedure: Any; of two classes.
        alpha: Failure probability of the whole certificate, in (0, 1).

    Raises:
        InputError: ``alpha`` outside (0, 1), or no number of draws is enough.

    Example:
        ``log2(8 / 0.001**2)`` is 22.93.

        >>> from simplicert.procedures import clopper_pearson, hoeffding
        >>> [min_draws(p, alpha=0.001) for p in (clopper_pearson, hoeffding)]
        [23, 31]
    """
    checked_alpha(alpha)
    too_few, enough = 0, 1
    while not largest_e0_lower(procedure, draws=enough, alpha=alpha) > 0.0:
        too_few, enough = enough, 2 * enough
        if enough > MOST_DRAWS:
            raise InputError(
                f"the procedure {procedure.name} certifies nothing at alpha = "
                f"{alpha:g}, however many draws agree"
            )
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if largest_e0_lower(procedure, draws=middle, alpha=alpha) > 0.0:
            enough = middle
        else:
            too_few = middle
    return enough


def unanimous(draws: int) -> Votes:
    """Votes of one image and two classes, all for the first; and as many to choose."""
    counts = np.array([[draws, 0]])
    return one_hot(counts).chosen_by(one_hot(counts.copy()))


def one_hot(counts: Int[np.ndarray, "images classes"]) -> Votes:
    """Votes of scores that are 0 or 1, so that every statistic is one.

    Args:
        counts: How many draws of each image vote for each class.
    """
    return Votes(
        counts=counts,
        score_sums=counts.astype(np.float64),
        score_squares=counts.astype(np.float64),
        margins=_first_over_others(counts),
        rivals=np.zeros((len(counts), 1), dtype=np.int64),
        draws=counts.sum(axis=1),
        indices=np.arange(len(counts)),
        sigma=1.0,
        source={},
    )


def _first_over_others(
    counts: Int[np.ndarray, "images classes"],
) -> Int[np.ndarray, "images cells"]:
    """Histograms of 1 where the first class has the vote, and -1 where another has."""
    found = np.zeros((len(counts), CELLS), dtype=np.int64)
    found[:, -1], found[:, 0] = counts[:, 0], counts[:, 1:].sum(axis=1)
    return found
