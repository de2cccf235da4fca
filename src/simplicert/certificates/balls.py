"""Balls about neighbours → a ball about the input itself that they cover.

With unit directions ``u_1``, ``u_2`` to two neighbours at distances ``d_1``, ``d_2``,
an angle ``theta`` apart, the sphere of radius ``rho`` about the input lies in their
balls of radii ``r_1``, ``r_2`` if ::

    arccos t_1 + arccos t_2 > 2 pi - theta,
    t_i = (rho**2 + d_i**2 - r_i**2) / (2 rho d_i)

``docs/transitive.md`` has the proof.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["COSINE_ERROR", "DISTANCE_ERROR", "covered"]

DISTANCE_ERROR = 2.0**-44
"""A distance that is given is that of the points or larger, by less than this share."""

COSINE_ERROR = 2.0**-44
"""A cosine that is given is that of the directions or larger; likewise."""

_ROUNDING = 2.0**-46
"""Far above what float64 loses in what is compared here: a share of it."""

_HALVINGS = 64


def covered(
    own: Float[np.ndarray, " images"],
    radii: Float[np.ndarray, "images neighbours"],
    *,
    distances: Float[np.ndarray, "images neighbours"],
    cosines: Float[np.ndarray, "images pairs"],
) -> Float[np.ndarray, " images"]:
    """The radius of an open ball about each input, inside the open balls given.

    The largest of: its own ball's; ``r_i - d_i`` of each neighbour; and what each pair
    of neighbours' balls that hold the input cover together.

    Args:
        own: Radii about the inputs themselves; 0: none.
        radii: Radii about each one's neighbours; 0: none.
        distances: Of the neighbours, above 0; too large by ``DISTANCE_ERROR`` at most,
            and never too small.
        cosines: Of the angle between the directions of each pair of neighbours, in the
            order of ``itertools.combinations``; likewise.

    Returns:
        Radii that err on the safe side; never less than ``own``.

    Example:
        >>> away, opposite = np.array([[0.6, 0.6]]), np.array([[-1.0]])
        >>> covered(
        ...     np.zeros(1), np.ones((1, 2)), distances=away, cosines=opposite
        ... ).round(3)
        array([0.8])
    """
    alone = np.nextafter(radii - distances, -np.inf)
    best: np.ndarray = np.maximum(own, alone.max(axis=1, initial=0.0))
    # True centres are so near to those that the numbers say: smaller balls about these
    # are in the balls about those.
    smaller = radii * (1.0 - _ROUNDING) - distances * (2.0 * DISTANCE_ERROR)
    pairs = combinations(range(radii.shape[1]), 2)
    for number, (one, other) in enumerate(pairs):
        both = [one, other]
        found = _covered_by_two(
            best, smaller[:, both], distances[:, both], cosines[:, number]
        )
        best = np.maximum(best, found)
    return best


def _covered_by_two(
    known: Float[np.ndarray, " images"],
    radii: Float[np.ndarray, "images two"],
    distances: Float[np.ndarray, "images two"],
    cosines: Float[np.ndarray, " images"],
) -> Float[np.ndarray, " images"]:
    """The largest radius found whose sphere two balls cover; else what is known.

    Where both hold the input, ``t_i`` rises with the radius: every smaller sphere is
    covered, too.
    """
    hold = (radii > distances).all(axis=1)
    angle = np.arccos(np.clip(cosines, -1.0, 1.0))
    low, high = known.copy(), np.maximum(known, radii.max(axis=1))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        inside = hold & _covers(middle, radii, distances, angle)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def _covers(
    rho: Float[np.ndarray, " images"],
    radii: Float[np.ndarray, "images two"],
    distances: Float[np.ndarray, "images two"],
    angle: Float[np.ndarray, " images"],
) -> Bool[np.ndarray, " images"]:
    """Whether the open caps that two balls cut out of a sphere cover it, surely."""
    sphere = np.maximum(rho, np.finfo(np.float64).tiny)[:, None]
    apart = (sphere - radii) * (sphere + radii)
    squares = distances * distances
    lost = _ROUNDING * (np.abs(apart) + squares)
    height = (apart + squares + lost) / (2.0 * sphere * distances)
    caps = np.arccos(np.clip(height, -1.0, 1.0)).sum(axis=1)
    enough: np.ndarray = caps > 2.0 * np.pi - angle + 16.0 * _ROUNDING
    return enough
