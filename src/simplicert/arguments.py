"""The one check of what every bound, procedure and mechanism is given."""

from numbers import Integral, Real
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert.errors import InputError

MOST_THREADS = 1024

Reals: TypeAlias = Float64[np.ndarray, "..."]


def checked_alpha(alpha: object) -> float:
    """``alpha`` as a float in (0, 1).

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_alpha(0.001)
        0.001
    """
    if isinstance(alpha, Real) and 0.0 < float(alpha) < 1.0:
        return float(alpha)
    raise InputError(f"alpha must be in (0, 1), got {alpha!r}")


def checked_draws(draws: object) -> int:
    """``draws`` as an int of at least 1.

    Raises:
        InputError: Anything else, such as 1e4, which is a float.

    Example:
        >>> checked_draws(1000)
        1000
    """
    if isinstance(draws, Integral) and int(draws) >= 1:
        return int(draws)
    raise InputError(f"draws must be a whole number, at least 1, got {draws!r}")


def checked_threads(threads: object) -> int:
    """``threads`` as an int of at most 1,024: all that are asked for are started.

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_threads(4)
        4
    """
    if isinstance(threads, Integral) and 1 <= int(threads) <= MOST_THREADS:
        return int(threads)
    raise InputError(
        f"threads must be at least 1 and at most {MOST_THREADS:,}, got {threads!r}"
    )


def checked_sigma(sigma: object) -> float:
    """``sigma`` as a float, positive and finite.

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_sigma(1)
        1.0
    """
    if isinstance(sigma, Real) and not isinstance(sigma, bool):
        value = float(sigma)
        if 0.0 < value < np.inf:
            return value
    raise InputError(f"sigma must be a positive, finite number, got {sigma!r}")


def checked_distance(radius: object) -> float:
    """``radius`` as a float, finite and not negative.

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_distance(0)
        0.0
    """
    if isinstance(radius, Real) and not isinstance(radius, bool):
        value = float(radius)
        if 0.0 <= value < np.inf:
            return value
    raise InputError(
        "a radius must not be negative, NaN or infinite: it is a distance, got "
        f"{radius!r}"
    )


def checked_probabilities(values: object, *, argument: str) -> Reals:
    """``values`` as float64, every one of them in [0, 1].

    Raises:
        InputError: Not real numbers, or a value that is NaN or outside [0, 1].

    Example:
        >>> checked_probabilities([0.25, 1], argument="e0_lower")
        array([0.25, 1.  ])
    """
    array = real_numbers(values, argument=argument)
    inside = (array >= 0.0) & (array <= 1.0)  # False for NaN
    if not inside.all():
        raise InputError(
            f"{argument} must lie in [0, 1], got {array[~inside].flat[0]!s}"
        )
    return array


def checked_counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Reals, Reals]:
    """Both as float64 of one shape, with ``0 <= successes <= trials``, ``trials >= 1``.

    Raises:
        InputError: A value that is not a whole number, or is out of that range, or
            shapes that do not broadcast.

    Example:
        >>> checked_counts([0, 7], 10)
        (array([0., 7.]), array([10., 10.]))
    """
    k, n = together(
        successes=_whole_numbers(successes, argument="successes"),
        trials=checked_trials(trials),
    )
    outside = (k < 0) | (k > n)
    if outside.any():
        raise InputError(
            "successes must lie between 0 and trials, "
            f"got {k[outside].flat[0]:.0f} of {n[outside].flat[0]:.0f}"
        )
    return k, n


def checked_trials(trials: ArrayLike) -> Reals:
    """``trials`` as float64, whole numbers that are at least 1.

    Raises:
        InputError: Anything else.

    Example:
        >>> checked_trials(100)
        array(100.)
    """
    n = _whole_numbers(trials, argument="trials")
    if (n < 1).any():
        raise InputError(f"trials must be at least 1, got {n[n < 1].flat[0]:.0f}")
    return n


def together(**arguments: Reals) -> tuple[Reals, ...]:
    """The arguments broadcast to one shape.

    Raises:
        InputError: Their shapes do not broadcast.
    """
    try:
        return tuple(np.broadcast_arrays(*arguments.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arguments.items())
        raise InputError(f"shapes must broadcast together, got {shapes}") from None


def real_numbers(values: object, *, argument: str) -> Reals:
    """``values`` as float64.

    Raises:
        InputError: Not an array of real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as ragged:
        raise InputError(f"{argument} must be a regular array: {ragged}") from ragged
    if array.dtype.kind not in "iuf":
        raise InputError(f"{argument} must hold real numbers, got {array.dtype} values")
    return array.astype(np.float64, copy=False)


def _whole_numbers(values: ArrayLike, *, argument: str) -> Reals:
    array = real_numbers(values, argument=argument)
    fractional = ~(np.isfinite(array) & (array == np.floor(array)))
    if fractional.any():
        raise InputError(
            f"{argument} must be whole numbers, got {array[fractional].flat[0]!s}"
        )
    return array
