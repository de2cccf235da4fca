"""What unanimous votes can show at most: how many draws are worth having."""

from simplicert.arguments import checked_alpha, checked_trials
from simplicert.bounds.clopper_pearson import clopper_pearson_lower
from simplicert.bounds.hoeffding import hoeffding_lower


def largest_e0_lower(draws: int, *, alpha: float, scores: bool = False) -> float:
    """Largest lower bound on E0 that ``draws`` votes can give: all of them agree.

    ``(alpha / 2)**(1 / draws)``, or ``1 - sqrt(ln(2 / alpha) / (2 draws))`` for scores,
    rounded down: one of the two bounds of a certificate gets half of ``alpha``. No
    outcome of that many draws certifies a radius beyond the one at this point of the
    simplex.

    Args:
        draws: Number of draws, at least 1.
        alpha: Failure probability of the whole certificate, in (0, 1).
        scores: Bound soft scores by Hoeffding, not votes by Clopper-Pearson.

    Returns:
        The bound, in [0, 1).

    Raises:
        InputError: An argument outside its range.

    Example:
        >>> round(largest_e0_lower(100_000, alpha=0.001), 6)
        0.999924
    """
    n = int(checked_trials(draws))
    half = checked_alpha(alpha) / 2
    if scores:
        return float(hoeffding_lower(1.0, trials=n, alpha=half))
    return float(clopper_pearson_lower(n, trials=n, alpha=half))


def min_draws(*, alpha: float, scores: bool = False) -> int:
    """Fewest draws at which a certificate can name a class at all.

    The smallest n with ``largest_e0_lower(n) > 1/2``, since the runner-up's bound is
    ``1 - e0_lower`` when all votes agree.

    Args:
        alpha: Failure probability of the whole certificate, in (0, 1).
        scores: As for ``largest_e0_lower``.

    Returns:
        The number of draws.

    Raises:
        InputError: ``alpha`` outside (0, 1).

    Example:
        ``log2(2 / 0.001)`` is 10.97.

        >>> min_draws(alpha=0.001), min_draws(alpha=0.001, scores=True)
        (11, 16)
    """
    draws = 1
    while largest_e0_lower(draws, alpha=alpha, scores=scores) <= 0.5:
        draws += 1
    return draws
