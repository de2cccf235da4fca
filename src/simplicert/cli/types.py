"""Types of options that the command line library would read too generously."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token


def _whole(type_: Any, tokens: Sequence[Token]) -> int:  # noqa: ARG001 (its protocol)
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value!r} is not a whole number") from None


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number. By itself cyclopts reads 2.5 as 2."""
