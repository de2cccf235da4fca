"""A rule, from what an option says or from what a manifest keeps of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simplicert import stopping
from simplicert.errors import InputError
from simplicert.identity import digest_of
from simplicert.mechanisms.catalogue import MECHANISMS
from simplicert.procedures import PROCEDURES
from simplicert.stopping.budget import budget
from simplicert.stopping.prospects import plug_in_digest
from simplicert.stopping.protocol import Rule
from simplicert.stopping.until import until
from simplicert.stopping.within import within

__all__ = ["MAKERS", "as_rule", "find_rule", "outside_code", "rule_from"]

MAKERS: Mapping[str, Callable[..., Rule]] = {
    "until": until,
    "within": within,
    "budget": budget,
}
"""Rules that take parameters, by name."""


def find_rule(spec: str | Rule) -> Rule:
    """The rule that a text names, which then knows where it is from.

    Raises:
        InputError: As ``Kind.find``.
    """
    found = stopping.RULES.find(spec)
    if not isinstance(spec, str) or spec in stopping.RULES.built_in:
        return found
    return replace(found, place=spec)


def as_rule(spec: str | Rule | Sequence[float] | np.ndarray | float) -> Rule:
    """What somebody says to stop at: radii, or a rule, or what names one.

    Raises:
        InputError: As ``until`` and ``find_rule``.

    Example:
        >>> as_rule([0.25, 0.5]).name, as_rule("named").name
        ('until', 'named')
    """
    if isinstance(spec, Rule) and spec.parameters is not None:  # from a maker of ours
        return spec
    return find_rule(spec) if isinstance(spec, str | Rule) else until(spec)


def outside_code(spec: Mapping[str, Any]) -> object:
    """What ``rule_from`` would load of others' code; ``None`` where it loads none.

    A manifest is anybody's: who reads it to check it runs nothing that it names.

    Example:
        >>> outside_code(until([0.25]).spec)
        >>> outside_code(until([0.25]).spec | {"mechanism": "theirs.py:radius"})
        'theirs.py:radius'
    """
    if "digest" in spec:
        return spec.get("place") or spec.get("name")
    for kind in (MECHANISMS, PROCEDURES):
        said = spec.get(kind.name)
        names = said.split(",") if isinstance(said, str) else [said]
        for name in names if said is not None else []:
            if not isinstance(name, str) or name.strip() not in kind.built_in:
                return name
    inner = spec.get("of")
    if isinstance(inner, Mapping):
        return inner if "of" in inner else outside_code(inner)
    return None


def rule_from(spec: Mapping[str, Any]) -> Rule:
    """The rule that ``Rule.spec`` is of, with the same code.

    Args:
        spec: From a manifest: anything may stand there. An ``alpha`` beside it is no
            part of the rule. Others' code that it names is run: ``outside_code``.

    Raises:
        InputError: This version knows no such rule; it was given as an object, so that
            nobody knows where it is; or its code is another one by now.

    Example:
        >>> rule_from(until([0.25]).spec).spec == until([0.25]).spec
        True
    """
    parameters = {key: each for key, each in spec.items() if key != "alpha"}
    name = parameters.pop("name", None)
    if "digest" in parameters:
        rule = find_rule(_place_of("rule", spec))
        _check_same("rule", spec, digest_of(rule.decided))
        return rule
    if not isinstance(name, str):
        raise _unknown(spec)
    if name in stopping.RULES.built_in and not parameters:
        return stopping.RULES.built_in[name]
    if name not in MAKERS:
        raise _unknown(spec)
    if "of" in parameters:
        if not isinstance(parameters["of"], Mapping):
            raise _unknown(spec)
        parameters["of"] = rule_from(parameters["of"])
    for kind in (MECHANISMS, PROCEDURES):
        said = parameters.get(kind.name)
        if isinstance(said, Mapping):
            place = parameters[kind.name] = _place_of(kind.name, said)
            _check_same(kind.name, said, plug_in_digest(kind, place))
    try:
        return MAKERS[name](**parameters)
    except TypeError:  # other parameters than its own
        raise _unknown(spec) from None


def _unknown(spec: Mapping[str, Any]) -> InputError:
    return InputError(f"this version knows no rule like {dict(spec)!r:.200}")


def _place_of(kind: str, said: Mapping[str, Any]) -> str:
    place = said.get("place")
    if not isinstance(place, str):
        raise InputError(
            f"the {kind} {said.get('name')!r} was given as an object, not as "
            "FILE.py:NAME, so that it cannot be found again"
        )
    return place


def _check_same(kind: str, said: Mapping[str, Any], digest: str) -> None:
    if digest != said.get("digest"):
        raise InputError(
            f"the {kind} {said['place']} is not the one that was used: its code has "
            "changed since"
        )
