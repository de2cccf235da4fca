"""What a run will cost, before the first draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simplicert.noises import gaussian
from simplicert.sampling.bill import Bill
from simplicert.sampling.glance import Glance
from simplicert.sampling.trials import RuntimeTrial
from simplicert.votes import Manifest
from simplicert.votes.joining import TOGETHER
from simplicert.votes.rows import Found
from simplicert.votes.words import rule_in_words

__all__ = ["Forecast", "forecast"]

UNLIKE = 1.5
"""Factor between the noise of training and of sampling that is worth a warning."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A run's cost.

    Attributes:
        lines: For people, one fact each.
        warnings: What they may not have meant.
        passes: Noisy forward passes in all, at most.
        seconds: How long the passes that are missing will take, at most.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    passes: int
    seconds: float


def forecast(
    plan: Manifest,
    *,
    speed: float,
    missing: int,
    processes: int = 1,
    normalisations: int | None = None,
    remarks: Sequence[str] = (),
    glance: Glance | None = None,
    fp32_speed: float | None = None,
    runtimes: RuntimeTrial | None = None,
    flush: float = 20.0,
    bill: Bill | None = None,
) -> Forecast:
    """Describe a run that is about to start.

    Args:
        plan: Its manifest.
        speed: Draws a second of one process, from a trial.
        missing: Draws that are not on disk yet, at most.
        processes: That share it.
        normalisations: Layers of the model that subtract a mean and divide by a
            deviation, if that is known.
        remarks: More of what may not have been meant, from the classifier.
        glance: How the classifier does on the first images, where they have labels.
        fp32_speed: Draws a second in fp32, where that is not what is asked for.
        runtimes: The trial that chose its runtime, if one did.
        flush: Seconds between two writes of a process.
        bill: What it costs, if passes do.
    """
    seconds = missing / (speed * processes)
    passes = Found(plan).to_come
    lines: tuple[str, ...] = (
        f"{_passes(plan, passes)} of {plan.model.name} on {plan.data.name}, "
        f"{plan.noise.name} noise of sigma {plan.sigma:g}{_unit(plan)}",
        *_conversion(plan),
        *_denoiser(plan),
        *_stops(plan),
        *_scores(plan),
        f"{plan.precision} on {plan.device}{_by(plan)}, batch {plan.batch:,}, "
        f"processes {processes}: about {speed:,.0f} draws/s each"
        + (", measured alone" if processes > 1 else ""),
        *_trial(plan, runtimes),
        _to_go(plan, missing=missing, seconds=seconds, speed=speed * processes),
        *([bill.line] if bill is not None else []),
        *([glance.line] if glance is not None else []),
        *_resources(plan, seconds=seconds, processes=processes, flush=flush),
    )
    if plan.data.cut is not None:
        lines += (f"images are cut: {plan.data.cut}",)
    warnings = [*remarks]
    if glance is not None and glance.warning is not None:
        warnings.append(glance.warning)
    if plan.probe is not None and not plan.probe.repeatable:
        warnings.append(
            "the classifier answers at random: certificates hold, but its votes cannot "
            "be drawn again, by a resumed run or by anybody else"
        )
    if fp32_speed is not None and fp32_speed > speed:
        warnings.append(
            f"{plan.precision} is slower here than fp32, which makes about "
            f"{fp32_speed:,.0f} draws/s: the processor has no instructions for it"
        )
    if plan.margins is not None and not gaussian.shares_law(plan.noise_facts):
        warnings.append(
            f"no procedure of ours certifies margins under {plan.noise.name} noise: "
            "their proof is about Gaussian noise"
        )
    trained = plan.model.training_sigma
    what = "model" if plan.model.denoiser is None else "denoiser"
    if trained is not None and not 1 / UNLIKE < (trained or 1e-9) / plan.sigma < UNLIKE:
        warnings.append(
            f"the {what} was trained with sigma {trained:.4g}, not {plan.sigma:g}: it "
            "will see noise that it does not know"
        )
    if normalisations == 0 and plan.data.inputs == "images":
        warnings.append(
            "no layer with a mean and a std is found in the model: does it take pixels "
            "in [0, 1] as they are? If not, give --mean and --std"
        )
    if normalisations is not None and normalisations > 1:
        warnings.append(
            f"the model has {normalisations} layers with a mean and a std: does it "
            "normalise its input twice?"
        )
    if plan.labels is None:
        warnings.append(
            f"the {plan.data.inputs} have no labels: radii yes, accuracy no"
        )
    return Forecast(
        lines=lines, warnings=tuple(warnings), passes=passes, seconds=seconds
    )


def _unit(plan: Manifest) -> str:
    return "" if plan.data.unit is None else f", in {plan.data.unit}"


def _conversion(plan: Manifest) -> list[str]:
    said = "" if plan.data.unit is None else plan.data.unit.conversion
    return [said] if said else []


def _denoiser(plan: Manifest) -> list[str]:
    before = plan.model.denoiser
    return [] if before is None else [f"denoised by {before}"]


def _by(plan: Manifest) -> str:
    return "" if plan.runtime == "eager" else f" by {plan.runtime}"


def _trial(plan: Manifest, found: RuntimeTrial | None) -> tuple[str, ...]:
    """What the trial found that chose, if it was not another share's."""
    return found.lines if found is not None and found.fastest == plan.runtime else ()


def _passes(plan: Manifest, most: int) -> str:
    images = f"{len(plan.images):,} {plan.data.inputs}"
    if not plan.stops_early:
        return f"{images} × {plan.draws:,} draws = {most:,} passes"
    least = len(plan.images) * plan.looks[0].draws
    each = f"{plan.looks[0].draws:,} to {plan.draws:,} draws"
    return f"{images} × {each} = {least:,} to {most:,} passes"


def _stops(plan: Manifest) -> list[str]:
    if not plan.stops_early:
        return []
    looks = ", ".join(f"{look.draws:,}" for look in plan.looks)
    one, when = plan.data.inputs.removesuffix("s"), rule_in_words(plan.rule)
    return [f"an {one} stops when {when}: asked after {looks} draws"]


def _scores(plan: Manifest) -> list[str]:
    said = []
    if plan.temperature != 1.0:
        said.append(f"soft scores at temperature {plan.temperature:g}")
    if plan.margins is not None:
        over = f"{plan.margins.rivals} rivals and all others"
        if plan.classes == 2:
            over = "the other class"
        said.append(
            f"margins over {over}; the first {plan.margins.pilot:,} draws choose"
        )
    return ["; ".join(said)] if said else []


def _to_go(plan: Manifest, *, missing: int, seconds: float, speed: float) -> str:
    if not plan.stops_early:
        return f"{missing:,} passes to go, about {_duration(seconds)}"
    least = len(plan.images) * plan.looks[0].draws
    soonest = min(seconds, least / speed)
    return (
        f"at most {missing:,} passes to go: {_duration(soonest)} if the first look "
        f"decides all, {_duration(seconds)} if none stops"
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def storage(plan: Manifest) -> int:
    """Bytes that the votes of a run take at most; compressed they are fewer."""
    cells = 3 + sum(plan.widths().values())  # which block, its time
    return len(plan.images) * plan.blocks * cells * 8


def _resources(
    plan: Manifest, *, seconds: float, processes: int, flush: float
) -> list[str]:
    """What a run of an hour or more asks of a cluster, in a line."""
    hours = seconds * processes / 3600
    if hours < 1:
        return []
    kind = "CPU" if plan.device == "cpu" else "GPU"
    flushes = math.ceil(seconds / max(flush, 1.0))
    # Each process joins as many of its files as there may be of one size.
    sizes = math.ceil(math.log(flushes + 1, TOGETHER))
    files = processes * min(flushes, TOGETHER * sizes)
    return [
        f"{hours * max(1, plan.threads):,.0f} {kind}-hours, at most "
        f"{math.ceil(storage(plan) / 2**20):,} MiB on disk, in up to {files:,} files "
        "until they are joined"
    ]
