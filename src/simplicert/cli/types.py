"""Types of options: what they take, said where the registries say it."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token

from simplicert.errors import InputError
from simplicert.mechanisms.catalogue import MECHANISMS
from simplicert.noises import NOISES
from simplicert.procedures import PROCEDURES
from simplicert.structured import number, whole_number

Framework = Literal["multinomial", "softmax"]


def _whole(type_: Any, tokens: Sequence[Token]) -> int:  # noqa: ARG001 (its protocol)
    return whole_number(tokens[0].value)


def _radii(type_: Any, tokens: Sequence[Token]) -> tuple[float, ...]:  # noqa: ARG001
    text = ",".join(token.value for token in tokens)
    return tuple(sorted(set(_numbers_in(text, "distances", least=0.0))))


def _numbers_in(text: str, what: str, *, least: float = -math.inf) -> tuple[float, ...]:
    try:
        numbers = tuple(number(each.strip()) for each in text.split(","))
    except InputError:
        numbers = ()
    if not numbers or min(numbers) < least:
        raise ValueError(
            f"{text!r} is not a list of {what} with commas between, as 0.25,0.5,1 is"
        )
    return numbers


def _names(type_: Any, tokens: Sequence[Token]) -> tuple[str, ...]:  # noqa: ARG001
    names = (each.strip() for token in tokens for each in token.value.split(","))
    return tuple(filter(None, names))


Names = Annotated[
    tuple[str, ...], Parameter(converter=_names, n_tokens=1, metavar="NAME,...")
]
Radii = Annotated[
    tuple[float, ...],
    Parameter(
        converter=_radii,
        n_tokens=1,
        metavar="FLOAT,...",
        help="At which radii to say the certified accuracy: 0.25,0.5,1.",
        show_default="steps of 0.25, smaller where sigma is below 0.25, larger "
        "where it is above 1",
    ),
]
Within = Annotated[
    tuple[float, ...],
    Parameter(
        converter=_radii,
        n_tokens=1,
        metavar="FLOAT,...",
        help="Within which radii to say how far the class leads on average, at least, "
        "where the procedure is margins: 0.25,0.5.",
    ),
]
Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number. By itself cyclopts reads 2.5 as 2."""


def _numbers(type_: Any, tokens: Sequence[Token]) -> tuple[float, ...]:  # noqa: ARG001
    return _numbers_in(tokens[0].value, "numbers")


Numbers = Annotated[
    tuple[float, ...], Parameter(converter=_numbers, n_tokens=1, metavar="FLOAT,...")
]
"""Numbers with commas between, as 0.25,0.5."""


def one_of(names: Sequence[str], what: str, default: str | None = None) -> Parameter:
    """An option that takes a name that a registry knows, or one of the user's own."""
    return Parameter(
        help=f"{what}: {', '.join(names)}; or FILE.py:NAME, PACKAGE:NAME.",
        show_default=default,
    )


TIGHT = "the tight one for the run's noise, or the log's own"


def a_mechanism(what: str, default: str | None = TIGHT) -> Parameter:
    """An option that takes a mechanism, or several."""
    several = f"{what} (several with commas between, for the largest)"
    return one_of(MECHANISMS.names, several, default)


def a_procedure(default: str = "clopper_pearson, or the log's own") -> Parameter:
    """An option that takes a procedure."""
    what = "How the expectations are bounded, in place of a framework"
    limits = [each.name for each in PROCEDURES.built_in.values() if each.asymptotic]
    return one_of(
        [
            f"{name} (asymptotic)" if name in limits else name
            for name in PROCEDURES.names
        ],
        what,
        default,
    )


def a_noise(what: str) -> Parameter:
    """An option that takes a noise."""
    return one_of(NOISES.names, what, "gaussian")
