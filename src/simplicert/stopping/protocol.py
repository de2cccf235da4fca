"""What a stopping rule is: a pure function of the votes so far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Int

from simplicert.errors import InputError
from simplicert.identity import digest_of
from simplicert.plugins import shown_as_theirs
from simplicert.votes import Look, Manifest, Votes

__all__ = ["Outcome", "Rule", "asked", "check_rule", "draws_to_come", "outcome_of"]

Outcome: TypeAlias = Mapping[str, np.ndarray]
"""Columns of a table by name: a short word for each image."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which images need no more draws, asked at each of their looks.

    It costs no alpha and cannot spoil a certificate, whatever it looks at: the bounds
    of all looks hold at once (``docs/bounds.md``, "Looks").

    Attributes:
        name: What options call it.
        decided: ``(votes, alpha)`` → one truth an image. All images of ``votes`` are at
            the same look, which is the number of their draws; ``votes.looks`` is the
            whole plan, and ``alpha`` that of the certificate they are drawn for. A pure
            function: of an image's own votes, whoever else is there.
        parameters: What a rule of ours was made with, as JSON has it.
        outcome: ``(votes, alpha)`` → what was decided, in words.
        fits: ``(manifest, looks, alpha)``: raises ``InputError`` where it could never
            be met, before the first draw.
        total: The most draws of all images together; the images that are nearest to a
            decision are drawn first. ``None``: no limit.
        place: What names a rule from outside, ``"file.py:rule"``.
    """

    name: str
    decided: Callable[[Votes, float], Bool[np.ndarray, " images"]]
    parameters: Mapping[str, object] | None = None
    outcome: Callable[[Votes, float], Outcome] | None = None
    fits: Callable[[Manifest, Sequence[Look], float], None] | None = None
    total: int | None = None
    place: str | None = None

    @property
    def spec(self) -> dict[str, object]:
        """What a manifest keeps of it; ``rule_from`` makes the same one again.

        A rule from outside is its place and the digest of its code.
        """
        if self.parameters is not None:
            return {"name": self.name, **self.parameters}
        return {
            "name": self.name,
            "place": self.place,
            "digest": digest_of(self.decided),
        }


def asked(rule: Rule, votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    """What a rule says of images at one look, checked.

    Raises:
        InputError: It raises, or returns something else than a truth an image.
    """
    if not len(votes):
        return np.zeros(0, dtype=bool)
    with shown_as_theirs(f"rule {rule.name!r}"):
        decided = np.asarray(rule.decided(votes, alpha))
    if decided.shape != (len(votes),) or decided.dtype != np.bool_:
        raise InputError(
            f"rule {rule.name!r} returned {decided.dtype} of shape {decided.shape} for "
            f"{len(votes)} images: it must return one truth an image"
        )
    return decided


def check_rule(
    rule: Rule, manifest: Manifest, *, alpha: float, looks: Sequence[Look] | None = None
) -> None:
    """Refuse a rule that no votes of such a run could meet, before the first draw.

    Args:
        rule: The rule.
        manifest: Of the run.
        alpha: Failure probability of each image's certificate.
        looks: At which it is asked. Default: the manifest's.

    Raises:
        InputError: A radius is beyond what the looks reach; what a rule counts is not
            counted in this run; its mechanism has no proof for the run's noise.
    """
    if rule.fits is not None:
        rule.fits(manifest, manifest.looks if looks is None else looks, alpha)


def outcome_of(rule: Rule, votes: Votes, alpha: float) -> dict[str, np.ndarray]:
    """At which look each image stopped, and what a rule says of it there.

    Args:
        rule: The rule.
        votes: As a run has them: each image at any look.
        alpha: Failure probability of each image's certificate.

    Returns:
        ``look``, counted from 1; then, by columns of the rule's own, words.
    """
    looks = votes.fixed_looks
    found: dict[str, np.ndarray] = {"look": np.zeros(len(votes), dtype=np.int64)}
    for number, look in enumerate(looks, start=1):
        here = votes.draws == look.draws
        if not here.any():
            continue
        found["look"][here] = number
        there = replace(votes[here], looks=looks)
        if rule.outcome is not None:
            said = rule.outcome(there, alpha)
        else:
            decided = asked(rule, there, alpha)
            said = {rule.name: np.where(decided, "decided", "open")}
        for name, words in said.items():
            found.setdefault(name, np.full(len(votes), "", dtype=object))[here] = words
    return found


def draws_to_come(rule: Rule, votes: Votes, alpha: float) -> Int[np.ndarray, " images"]:
    """How many more draws an image needs until a rule is met, if its votes go on so.

    The rule is asked of the votes that later looks would have, with the shares of now:
    up to the last look, where there is an end to it anyway.
    """
    looks = votes.fixed_looks
    found: Int[np.ndarray, " images"] = looks[-1].draws - votes.draws
    waiting = np.ones(len(votes), dtype=bool)
    for look in looks[:-1]:
        later = np.flatnonzero(waiting & (votes.draws < look.draws))
        if len(later):
            then = asked(rule, _gone_on(votes[later], look.draws, looks), alpha)
            found[later[then]] = look.draws - votes.draws[later[then]]
            waiting[later[then]] = False
    return found


def _gone_on(votes: Votes, draws: int, looks: tuple[Look, ...]) -> Votes:
    """Votes with the same shares of more draws."""
    times = (draws / votes.draws)[:, None]
    columns: dict[str, Any] = {
        name: (values * times).astype(values.dtype)  # votes rounded down
        for name, values in votes.columns.items()
    }
    several = np.full(len(votes), draws)
    return replace(votes, **columns, draws=several, looks=looks, draw_seconds=None)
