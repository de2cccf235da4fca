"""Who may be named by the draws that bound it: rules with a proof for any classes."""

import numpy as np
from jaxtyping import Bool

from simplicert.arguments import Reals
from simplicert.bounds import least_lead, log_sign_test

__all__ = ["apart_by_means", "apart_by_votes", "named_where"]


def apart_by_votes(
    first: np.ndarray, second: np.ndarray, *, alpha: float
) -> Bool[np.ndarray, " images"]:
    """Where the sign test tells the first class from the second at alpha²/4.

    Two bounds at alpha/2 on two classes' counts fail with probability at most
    alpha - alpha²/4, and so a class that is not the one best is named with no more than
    what they leave (Theorem 2 of ``docs/bounds.md``).

    Args:
        first: The largest number of votes of each image.
        second: The second largest.
        alpha: Failure probability of the whole certificate.
    """
    log_level = 2.0 * np.log(alpha) - np.log(4.0)
    both = np.maximum(first + second, 1)  # all draws may have voted for nobody
    return np.asarray(log_sign_test(first, trials=both) <= log_level)


def apart_by_means(
    first: np.ndarray,
    second: np.ndarray,
    *,
    trials: np.ndarray,
    rivals: int,
    log_alpha: float,
) -> Bool[np.ndarray, " images"]:
    """Where the first mean is so far above the second that no other class is larger.

    That one of ``rivals`` classes leads a class of no smaller expectation so far has
    probability at most ``exp(log_alpha)`` (Theorem 3 of ``docs/bounds.md``).

    Args:
        first: The largest sum of scores of each image.
        second: The second largest.
        trials: Draws.
        rivals: Number of classes but one.
        log_alpha: Logarithm of what naming may take of alpha.
    """
    lead = least_lead(
        (first + second) / trials,
        trials=trials,
        log_alpha=log_alpha - np.log(max(rivals, 1)),
    )
    return np.asarray((first - second) / trials >= lead)


def named_where(
    sure: Bool[np.ndarray, " images"], low: Reals, high: Reals
) -> tuple[Reals, Reals, Bool[np.ndarray, " images"]]:
    """The bounds where a class may be named; elsewhere moved until they overlap.

    A lower bound may be lowered, and an upper one raised: to 1/2, since ``certify``
    takes ``1 - e0_lower`` for the upper one if it is smaller. So whatever is derived of
    the bounds names no class that may not be named.

    Returns:
        Lower bounds, upper bounds, and where separated ones were moved.
    """
    refused = (low > np.minimum(high, 1.0 - low)) & ~sure
    half = np.minimum(low, 0.5)
    return (
        np.where(refused, half, low),
        np.where(refused, np.maximum(half, high), high),
        refused,
    )
