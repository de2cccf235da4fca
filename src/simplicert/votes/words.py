"""A rule that a manifest names, in words; without loading it."""

from collections.abc import Mapping
from typing import Any

__all__ = ["rule_in_words"]


def rule_in_words(spec: Mapping[str, Any] | None) -> str:
    """When an image of a run stops, as the end of such a sentence.

    Args:
        spec: From a manifest: anything may stand there.

    Example:
        >>> rule_in_words({"name": "until", "radii": [0.25, 0.5], "alpha": 0.001})
        'each radius of 0.25, 0.5 is certified or futile, at alpha 0.001'
    """
    if spec is None:
        return "a rule says so that the run does not name"
    alpha = spec.get("alpha")
    at = "" if alpha is None else f", at alpha {_short(alpha)}"
    return f"{_what(spec)}{_by(spec)}{at}"


def _what(spec: Mapping[str, Any]) -> str:
    name = spec.get("name")
    if name == "until" and isinstance(spec.get("radii"), list):
        radii = ", ".join(_short(radius) for radius in spec["radii"][:20])
        return f"each radius of {radii} is certified or futile"
    if name == "within" and _is_number(spec.get("share")):
        cap = spec.get("radius")
        up_to = "" if cap is None else f" (up to {_short(cap)})"
        less = f"{100 * spec['share']:g} %"
        return f"its radius is within {less} of what may still come{up_to}"
    if name == "budget" and isinstance(spec.get("of"), Mapping):
        total = spec.get("total")
        many = f"{total:,}" if _is_number(total) else _short(total)
        return f"{_what(spec['of'])}{_by(spec['of'])}, or {many} draws are spent"
    if name == "named":
        return "a class can be named"
    if name == "sure":
        return "its class is sure"
    place = spec.get("place")
    where = "" if place is None else f" ({_short(place)})"
    return f"the rule {_short(name)}{where} says so"


def _by(spec: Mapping[str, Any]) -> str:
    """The mechanism and the procedure that it asks, where they are not the default."""
    said = [spec.get(kind) for kind in ("mechanism", "procedure")]
    names = [each.get("name") if isinstance(each, Mapping) else each for each in said]
    asked = [_short(name) for name in names if name not in (None, "clopper_pearson")]
    if asked and spec.get("asymptotic") is True:
        asked[-1] += " (asymptotic)"
    return f", by {' and '.join(asked)}" if asked else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = f"{value:g}" if _is_number(value) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
