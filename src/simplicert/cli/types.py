"""Types of options: what they take, said where the registries say it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token

from simplicert.mechanisms.catalogue import MECHANISMS
from simplicert.noises import NOISES
from simplicert.procedures import PROCEDURES
from simplicert.structured import whole_number

Framework = Literal["multinomial", "softmax"]


def _whole(type_: Any, tokens: Sequence[Token]) -> int:  # noqa: ARG001 (its protocol)
    return whole_number(tokens[0].value)


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number. By itself cyclopts reads 2.5 as 2."""


def one_of(names: Sequence[str], what: str, default: str = "") -> Parameter:
    """An option that takes a name that a registry knows, or one of the user's own."""
    known = ", ".join(names)
    return Parameter(
        help=f"{what}: {known}; or FILE.py:NAME, PACKAGE:NAME."
        + (f" Default: {default}." if default else "")
    )


MechanismName = Annotated[
    str,
    one_of(
        MECHANISMS.names,
        "Mechanism that names the class (several with commas between, for the largest)",
        "the tight one for the run's noise, or the log's own",
    ),
]
ProcedureName = Annotated[
    str,
    one_of(
        PROCEDURES.names,
        "How the expectations are bounded, in place of a framework",
        "clopper_pearson, or the log's own",
    ),
]
NoiseName = Annotated[str, one_of(NOISES.names, "Noise that is added", "gaussian")]
