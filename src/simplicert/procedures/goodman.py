"""Goodman's intervals (1965), which are asymptotic: for comparison only.

Reference [11] of the paper, beside which it chose Clopper-Pearson's bounds.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from simplicert.arguments import checked_alpha
from simplicert.procedures.asymptotic import asymptotic

__all__ = ["goodman", "goodman_limits"]


def goodman_limits(
    counts: Int[np.ndarray, "images classes"],
    *,
    trials: Int[np.ndarray, " images"],
    alpha: float,
) -> tuple[Float[np.ndarray, "images classes"], Float[np.ndarray, "images classes"]]:
    """Score intervals of the expectations of all classes, by Bonferroni.

    The ends are where ``n (p - x/n)**2 = q p (1 - p)``, with q the upper quantile of
    chi-squared with one degree of freedom at ``alpha`` divided by the number of
    classes. Asymptotic: for a number of draws the error is not bounded, and of rare
    classes it is large.

    Args:
        counts: Votes for each class.
        trials: Draws an image; some may have voted for none.
        alpha: Nominal failure probability of all intervals of an image together.

    Returns:
        Lower and upper ends. A lower one is below 1, and 0 for no votes alone; an upper
        one is above 0.

    Raises:
        InputError: ``alpha`` outside (0, 1).

    References:
        Goodman 1965, Technometrics 7, doi:10.1080/00401706.1965.10490252, section 2.

    Example:
        ``q = 3.8415`` of one class alone at 0.05 is Wilson's interval.

        >>> low, high = goodman_limits(
        ...     np.array([[8, 2]]), trials=np.array([10]), alpha=0.1
        ... )
        >>> low.round(4), high.round(4)
        (array([[0.4902, 0.0567]]), array([[0.9433, 0.5098]]))
    """
    checked_alpha(alpha)
    classes = max(counts.shape[1], 2)  # of one class: q would be 0 at alpha 1
    q = ndtri(alpha / (2 * classes)) ** 2
    x, n = counts.astype(np.float64), trials[:, None].astype(np.float64)
    spread = np.sqrt(q * (q + 4.0 * x * (n - x) / n))
    upper = (q + 2.0 * x + spread) / (2.0 * (n + q))
    # The product of the two roots: a difference would lose the digits of small ones.
    lower = x * x / (n * (n + q) * upper)
    return lower, np.minimum(upper, 1.0)


goodman = asymptotic(name="goodman", limits=goodman_limits)
