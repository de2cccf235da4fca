"""What a run will cost and can show, before the first draw."""

from dataclasses import dataclass

from simplicert.bounds import largest_e0_lower, min_draws
from simplicert.mechanisms import neyman_pearson
from simplicert.rounding import round_down
from simplicert.votes import Manifest

__all__ = ["Preflight", "preflight"]

UNLIKE = 1.5
"""Factor between the noise of training and of sampling that is worth a warning."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """A run's cost and reach.

    Attributes:
        lines: For people, one fact each.
        warnings: What they may not have meant.
        passes: Noisy forward passes in all.
        seconds: How long the passes that are missing will take.
        largest_radius: What unanimous votes certify, in input units.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    passes: int
    seconds: float
    largest_radius: float

    def __str__(self) -> str:
        return "\n".join([*self.lines, *(f"warning: {text}" for text in self.warnings)])


def preflight(
    plan: Manifest,
    *,
    speed: float,
    missing: int,
    alpha: float,
    workers: int = 1,
    normalisations: int = 0,
) -> Preflight:
    """Describe a run that is about to start.

    Args:
        plan: Its manifest.
        speed: Draws a second of one worker, from a trial.
        missing: Draws that are not on disk yet.
        alpha: Failure probability it will be certified at.
        workers: Processes that share it.
        normalisations: Layers of the model that subtract a mean and divide by a
            deviation, as far as is known.

    Raises:
        InputError: ``alpha`` outside (0, 1).
    """
    lower = largest_e0_lower(plan.draws, alpha=alpha)
    largest = float(neyman_pearson(lower, 1.0 - lower, sigma=plan.sigma))
    seconds = missing / (speed * workers)
    passes = len(plan.images) * plan.draws
    lines = (
        f"{len(plan.images):,} images × {plan.draws:,} draws = {passes:,} passes of "
        f"{plan.model.name} on {plan.data.name}, sigma {plan.sigma:g}",
        f"{plan.precision} on {plan.device}, batch {plan.batch:,}, "
        f"workers {workers}: about {speed:,.0f} draws/s each",
        f"{missing:,} passes to go, about {_duration(seconds)}",
        f"largest radius possible at alpha {alpha:g}: {round_down(largest, 3):.3f}",
    )
    warnings = []
    least = min_draws(alpha=alpha)
    if plan.draws < least:
        warnings.append(
            f"{plan.draws} draws can never certify at alpha {alpha:g}: draw at least "
            f"{least} an image"
        )
    trained = plan.model.training_sigma
    if trained is not None and not 1 / UNLIKE < (trained or 1e-9) / plan.sigma < UNLIKE:
        warnings.append(
            f"the model was trained with sigma {trained:g}, not {plan.sigma:g}: it "
            "will see noise that it does not know"
        )
    if normalisations > 1:
        warnings.append(
            f"the model has {normalisations} layers with a mean and a std: does it "
            "normalise its input twice?"
        )
    if plan.labels is None:
        warnings.append("the images have no labels: radii yes, accuracy no")
    return Preflight(
        lines=lines,
        warnings=tuple(warnings),
        passes=passes,
        seconds=seconds,
        largest_radius=largest,
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
