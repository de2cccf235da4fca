"""The fastest runtime, by a trial before the first draw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simplicert.classifiers.runtimes import RUNTIMES
from simplicert.errors import InputError
from simplicert.votes import Manifest

if TYPE_CHECKING:
    from simplicert.sampling.sampler import Sampler

__all__ = ["AUTO", "RuntimeTrial", "fastest"]

AUTO = "auto"
"""The runtime that a trial chooses."""

_BETTER = 1.05
"""So much faster must another runtime be than torch itself, which others can repeat."""

_ROUNDS, _SECONDS = 3, 0.3

_WORTH_TRYING, _WORTH_COMPILING = 60.0, 600.0
"""From so many seconds on that a run takes, seconds of exporting a network are worth a
try; and a minute or more of compiling."""


@dataclass(frozen=True, kw_only=True)
class RuntimeTrial:
    """What a trial of runtimes found.

    Attributes:
        speeds: Draws a second of each that ran, by name.
        refused: Why each other one did not.
    """

    speeds: Mapping[str, float]
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def fastest(self) -> str:
        """The fastest, where it is clearly faster than torch itself."""
        best = max(self.speeds, key=lambda name: self.speeds[name])
        return best if self.speeds[best] > _BETTER * self.speeds["eager"] else "eager"

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        by_speed = sorted(self.speeds.items(), key=lambda each: -each[1])
        speeds = ", ".join(f"{name} {speed:,.0f}" for name, speed in by_speed)
        return (
            f"runtime {self.fastest}, of a trial: {speeds} draws/s",
            *(f"not {name}: {why}" for name, why in self.refused.items()),
        )


def fastest(sampler: "Sampler", plan: Manifest) -> "Sampler":
    """The sampler by the fastest runtime at a plan's batch, and what a trial found."""
    eager = sampler.by("eager")
    found = {"eager": eager}
    speeds = {"eager": eager.trial(plan, seconds=_SECONDS)}
    refused = {}
    took = plan.draws * len(plan.images) / speeds["eager"]
    for name, runtime in RUNTIMES.items():
        worth = _WORTH_COMPILING if runtime.compiles else _WORTH_TRYING
        if name not in found and took < worth:
            refused[name] = f"tried of runs of {worth:.0f} s or more"
        elif name not in found:
            try:
                other = sampler.by(name)
                speeds[name] = other.trial(plan, seconds=_SECONDS)
                found[name] = other
            except InputError as error:
                refused[name] = str(error)
    for name, other in [*found.items()] * (_ROUNDS - 1):  # in turn
        speeds[name] = max(speeds[name], other.trial(plan, seconds=_SECONDS))
    trial = RuntimeTrial(speeds=speeds, refused=refused)
    best = found[trial.fastest]
    best.runtimes = trial
    return best
