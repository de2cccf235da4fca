"""What a run can show at most, before the first draw."""

from dataclasses import dataclass

from simplicert.bounds import largest_e0_lower, min_draws
from simplicert.mechanisms import neyman_pearson
from simplicert.rounding import round_down

__all__ = ["Reach", "reach"]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What unanimous votes certify.

    Attributes:
        largest_radius: In input units; 0 where nothing can be certified.
        line: For people.
        warning: Why nothing can be certified, or "".
    """

    largest_radius: float
    line: str
    warning: str


def reach(*, draws: int, sigma: float, alpha: float) -> Reach:
    """The largest radius that so many draws can certify.

    Raises:
        InputError: ``alpha`` outside (0, 1).
    """
    lower = largest_e0_lower(draws, alpha=alpha)
    largest = float(neyman_pearson(lower, 1.0 - lower, sigma=sigma))
    least = min_draws(alpha=alpha)
    return Reach(
        largest_radius=largest,
        line=f"largest radius possible at alpha {alpha:g}: "
        f"{round_down(largest, 3):.3f}",
        warning=""
        if draws >= least
        else f"{draws} draws can never certify at alpha {alpha:g}: draw at least "
        f"{least} an image",
    )
