"""Classifiers whose regions are known, and runs of points and of their neighbours."""

from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from simplicert import sample
from simplicert.classifiers.function import NumpyClassifier
from simplicert.data.given import as_dataset
from simplicert.data.neighbours import neighbours_of, seen_from
from simplicert.votes.looks import one_look


def anything(inputs):
    return (inputs[:, 0] > 0).astype(int)


CLASSIFIER = NumpyClassifier(anything, output="labels", classes=2)


def pair_of_runs(points, *, copies=1, sigma=1.0, draws=10, seed=(1, 2), origin=None):
    """Votes of an input, the origin, so many times, and of its neighbours.

    Args:
        points: The neighbours, as numbers.
    """
    points = np.asarray(points, dtype=np.float64)
    origin = np.zeros(points.shape[1]) if origin is None else np.asarray(origin)
    inputs = as_dataset(np.tile(origin, (copies, 1)), np.zeros(copies, dtype=int))
    around = neighbours_of(inputs, np.tile(points, (copies, 1, 1)))
    return tuple(
        sample(CLASSIFIER, data, sigma=sigma, draws=draws, seed=number, progress=False)
        for data, number in zip((inputs, around), seed, strict=True)
    )


def with_shares(votes, shares, *, draws, generator=None):
    """The same, had class 0 these shares: exactly, or by chance."""
    shares = np.broadcast_to(shares, len(votes))
    if generator is None:
        first = np.floor(shares * draws).astype(np.int64)
    else:
        first = generator.binomial(draws, shares)
    return replace(
        votes,
        counts=np.stack([first, draws - first], axis=1),
        draws=np.full(len(votes), draws),
        looks=one_look(draws),
    )


def moved(around, points):
    """The same votes, had every image its neighbours at these points."""
    distances, cosines = seen_from(np.zeros(2), np.array(points))
    copies = len(around.manifest.data.neighbours.images)
    places = {"distances": [distances] * copies, "cosines": [cosines] * copies}
    neighbours = around.manifest.data.neighbours.model_copy(update=places)
    data = around.manifest.data.model_copy(update={"neighbours": neighbours})
    manifest = around.manifest.model_copy(update={"data": data})
    return replace(around, manifest=manifest)


def slab(distance, half):
    """Class 1 between two planes at ``distance`` ± ``half`` along the first axis.

    Returns:
        The share of class 0 at points, at sigma 1; and the distance from the origin to
        where class 1 is as likely, infinite if it never is.
    """

    def share(points):
        low, high = (distance + side * half - points[:, 0] for side in (-1, 1))
        return 1.0 - (ndtr(high) - ndtr(low))

    if 2 * ndtr(half) - 1 <= 0.5:
        return share, np.inf
    places = np.linspace(0, distance, 200_001)
    first = places[np.argmax(share(places[:, None]) <= 0.5)]
    return share, first


def half_space(distance):
    """Class 1 beyond a plane."""
    return (lambda points: ndtr(distance - points[:, 0])), distance


def wedge(distance):
    """Class 0 where both coordinates are below a number."""

    def share(points):
        return ndtr(distance - points[:, 0]) * ndtr(distance - points[:, 1])

    along = np.linspace(-5, 5, 100_001)
    needed = 0.5 / ndtr(distance - along)
    across = np.where(needed < 1, distance - ndtri(np.minimum(needed, 1.0)), np.inf)
    return share, np.hypot(along, across).min()
