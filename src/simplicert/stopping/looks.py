"""At which numbers of draws images may stop, and with what share of alpha each."""

from collections.abc import Sequence

from simplicert.arguments import checked_draws
from simplicert.errors import InputError
from simplicert.votes import Look
from simplicert.votes.looks import check_looks

__all__ = ["EARLY", "FIRST", "looks_for", "spread"]

EARLY = 0.4
"""Share of alpha of all looks but the last: most images need the whole of it at the
horizon or nearly nothing before, so that most of alpha is best kept for the last."""

FIRST, GROWTH = 30, 1.5
"""Draws of the first look, and of each look over the one before."""

NEAR_THE_END = 0.8
"""Share of the horizon from which on no look is worth its alpha but the last."""

COARSE = 300
"""From here on looks are whole fifties: few chunks of noise are drawn in two pieces."""


def looks_for(horizon: int, *, first: int = FIRST) -> tuple[Look, ...]:
    """The plan of a run whose images stop when they are decided.

    A first look after a few draws, each half as many again as the last, in whole tens;
    the horizon has 0.6 of alpha, the looks before it share the rest equally. How it was
    chosen is in ``docs/looks.md``.

    Args:
        horizon: The most draws that an image can get: the last look.
        first: About where the first look is.

    Raises:
        InputError: One of them is no whole number, or less than 1.

    Example:
        >>> [look.draws for look in looks_for(1000)]
        [30, 40, 70, 100, 150, 230, 350, 500, 750, 1000]
    """
    last, draws, n = checked_draws(horizon), set(), float(checked_draws(first))
    while n < NEAR_THE_END * last:
        whole = 10 if n < COARSE else 50
        draws.add(whole * round(n / whole))
        n *= GROWTH
    return spread([*sorted(each for each in draws if 0 < each < last), last])


def spread(draws: Sequence[int]) -> tuple[Look, ...]:
    """Looks at these numbers of draws: the last has 0.6 of alpha, the others the rest.

    Raises:
        InputError: None, or they do not rise.

    Example:
        >>> [look.share for look in spread([100, 300, 1000])]
        [0.2, 0.2, 0.6]
    """
    if not draws:
        raise InputError("looks must hold at least one")
    early = len(draws) - 1
    shares = [*[EARLY / max(early, 1)] * early, 1.0 - EARLY if early else 1.0]
    looks = tuple(map(Look, draws, shares))
    check_looks(looks)
    return looks
