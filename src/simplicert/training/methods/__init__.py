"""Training methods: one file each. A new one is a file and a line here."""

from collections.abc import Mapping
from functools import reduce
from inspect import isabstract
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field, SerializeAsAny, ValidationError, WrapValidator

from simplicert.errors import InputError
from simplicert.plugins import Kind, Origin
from simplicert.training.methods.base import Method as Method
from simplicert.training.methods.consistency import Consistency as Consistency
from simplicert.training.methods.denoise import Denoise as Denoise
from simplicert.training.methods.gaussian import Gaussian as Gaussian
from simplicert.training.methods.macer import Macer as Macer
from simplicert.training.methods.smoothadv import SmoothAdv as SmoothAdv

BUILT_IN: dict[str, type[Method]] = {
    each.model_fields["name"].default: each
    for each in vars().values()
    if isinstance(each, type) and issubclass(each, Method) and each is not Method
}
"""By the name that recipes use."""


def _admit(thing: object, origin: Origin) -> type[Method]:
    if not (isinstance(thing, type) and issubclass(thing, Method)) or isabstract(thing):
        raise InputError(
            f"{origin.text} is no training method: expected a subclass of "
            "simplicert.training.methods.Method with passes and loss"
        )
    return thing


METHODS: Kind[type[Method]] = Kind(name="method", built_in=BUILT_IN, admit=_admit)


def _chosen(given: Any, built_in: Any) -> Method:
    """A recipe's table: of ours by the union's own check, or by the one loader."""
    if isinstance(given, Method):
        return given
    name = given.get("name") if isinstance(given, Mapping) else None
    if (
        not isinstance(name, str)
        or name in BUILT_IN
        or not (":" in name or name in METHODS.names)
    ):
        method: Method = built_in(given)
        return method
    parameters = {key: value for key, value in given.items() if key != "name"}
    try:
        # Under the name by which it is found again, from a checkpoint or a state.
        return METHODS.find(name).model_validate(parameters | {"name": name})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}") from error


if TYPE_CHECKING:
    AnyMethod: TypeAlias = Method
else:
    _ANY = reduce(or_, BUILT_IN.values())
    AnyMethod = Annotated[
        SerializeAsAny[Annotated[_ANY, Field(discriminator="name")]],
        WrapValidator(_chosen),
    ]
"""A recipe's ``[method]``: which one, by its ``name``, with its parameters."""
