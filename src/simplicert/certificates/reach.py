"""What a run can show at most, before the first draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from simplicert.mechanisms.catalogue import applying
from simplicert.noises import Noise, in_norm
from simplicert.procedures import Procedure, largest_e0_lower, min_draws
from simplicert.rounding import round_down
from simplicert.units import Unit
from simplicert.votes import Look

__all__ = ["Reach", "reach"]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What unanimous votes certify.

    Attributes:
        largest_radius: In input units, by the best of our mechanisms that apply; 0
            where nothing can be certified, NaN where none of ours applies.
        line: For people.
        warning: Why nothing can be certified, or "".
    """

    largest_radius: float
    line: str
    warning: str


def reach(
    procedure: Procedure,
    *,
    looks: Sequence[Look],
    noise: Noise,
    sigma: float,
    alpha: float,
    unit: Unit | None = None,
) -> Reach:
    """The largest radius that so many draws can certify.

    Raises:
        InputError: ``alpha`` outside (0, 1).
    """
    lower = max(
        largest_e0_lower(procedure, draws=look.draws, alpha=alpha * look.share)
        for look in looks
        if look.share > 0.0
    )
    ours = applying(noise, procedure.statistic).values()
    at = f"at alpha {alpha:g}"
    if not ours:
        return Reach(
            largest_radius=float("nan"),
            line=f"no mechanism of ours has a proof for {noise}: certify with your own",
            warning="",
        )
    largest = max(float(each(lower, 1.0 - lower, sigma=sigma)) for each in ours)
    warning = ""
    if lower == 0.0:
        last = looks[-1]
        least = min_draws(procedure, alpha=alpha * last.share)
        warning = (
            f"{last.draws} draws can never certify {at}: draw at least {least} an image"
        )
    return Reach(
        largest_radius=largest,
        line=f"largest {in_norm(noise.norm, 'radius', unit)} possible {at}: "
        f"{round_down(largest, 3):.3f}",
        warning=warning,
    )
