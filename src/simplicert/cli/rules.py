"""Options that say when an image is decided, and the rule that they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter, Token

from simplicert.cli.types import Numbers, one_of
from simplicert.errors import InputError
from simplicert.stopping import RULES, Rule, budget, find_rule, until, within
from simplicert.stopping.budget import SHARE
from simplicert.structured import number

__all__ = ["NO_RULE", "Stopping"]


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


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """What stops an image."""

    until: Annotated[
        Numbers | None,
        Parameter(help="Radii: an image stops when each is certified or futile."),
    ] = None
    within: Annotated[
        float | None,
        Parameter(
            converter=_share,
            n_tokens=1,
            metavar="SHARE",
            help="As 5%: an image stops when no more than that is missing of the "
            "radius that it may still come to have.",
        ),
    ] = None
    within_radius: Annotated[
        float | None, Parameter(help="The largest radius of interest to --within.")
    ] = None
    budget: Annotated[
        int | None,
        Parameter(
            converter=_count,
            n_tokens=1,
            metavar="DRAWS",
            help="Of all images together, as 1e7: those nearest to a decision are "
            "drawn first. Alone it is --within 5%.",
        ),
    ] = None
    rule: Annotated[str | None, one_of(RULES.names, "What stops an image")] = None

    def find(
        self, *, mechanism: str | None, procedure: str | None, asymptotic: bool
    ) -> Rule | None:
        """The rule that these options mean; ``None`` if they mean none.

        Raises:
            InputError: They contradict, or a value is out of its range.
        """
        said = {"--until": self.until, "--within": self.within, "--rule": self.rule}
        given = [option for option, value in said.items() if value is not None]
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} are two rules: give one")
        if self.within_radius is not None and self.within is None:
            raise InputError("--within-radius is of --within: give a share, as 5%, too")
        how: dict[str, Any] = {
            "mechanism": mechanism,
            "procedure": procedure,
            "asymptotic": asymptotic,
        }
        found = None
        if self.until is not None:
            found = until(self.until, **how)
        elif self.within is not None:
            found = within(self.within, radius=self.within_radius, **how)
        elif self.rule is not None:
            found = find_rule(self.rule)
        if self.budget is None:
            return found
        return budget(self.budget, of=within(SHARE, **how) if found is None else found)


NO_RULE = Stopping()
