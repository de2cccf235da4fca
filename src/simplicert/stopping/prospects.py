"""What votes certify now, and the most that they may still come to certify.

The second is an optimist's guess, which certifies nothing and costs no alpha.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from simplicert import mechanisms, paper
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.certificates import find_procedure, why_not
from simplicert.certificates.certify import default_of, radii_of
from simplicert.errors import InputError
from simplicert.identity import digest_of
from simplicert.mechanisms.catalogue import (
    MECHANISMS,
    applying,
    find_mechanism,
    name_of,
)
from simplicert.mechanisms.laws import broken_laws
from simplicert.mechanisms.protocol import Mechanism
from simplicert.noises import Noise
from simplicert.plugins import Kind
from simplicert.procedures import PROCEDURES, Procedure
from simplicert.procedures.protocol import top_two
from simplicert.procedures.reach import unanimous
from simplicert.votes import Look, Manifest, Votes

__all__ = ["Prospects", "plug_in_digest"]

FUTILE = 0.01
"""1 minus the level of the two-sided interval whose optimistic end says how far an
image may still come."""


@dataclass(frozen=True, eq=False)
class Prospects:
    """By which procedure and mechanism radii are certified, for a rule that asks.

    Attributes:
        procedure: As ``find_procedure`` gives it.
        mechanism: As ``find_mechanism`` gives it; ``None``: what ``certify`` takes by
            default for the votes' noise.
        spec: What makes them again, as JSON has it.
    """

    procedure: Procedure
    mechanism: Mechanism | None
    spec: Mapping[str, object]

    @classmethod
    def of(
        cls,
        *,
        mechanism: str | Mechanism | None,
        procedure: str | Procedure | None,
        asymptotic: bool = False,
    ) -> "Prospects":
        """Those of a mechanism and a procedure, as ``certify`` takes them.

        Raises:
            InputError: Either is unknown; the procedure needs other draws that choose
                the class; the mechanism is not monotone.
        """
        how = find_procedure(procedure, asymptotic=asymptotic)
        if how.separate:
            raise InputError(
                f"a rule cannot ask the procedure {how.name}, which needs other draws "
                "that choose the class: those of a run that stops its images do both"
            )
        what = None if mechanism is None else find_mechanism(mechanism)
        if what is not None:
            _check_monotone(what)
        found = {
            "mechanism": what and _said(MECHANISMS, mechanism, what, name_of(what)),
            "procedure": _said(PROCEDURES, procedure, how, how.name),
            **({"asymptotic": True} if how.asymptotic else {}),
        }
        return cls(how, what, found)

    def applied(self, noise: Noise) -> Mechanism:
        """The mechanism that names the class in ``certify``.

        Raises:
            InputError: It, or any of ours, has no proof for these votes.
        """
        statistic = self.procedure.statistic
        columns = applying(noise, statistic)
        columns.pop("ensemble", None)
        if self.mechanism is None:
            if columns:
                return default_of(columns)
            raise InputError(
                f"no mechanism of ours has a proof for {noise}: say which a rule is to "
                "ask, with mechanism=…"
            )
        lack = why_not(self.mechanism, noise, statistic)
        if lack is not None:
            raise InputError(f"{name_of(self.mechanism)} does not apply: {lack}")
        if self.mechanism is mechanisms.ensemble:  # the paper's, of this statistic
            names = paper.ENSEMBLES[statistic]
            members = tuple(mechanisms.BUILT_IN[name] for name in names)
            return partial(mechanisms.ensemble, members=members)
        return self.mechanism

    def now(self, votes: Votes, alpha: float) -> Float[np.ndarray, " images"]:
        """Radii as ``certify`` gives them, to the last bit, each look at its share."""
        intervals = self.procedure(votes, alpha=alpha)
        return radii_of(votes, intervals, self.applied(votes.noise))

    def best(self, votes: Votes, alpha: float) -> Float[np.ndarray, " images"]:
        """Radii at the last look, if the draws until then are the best to be expected.

        That is the end of a two-sided 99 % interval: the top class at its upper, the
        runner-up at its lower end. Scores in [0, 1] vary no more than votes of their
        mean, and are expected not to vary at all.
        """
        if (votes.draws == votes.fixed_looks[-1].draws).all():
            return self.now(votes, alpha)
        soft = self.procedure.statistic == "softmax"
        sums = votes.columns[self.procedure.columns[0]]
        last, draws = votes.fixed_looks[-1].draws, votes.draws
        rows, to_come = np.arange(len(votes)), last - votes.draws
        top, runner_up = top_two(sums)
        first = np.minimum(sums[rows, top], draws)
        second = np.minimum(sums[rows, runner_up], draws - first)
        up = clopper_pearson_upper(np.ceil(first), trials=draws, alpha=FUTILE / 2)
        down = clopper_pearson_lower(np.floor(second), trials=draws, alpha=FUTILE / 2)
        most = np.minimum(np.ceil(first + to_come * up), last)
        least = np.floor(second + to_come * np.minimum(down, 1.0 - up))
        hoped = np.zeros(votes.counts.shape)
        hoped[rows, runner_up] = np.minimum(least, last - most)
        hoped[rows, top] = most
        counted: dict[str, Any] = {
            "counts": hoped.astype(np.int64),
            "score_sums": hoped if soft else None,
            "score_squares": hoped**2 / last if soft else None,
        }
        then = replace(
            votes, **counted, draws=np.full(len(votes), last), draw_seconds=None
        )
        return self.now(then, alpha)

    def largest(
        self, manifest: Manifest, looks: Sequence[Look], alpha: float
    ) -> tuple[float, Look]:
        """The largest radius that any votes of such a run certify, and at which look.

        Raises:
            InputError: The run does not count what the procedure counts; the mechanism
                has no proof for its noise.
        """
        if self.procedure.statistic not in manifest.statistics:
            raise InputError(
                f"the procedure {self.procedure.name} counts "
                f"{self.procedure.statistic}, and this run counts "
                f"{' and '.join(manifest.statistics)} only"
            )
        found = []
        for look in looks:
            if look.share > 0.0:
                agreed = replace(
                    unanimous(look.draws),
                    sigma=manifest.sigma,
                    noise=manifest.noise_facts,
                    manifest=manifest,
                    selection=None,
                )
                found.append((float(self.now(agreed, alpha * look.share)[0]), look))
        return max(found, key=lambda each: each[0])


def _check_monotone(mechanism: Mechanism) -> None:
    if mechanism in mechanisms.BUILT_IN.values():
        return
    broken = broken_laws(mechanism).get("monotone")
    if broken is not None:
        raise InputError(
            f"a rule cannot ask the mechanism {name_of(mechanism)}, which is not "
            f"monotone: {broken}. Where better votes may certify less, nobody can tell "
            "what is still to be had"
        )


def _said(kind: Kind[Any], given: object, found: object, name: str) -> object:
    """What makes a plug-in again: a name, or where it is from and a digest of it."""
    if any(found is each for each in kind.built_in.values()):
        return name
    place = given if isinstance(given, str) else None
    return {"name": name, "place": place, "digest": plug_in_digest(kind, given)}


def plug_in_digest(kind: Kind[Any], given: object) -> str:
    """Of what somebody else wrote, without the guard that is put around it."""
    if not isinstance(given, str):
        return digest_of(given)
    names = [name.strip() for name in given.split(",")]
    return digest_of([kind.unchecked(n)[0] for n in names if n not in kind.built_in])
