"""What checks annotations while tests run: beartype, where an int is a float too.

``--jaxtyping-packages`` writes ``@jaxtyping.jaxtyped(typechecker=check)`` at every
function and class, and conftest puts ``checked`` in its place. Jaxtyping's own binds
arguments and checks them twice at each call, of any function: that was most of what
small functions cost. Here beartype checks once, and only where an annotation has axes
is there a scope in which an axis has one size. Functions inside functions are left to
mypy, but for those of arrays.
"""

import functools
import inspect
import typing
from dataclasses import is_dataclass

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, jaxtyped

# A TypeError, as what NumPy and Python raise of wrong types is.
check = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=TypeError))


def checked(thing):
    """A function or data class that refuses what is not as annotated."""
    if inspect.isclass(thing):
        if is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__)
        return thing
    hints = tuple(thing.__annotations__.values())
    arrays = _names(hints, type(AbstractArray))
    if "<locals>" in thing.__qualname__ and not arrays:
        return thing  # made anew at each call, which costs a millisecond; mypy looks
    if inspect.isgeneratorfunction(thing) or _names(hints, (str, typing.ForwardRef)):
        # What is checked later, or names what may not be there: jaxtyping knows how.
        return jaxtyped(typechecker=check)(thing)
    strict = check(thing)
    if not arrays:
        return strict

    @functools.wraps(thing)
    def scoped(*args, **named):
        with jaxtyped("context"):
            return strict(*args, **named)

    return scoped


def _names(hints, kinds):
    """Whether one of these kinds is among annotations or inside one of them."""
    return any(
        isinstance(hint, kinds) or _names(typing.get_args(hint), kinds)
        for hint in hints
    )
