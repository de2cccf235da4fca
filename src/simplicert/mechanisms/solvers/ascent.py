"""The largest value of a function of one variable, for many points at once."""

from collections.abc import Callable

import numpy as np

from simplicert.mechanisms.separated import Points

NO_GAIN = 2.0**-48
"""A step that promises less than this share of the value is not taken."""

SEARCHED = 2.0**-40
"""Share of a radius given up for the rounding in a search, which is 2**-48 at most."""


def ascend(
    evaluate: Callable[..., tuple[Points, Points, Points]],
    *parameters: Points,
    start: Points,
    low: Points,
    high: Points,
) -> Points:
    """Largest value that a safeguarded Newton ascent finds in ``[low, high]``.

    Every value is a certified radius, whatever the variable: a search that stops too
    early costs radius, never soundness.

    Args:
        evaluate: ``(x, *parameters) -> value, slope, Newton step``, elementwise.
        *parameters: What ``evaluate`` knows of each point.
        start: Where to begin, inside the bracket.
        low: Lower end of the bracket.
        high: Upper end of the bracket.

    Returns:
        The largest value seen, a point.
    """
    best = np.zeros_like(start)
    active = np.arange(start.size)
    x, last = start, high - low
    while active.size:
        with np.errstate(divide="ignore", invalid="ignore"):  # a step not to be trusted
            value, slope, step = evaluate(x, *parameters)
        best[active] = np.fmax(best[active], value)
        uphill = slope > 0
        low, high = np.where(uphill, x, low), np.where(uphill, high, x)
        # Newton's step, unless it leaves the bracket or shrinks too slowly: then halve.
        newton = x + step
        trusted = (low <= newton) & (newton <= high) & (np.abs(step) <= 0.5 * last)
        new = np.where(trusted, newton, 0.5 * (low + high))
        worth = slope * (new - x) > NO_GAIN * value
        active, last = active[worth], np.abs(new - x)[worth]
        x, low, high = new[worth], low[worth], high[worth]
        parameters = tuple(parameter[worth] for parameter in parameters)
    return best


def half_log_ratio(e0: Points, e1: Points) -> Points:
    """``ln(e0 / e1) / 2``, exact to rounding however close the two are.

    Example:
        >>> half_log_ratio(np.array([0.5 + 2.0**-50]), np.array([0.5])) * 2.0**50
        array([1.])
    """
    root0, root1 = np.sqrt(e0), np.sqrt(e1)
    with np.errstate(divide="ignore"):
        ratio: Points = np.log1p((e0 - e1) / (root1 * (root0 + root1)))
    return ratio
