"""A guard around a mechanism that somebody else wrote."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert.arguments import checked_probabilities, checked_sigma
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism

__all__ = ["guarded"]

Points = Float64[np.ndarray, " points"]


def guarded(function: Callable[..., object], *, name: str) -> Mechanism:
    """A mechanism that gives ``function`` clean arguments and checks what comes back.

    The function gets two float64 arrays of the same length, one entry a point, with
    values in [0, 1] and ``e0 + e1 <= 1``, and must return as many radii.

    Args:
        function: Takes ``(e0_lower, e1_upper, *, sigma)``.
        name: What the mechanism is called in columns, legends and messages.

    Returns:
        A mechanism that raises :class:`InputError` with the name and the point where
        the function raises, or returns NaN, a negative radius, one above 0 where the
        classes are not separated, or the wrong length.

    Example:
        >>> def one_sided(e0_lower, e1_upper, *, sigma):
        ...     return sigma * (e0_lower - e1_upper)
        >>> guarded(one_sided, name="mine")(0.2, 0.5, sigma=1.0)
        Traceback (most recent call last):
        ...
        simplicert.errors.InputError: mechanism 'mine' returned -0.3 at e0_lower = 0.2,
        e1_upper = 0.5, sigma = 1: a radius is 0 or more, never NaN
    """

    def mechanism(
        e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Float64[np.ndarray, "..."]:
        lower = checked_probabilities(e0_lower, argument="e0_lower")
        upper = checked_probabilities(e1_upper, argument="e1_upper")
        e0, e1 = np.broadcast_arrays(lower, np.minimum(upper, 1.0 - lower))
        radius = _called(function, name, e0.ravel(), e1.ravel(), checked_sigma(sigma))
        return radius.reshape(e0.shape)

    mechanism.__name__ = name
    return mechanism


def _called(
    function: Callable[..., object], name: str, e0: Points, e1: Points, sigma: float
) -> Points:
    """The function's radii, or an error that names a point at which it fails."""
    if e0.size == 0:
        return e0
    try:
        radius = _asked(function, e0, e1, sigma)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's code: anything can happen
        where = _where_it_fails(function, e0, e1, sigma)
        raise InputError(
            f"mechanism {name!r} raised {type(error).__name__}: {error}, {where}"
        ) from error
    if radius.shape != e0.shape:
        raise InputError(
            f"mechanism {name!r} returned an array of shape {radius.shape} for points "
            f"that begin {_point(e0[0], e1[0], sigma)}: it must return one radius a "
            f"point, here shape {e0.shape}"
        )
    wrong = np.flatnonzero(~(radius >= 0))
    if wrong.size:
        at = wrong[0]
        raise InputError(
            f"mechanism {name!r} returned {radius[at]:.6g} "
            f"{_point(e0[at], e1[at], sigma)}: a radius is 0 or more, never NaN"
        )
    wrong = np.flatnonzero((radius > 0) & (e0 <= e1))
    if wrong.size:
        at = wrong[0]
        raise InputError(
            f"mechanism {name!r} returned {radius[at]:.6g} "
            f"{_point(e0[at], e1[at], sigma)}: where e0 is not above e1 no class can "
            "be certified, and the radius is 0"
        )
    return radius


def _asked(
    function: Callable[..., object], e0: Points, e1: Points, sigma: float
) -> Float64[np.ndarray, "..."]:
    with redirect_stdout(sys.stderr):  # the other is for answers
        returned = np.asarray(function(e0.copy(), e1.copy(), sigma=sigma))
    if returned.dtype.kind in "cSUmMV":  # which could be made real numbers in silence
        raise TypeError(f"the radii are {returned.dtype}, and not real numbers")
    return returned.astype(np.float64, copy=False)


def _where_it_fails(
    function: Callable[..., object], e0: Points, e1: Points, sigma: float
) -> str:
    """The first single point at which the function raises too."""
    for i in range(e0.size):
        try:
            _asked(function, e0[i : i + 1], e1[i : i + 1], sigma)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - as above
            return _point(e0[i], e1[i], sigma)
    return (
        f"for {e0.size} points at once though not for any of them alone: it must take "
        "arrays, with numpy.where for conditions, or be wrapped in numpy.vectorize"
    )


def _point(e0: float, e1: float, sigma: float) -> str:
    return f"at e0_lower = {e0:g}, e1_upper = {e1:g}, sigma = {sigma:g}"
