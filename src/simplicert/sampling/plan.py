"""Where votes come from, written down before they are drawn."""

import datetime
import functools
import importlib.metadata
import math
import platform
import secrets
import subprocess
from dataclasses import asdict

import numpy as np
import torch
from pydantic import ValidationError

from simplicert.arguments import checked_alpha, checked_draws, checked_sigma
from simplicert.certificates import ALPHA
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.runtimes import RUNTIMES
from simplicert.data import Dataset
from simplicert.errors import InputError
from simplicert.noises import Noise
from simplicert.noises.grid import grid_step, largest_input
from simplicert.sampling.soft import MEANS, SoftScores, checked_temperature
from simplicert.sampling.tally import statistics_of
from simplicert.stopping import Rule, check_rule, looks_for
from simplicert.units import PIXELS
from simplicert.votes import DataSource, Manifest, ModelSource, NoiseSource
from simplicert.votes.looks import one_look
from simplicert.votes.sources import DenoiserSource

DEFAULT_BLOCK = 1000


def usual_block(draws: int, *, most: int | None = None) -> int:
    """The divisor of ``draws`` nearest to 1,000, as a ratio; no less than 100.

    Args:
        draws: An image's.
        most: The largest that will do, at least 1. Default: ``draws``.

    Example:
        >>> [usual_block(draws) for draws in (100_000, 700, 1500, 1999)]
        [1000, 700, 750, 1999]
        >>> usual_block(700, most=350)
        350
    """
    root = min(math.isqrt(draws), 50_000)
    small = [d for d in range(1, root + 1) if draws % d == 0]
    divisors = [d for d in (*small, *(draws // d for d in small)) if d <= (most or d)]
    return min(divisors, key=lambda d: (d < 100, abs(math.log(d / DEFAULT_BLOCK))))


def _check_offsets(dataset: Dataset, sigma: float) -> None:
    """Refuse values beside whose offset the classifier would not see the noise.

    Raises:
        InputError: As said; names the first.
    """
    unit = dataset.unit
    offsets, scales = np.broadcast_arrays(unit.offsets(1), unit.scales(1))
    lost = np.abs(offsets) > largest_input(sigma) * scales
    if lost.any():
        entry = int(np.argmax(lost))
        one = dataset.entry(entry) if unit.entries > 1 else "all"
        raise InputError(
            f"{unit.name}: the offset of {one}, {offsets[entry]:g}, is so large that "
            f"noise of sigma {sigma:g} × {scales[entry]:g} beside it would be lost in "
            "float32, which the classifier takes: give the data without the offset, to "
            "a classifier that adds it"
        )


def describe_run(
    classifier: Classifier,
    dataset: Dataset,
    classes: int,
    *,
    sigma: float,
    noise: Noise,
    draws: int,
    block: int | None,
    batch: int,
    seed: int | None,
    precision: str,
    runtime: str,
    device: torch.device,
    threads: int,
    rule: Rule | None = None,
    alpha: float = ALPHA,
    scores: SoftScores = MEANS,
) -> Manifest:
    """The manifest of a run that is about to start.

    Raises:
        InputError: A number is out of range, or ``draws`` not a multiple of ``block``;
            a rule that could never be met; of soft scores what there is not.
    """
    scores.check(classifier)
    if rule is not None and block is not None:
        raise InputError(
            f"a block of {block}: a run whose images stop has blocks from look to "
            "look, leave it out"
        )
    draws, sigma = checked_draws(draws), checked_sigma(sigma)
    checked_alpha(alpha)
    most = max(abs(dataset.unit.low or 0.0), abs(dataset.unit.high or 0.0))
    if largest_input(sigma) < most:
        raise InputError(
            f"sigma {sigma:g} is too small beside inputs of up to {most:g}: in float32 "
            f"they would lose such noise. It must be at least "
            f"{most / largest_input(1.0):.1e}"
        )
    _check_offsets(dataset, sigma)
    if rule is None and block is None:
        block = usual_block(draws, most=max(draws // 5, 1) if scores.margins else None)
    before = classifier.denoiser
    margins = scores.source(classes=classes, draws=draws, block=block)
    try:
        plan = Manifest(
            sigma=sigma,
            noise=NoiseSource.of(noise, step=grid_step(sigma)),
            looks=[*(one_look(draws) if rule is None else looks_for(draws))],
            block=block,
            rule=None if rule is None else {**rule.spec, "alpha": alpha},
            seed=seed if seed is not None else secrets.randbits(63),
            classes=classes,
            statistics=[*statistics_of(classifier.output)],  # type: ignore[list-item]  # likewise
            margins=margins,
            temperature=checked_temperature(scores.temperature),
            model=ModelSource(
                name=classifier.name,
                digest=classifier.digest,
                training_sigma=classifier.training_sigma,
                denoiser=(None if before is None else DenoiserSource(**asdict(before))),
            ),
            data=DataSource(
                name=f"{dataset.name}/{dataset.split}",
                digest=dataset.digest,
                shape=list(dataset.shape),
                class_names=list(dataset.class_names) or None,
                cut=dataset.cut,
                unit=None if dataset.unit == PIXELS else dataset.unit,
                features=list(dataset.features) or None,
                neighbours=dataset.neighbours,
            ),
            images=dataset.indices.tolist(),
            labels=None if dataset.labels is None else dataset.labels.tolist(),
            precision=precision,  # type: ignore[arg-type]  # pydantic checks it
            runtime=runtime,
            batch=batch,
            device=device.type,
            threads=threads if device.type == "cpu" else 0,
            versions=dict(_versions(RUNTIMES[runtime].package)),
            git_commit=_git_commit(),
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        message = f"{where}: {why}, got {first['input']!r}" if where else why
        raise InputError(message) from error
    if rule is not None:
        check_rule(rule, plan, alpha=alpha)
    return plan


@functools.cache  # read from files, which takes as long as some hundred draws
def _versions(*others: str | None) -> tuple[tuple[str, str], ...]:
    """Of Python and of the packages that decide the votes."""
    packages = ("simplicert", "torch", "numpy", *filter(None, others))
    found = {package: importlib.metadata.version(package) for package in packages}
    return ("python", platform.python_version()), *found.items()


def _git_commit() -> str | None:
    """Commit of the working directory's checkout, ``None`` outside of one."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
