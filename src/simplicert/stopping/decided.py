"""What a run's rule decided about its images, beside their certificates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool

from simplicert.certificates import Certificates
from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs
from simplicert.stopping.catalogue import find_rule, outside_code, rule_from
from simplicert.stopping.protocol import Rule, asked, outcome_of
from simplicert.votes import Votes

__all__ = ["with_decisions"]


def with_decisions(
    certificates: Certificates, votes: Votes, *, rule: str | Rule | None = None
) -> Certificates:
    """Certificates that also say what was decided, and by which rule.

    The rule is asked at the certificates' own alpha, so that an image that is called
    certified is certified in the same row. No certificate depends on it: where it
    cannot be asked, a note says why. Of a run that stops no images nothing changes.

    Args:
        certificates: Of these votes.
        votes: As the run has them; their manifest says what stopped them.
        rule: The run's rule, where it is code of somebody's own: what a run names is
            not run for that.

    Raises:
        InputError: ``rule`` is unknown, is not the run's, or the run has none; the
            certificates are of other images.
    """
    manifest = votes.manifest
    if manifest is None or not manifest.stops_early:
        if rule is not None:
            raise InputError(
                "a rule goes with a run that stops its images, and this one has a "
                "fixed number of draws"
            )
        return certificates
    if not np.array_equal(certificates.indices, votes.indices):
        raise InputError("the certificates and the votes are of other images")
    alpha = certificates.alpha
    given = None if rule is None else _checked(rule, manifest.rule)
    try:
        found = _rule_of(manifest.rule) if given is None else given
        with shown_as_theirs(f"rule {found.name!r}"):
            decided = _decided(found, votes, alpha)
            words = {
                name: np.asarray(said).astype(str)
                for name, said in outcome_of(found, votes, alpha).items()
                if name != "look"
            }
        said = replace(certificates, decided=decided, outcome=words)
        notes = _on_alpha(manifest.rule or {}, alpha)
    except InputError as error:
        said = certificates
        notes = (
            f"the table does not say what was decided: {error}. No certificate depends "
            "on it"
        )
    before = certificates.source.get("notes", "")
    joined = "\n".join(filter(None, [before, notes]))
    return replace(said, source={**said.source, "notes": joined}) if joined else said


def _decided(rule: Rule, votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    """What the rule says of each image at its own look."""
    decided = np.zeros(len(votes), dtype=bool)
    for draws in np.unique(votes.draws):
        here = votes.draws == draws
        decided[here] = asked(rule, votes[here], alpha)
    return decided


def _rule_of(spec: Mapping[str, Any] | None) -> Rule:
    """The rule that a manifest names, if that takes no code from outside."""
    if spec is None:
        raise InputError("the run does not say what stopped its images")
    code = outside_code(spec)
    if code is not None:
        own = "digest" in _wanted(spec)
        how = "certify --rule runs it" if own else "with_decisions takes the rule"
        raise InputError(
            f"the rule needs code, {code!r:.200}, which is not run because a run names "
            f"it ({how})"
        )
    return rule_from(spec)


def _checked(given: str | Rule, spec: Mapping[str, Any] | None) -> Rule:
    """A rule that somebody gave, if it is the run's, wherever its file is now."""
    rule = given if isinstance(given, Rule) else find_rule(given)
    said = _wanted(spec or {})
    theirs = {key: said[key] for key in said if key not in {"alpha", "place"}}
    asked_for = _wanted(rule.spec)
    ours = {key: each for key, each in asked_for.items() if key != "place"}
    if ours != theirs:
        changed = theirs.get("name") == rule.name and "digest" in theirs
        raise InputError(
            f"the rule {rule.name!r} is not what stopped the images of this run: "
            + (
                "its code has changed since"
                if changed
                else f"that was {theirs.get('name')!r:.200}"
            )
        )
    return rule


def _wanted(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """What decides: a budget's is the rule that it is of."""
    inner = spec.get("of")
    return inner if isinstance(inner, Mapping) else spec


def _on_alpha(spec: Mapping[str, Any], alpha: float) -> str:
    """What another alpha than the rule's means; "" where it is the same."""
    stopped = spec.get("alpha")
    if not isinstance(stopped, int | float) or isinstance(stopped, bool):
        return (
            f"the run does not say for which alpha its images were stopped. Every "
            f"certificate holds at {alpha:g}"
        )
    if stopped == alpha:
        return ""
    means = (
        "a smaller alpha, at which some that were decided may be open"
        if alpha < stopped
        else "a larger alpha, for which some had more draws than it needs, and at "
        "which some that were futile may be open"
    )
    return (
        f"images were stopped for alpha {stopped:g}, and every certificate holds at "
        f"{alpha:g}: {means}"
    )
