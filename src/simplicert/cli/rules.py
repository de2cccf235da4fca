"""Options that say when an image is decided, and the rule that they mean."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from simplicert.cli.types import Numbers, one_of
from simplicert.errors import InputError
from simplicert.stopping import RULES, Rule, budget, find_rule, until, within
from simplicert.stopping.budget import SHARE
from simplicert.structured import number

__all__ = ["Budget", "RuleName", "Share", "Until", "rule_of"]


def _share(type_: Any, tokens: Sequence[Token]) -> float:  # noqa: ARG001 (its protocol)
    text = tokens[0].value
    try:
        return number(text[:-1]) / 100 if text.endswith("%") else number(text)
    except InputError:
        raise ValueError(f"{text!r} is not a share, as 5% or 0.05 is") from None


def _count(type_: Any, tokens: Sequence[Token]) -> int:  # noqa: ARG001 (likewise)
    text = tokens[0].value
    try:
        found = number(text)
    except InputError:
        found = 0.5
    if found != int(found):
        raise ValueError(f"{text!r} is not a number of draws, as 1000000 or 1e6 is")
    return int(found)


Until = Annotated[
    Numbers,
    Parameter(help="Radii: an image stops when each is certified or futile."),
]
Share = Annotated[
    float,
    Parameter(
        converter=_share,
        n_tokens=1,
        metavar="SHARE",
        help="As 5%: an image stops when no more than that is missing of the radius "
        "that it may still come to have.",
    ),
]
Budget = Annotated[
    int,
    Parameter(
        converter=_count,
        n_tokens=1,
        metavar="DRAWS",
        help="Of all images together, as 1e7: those nearest to a decision are drawn "
        "first. Alone it is --within 5%.",
    ),
]
RuleName = Annotated[str, one_of(RULES.names, "What stops an image")]


def rule_of(
    *,
    until_radii: Sequence[float] | None = None,
    within_share: float | None = None,
    within_radius: float | None = None,
    total: int | None = None,
    rule: str | None = None,
    mechanism: str | None = None,
    procedure: str | None = None,
) -> Rule | None:
    """The rule that these options mean; ``None`` if they mean none.

    Raises:
        InputError: They contradict, or a value is out of its range.
    """
    said = {"--until": until_radii, "--within": within_share, "--rule": rule}
    given = [option for option, value in said.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are two rules: give one")
    if within_radius is not None and within_share is None:
        raise InputError("--within-radius is of --within: give a share, as 5%, too")
    how: dict[str, Any] = {"mechanism": mechanism, "procedure": procedure}
    found = None
    if until_radii is not None:
        found = until(until_radii, **how)
    elif within_share is not None:
        found = within(within_share, radius=within_radius, **how)
    elif rule is not None:
        found = find_rule(rule)
    if total is None:
        return found
    return budget(total, of=within(SHARE, **how) if found is None else found)
