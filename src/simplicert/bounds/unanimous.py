"""What unanimous votes can show at most: how many draws are worth having."""

from simplicert.bounds.clopper_pearson import clopper_pearson_lower
from simplicert.bounds.inputs import checked_alpha


def largest_e0_lower(draws: int, *, alpha: float) -> float:
    """Lower bound on E0 when all ``draws`` votes agree, ``alpha`` split over two bounds.

    No outcome of ``draws`` draws gives a larger ``e0_lower``.
    """
    return float(
        clopper_pearson_lower(draws, trials=draws, alpha=checked_alpha(alpha) / 2)
    )


def min_draws(*, alpha: float) -> int:
    """Fewest draws at which unanimous votes certify: ``largest_e0_lower > 1/2``."""
    draws = 1
    while largest_e0_lower(draws, alpha=alpha) <= 0.5:
        draws += 1
    return draws
