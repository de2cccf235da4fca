"""What is served, and under which conditions: fixed before the first request."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simplicert.certificates import ALPHA, Certificates, certify, find_procedure
from simplicert.certificates.reach import reach
from simplicert.data import Dataset
from simplicert.data.digests import digest_of_bytes
from simplicert.errors import InputError
from simplicert.sampling import Sampler
from simplicert.serve.bodies import Bodies
from simplicert.stopping import Rule, until
from simplicert.units import Unit
from simplicert.votes import Manifest, Votes

__all__ = ["DRAWS", "SHIFT", "Service", "prepare", "served_inputs"]

DRAWS = 10_000
"""The most that an input can get, where nothing else is said."""

SHIFT = 2000
"""Inputs of a shift: those that are logged in one run."""

_EXAMPLES = 8
"""Inputs about which the classifier is asked before it is served."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A classifier in service.

    Attributes:
        sampler: The classifier, made ready and probed.
        plan: What each shift is drawn by, but for its seed and images.
        rule: What stops an input.
        triage: Radii between bands; empty where there are none.
        bodies: Reads inputs.
        alpha: Failure probability of each input's certificate.
        mechanism: What names the class and the radius.
        hide: Whether decisions are told without radii.
        speed: Draws a second, measured before.
        step: Draws between two looks at who waits.
    """

    sampler: Sampler
    plan: Manifest
    rule: Rule
    triage: tuple[float, ...]
    bodies: Bodies
    alpha: float
    mechanism: str | None
    hide: bool
    speed: float
    step: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """One a class; empty if unknown."""
        return self.sampler.dataset.class_names or self.sampler.classifier.class_names

    @property
    def bands(self) -> tuple[str, ...]:
        """What triage calls radii, from the smallest, and what abstains."""
        if not self.triage:
            return ()
        told = [np.format_float_positional(each, trim="-") for each in self.triage]
        between = [f"{low} to {high}" for low, high in itertools.pairwise(told)]
        return ("abstains", f"below {told[0]}", *between, f"{told[-1]} and more")

    def band(self, radius: float) -> str | None:
        """Where a radius lies; ``None`` without triage."""
        if not self.triage:
            return None
        if not radius > 0.0:
            return self.bands[0]
        return self.bands[1 + int(np.searchsorted(self.triage, radius, side="right"))]

    def certify(self, votes: Votes) -> Certificates:
        """The library's certificates of these votes, and nothing else."""
        return certify(votes, alpha=self.alpha, mechanism=self.mechanism)

    def conditions(self) -> dict[str, Any]:
        """What every answer rests on."""
        plan = self.plan
        return {
            "model": plan.model.name,
            "sigma": plan.sigma,
            "noise": plan.noise.name,
            "norm": plan.noise.norm,
            "unit": str(self.bodies.unit),
            "alpha": self.alpha,
        }

    def in_words(self) -> list[str]:
        """What will be done, before the first request."""
        plan, looks = self.plan, self.plan.looks
        about = ", ".join(f"{key} {each}" for key, each in self.conditions().items())
        reached = reach(
            find_procedure(),
            looks=looks,
            noise=self.sampler.noise,
            sigma=plan.sigma,
            alpha=self.alpha,
            unit=self.bodies.unit,
        )
        draws = ", ".join(f"{look.draws:,}" for look in looks)
        seconds = plan.draws / self.speed
        lines = [
            about,
            f"inputs of shape {self.bodies.like.shape}, at most {self.bodies.most} a "
            f"request, {self.bodies.most_bytes / 1e6:.1f} MB a body",
            f"looks at {draws} draws; the last has {looks[-1].share:g} of alpha",
            f"{self.speed:,.0f} draws/s here: an input takes at most {plan.draws:,} "
            f"draws, {seconds:.2g} s if it is alone, and a request "
            f"{plan.draws * self.bodies.most:,}",
            reached.line,
        ]
        lines += filter(None, [self.bodies.unit.conversion])
        if plan.model.denoiser is not None:
            lines.append(f"denoised by {plan.model.denoiser}")
        if self.triage:
            lines.append(
                f"an input stops when its band is decided: {', '.join(self.bands)}"
            )
        else:
            lines.append("an input stops when its class is decided")
        if reached.warning:
            lines.append(f"warning: {reached.warning}")
        return lines


def _examples(shape: Sequence[int], unit: Unit | None) -> np.ndarray:
    """Inputs that are asked about where nobody gives any: noise, always the same."""
    generator = np.random.default_rng(0)
    drawn: np.ndarray = generator.random((_EXAMPLES, *shape), dtype=np.float32)
    if unit is None or not unit.is_converted:
        return drawn
    axes = len(shape)
    found: np.ndarray = unit.offsets(axes) + unit.scales(axes) * drawn
    return found


def served_inputs(
    shape: Sequence[int],
    *,
    like: Dataset | None = None,
    names: Sequence[str] = (),
    unit: Unit | None = None,
) -> Dataset:
    """The data set that stands for what will come: a few examples of it, as they come.

    Args:
        shape: Of an input, where there are no examples.
        like: Where examples are.
        names: Of the classes, where there are no examples.
        unit: That they will be measured in; of what it is about, where there are none.
    """
    if like is not None:
        few = like.select(np.arange(min(_EXAMPLES, len(like))))
        values, names = few.read(np.arange(len(few))), like.class_names
    else:
        values = _examples(shape, unit)
    found = Dataset(
        name="served inputs",
        split="requests",
        shape=values.shape[1:],
        class_names=tuple(names),
        labels=None,
        indices=np.arange(len(values)),
        reader=lambda rows: values[rows],
        fingerprint=lambda: digest_of_bytes(values, b""),
        cut=None if like is None else like.cut,
    )
    if like is None:
        return found
    return replace(found, features=like.features, unit=like.unit)


def prepare(
    sampler: Sampler,
    *,
    sigma: float,
    draws: int = DRAWS,
    triage: Sequence[float] = (),
    alpha: float = ALPHA,
    mechanism: str | None = None,
    batch: int | None = None,
    hide: bool = False,
    bodies: Bodies,
    seconds: float = 0.5,
) -> Service:
    """Make a classifier ready to be served, or refuse it.

    Args:
        sampler: The classifier and examples of its inputs.
        sigma: Standard deviation of the noise, in the inputs' unit.
        draws: The most that an input can get.
        triage: Radii between bands: an input gets no more draws than decide its band.
        alpha: Failure probability of each input's certificate.
        mechanism: As ``certify`` takes it.
        batch: Most draws a forward pass.
        hide: Tell decisions without radii.
        bodies: Reads inputs.
        seconds: About how long is drawn between two looks at who waits.

    Raises:
        InputError: A number is out of range; the classifier answers at random, or
            looks at what shares a pass.
    """
    if hide and triage:
        raise InputError(
            "triage tells radii in bands, by its answers and by the draws that they "
            "take, and hidden radii are to be told by nothing: choose one of the two"
        )
    rule = until(triage or [0.0], mechanism=mechanism)
    plan = sampler.plan(sigma=sigma, draws=draws, batch=batch, rule=rule, alpha=alpha)
    if plan.probe is None or not plan.probe.repeatable:
        raise InputError(
            f"{plan.model.name} answers the same input otherwise another time: nobody "
            "could draw its votes again, so it is not served. Switch off what is "
            "random in it"
        )
    speed = sampler.trial(plan)
    return Service(
        sampler=sampler,
        plan=plan,
        rule=rule,
        triage=tuple(triage),
        bodies=bodies,
        alpha=alpha,
        mechanism=mechanism,
        hide=hide,
        speed=speed,
        step=max(plan.batch, int(speed * seconds)),
    )
