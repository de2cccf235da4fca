"""The grid on which noise is added: integers, so that nothing is lost in the sum.

Inputs are moved to multiples of a step ``q``, noise is ``floor(sigma Z / q)`` steps,
the sum of integers is exact, and it is rounded once to what the model takes. For an
input ``x`` on the grid it is ``q floor((x + sigma Z) / q)``: a function of the *real*
``x + sigma Z``, so that every theorem about that applies to what is voted on. In
floating point it would not: the low bits of such a sum tell what was added.
"""

import math

__all__ = ["RESOLUTION", "displacement", "grid_step", "largest_input"]

RESOLUTION = 40
"""Sigma is 2**40 to 2**41 steps."""


def grid_step(sigma: float) -> float:
    """The step, a power of two.

    Example:
        >>> grid_step(0.5) == grid_step(0.99) == 2.0**-41
        True
    """
    return math.ldexp(1.0, math.frexp(sigma)[1] - 1 - RESOLUTION)


def largest_input(sigma: float) -> float:
    """No input value may be larger: beside it the noise would hardly be seen."""
    return sigma * 2.0**20


def displacement(
    norm: str, *, values: int, step: float, rounding: float = 0.0
) -> float:
    """How far two inputs may be moved to the grid together: what radii are lessened by.

    Half a step in each value, of the certified input and of any in its ball; and what
    their conversion to a unit rounds.

    Args:
        norm: Of the balls.
        values: Of an input.
        step: Of the grid, in input units.
        rounding: Of two values together, at most.

    Returns:
        A length in that norm; 0 where radii are no distances between inputs.

    Example:
        >>> displacement("l2", values=3072, step=grid_step(0.5)) < 3e-11
        True
    """
    steps = {"l1": float(values), "l2": math.sqrt(values), "linf": 1.0, "none": 0.0}
    return 1.001 * steps[norm] * (step + rounding)  # a little more, for rounding
