"""Certificates of an input and of its neighbours → one of the input.

Where a class is certified in a ball about a neighbour that holds the input, it is the
input's, too, on every ball about the input inside: and inside several of such balls
together. All certificates must hold at once, so each has its part of alpha.
``docs/transitive.md`` has the proof, and says why it hardly ever pays.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np
from jaxtyping import Float, Int

from simplicert.certificates.balls import covered
from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.votes import Manifest, Votes
from simplicert.votes.sources import NeighboursSource

__all__ = ["neighbours_in", "share_of", "transitive"]


def share_of(alpha: float, *, each: int) -> float:
    """The failure probability of each of ``each + 1`` certificates that all hold.

    Example:
        >>> share_of(0.003, each=2) <= 0.001
        True
    """
    return math.nextafter(alpha / (each + 1), 0.0)


def neighbours_in(votes: Votes, neighbours: Votes) -> NeighboursSource:
    """Where the neighbours lie, if these are votes of all that the images have.

    Args:
        votes: The images'.
        neighbours: Of their neighbours, under the same smoothed classifier.

    Raises:
        InputError: One of them is not of a run; they are no neighbours, or of other
            images; the classifiers, the noises, the units or the like differ; the noise
            certifies no l2 balls; or an image lacks neighbours.
    """
    ours, theirs = _manifest("votes", votes), _manifest("neighbours", neighbours)
    here, there = _named(votes), _named(neighbours)
    around = theirs.data.neighbours
    if around is None:
        raise InputError(
            f"{there} holds no neighbours, but {theirs.data.name}: sample the file "
            "that `simplicert neighbours` writes, and give the run of that"
        )
    if (around.of, theirs.data.split) != (ours.data.digest, ours.data.split):
        raise InputError(
            f"{there} holds neighbours of other inputs than {ours.data.name}, which "
            f"{here} is of: find neighbours of these"
        )
    difference = ours.other_function(theirs)
    if difference is not None:
        raise InputError(
            f"a certificate of {there} says nothing of {here}: {difference}"
        )
    if votes.noise.norm != "l2":
        raise InputError(f"{votes.noise}: neighbours' balls are combined in l2 alone")
    lacking = ~np.isin(votes.indices, around.images)
    if lacking.any():
        raise InputError(
            f"{there} was drawn for {len(around.images):,} inputs, and image "
            f"{votes.indices[np.argmax(lacking)]} of {here} is none of them: find "
            "neighbours of all that are certified"
        )
    numbers = _numbers(votes, around)
    whole = np.isin(numbers, neighbours.indices).all(axis=1)
    if not np.all(whole):
        raise InputError(
            f"{there} lacks neighbours of image {votes.indices[np.argmin(whole)]}: "
            "sample all of them, and finish the run"
        )
    return around


def transitive(
    own: Certificates, theirs: Certificates, around: NeighboursSource, *, alpha: float
) -> Certificates:
    """What certificates of images and of all their neighbours say of the images.

    A neighbour counts where the class that is certified about it is the one that leads
    the image's own votes.

    Args:
        own: Of the images, at ``share_of(alpha)``.
        theirs: Of their neighbours, at that, by the same procedure.
        around: Where they lie.
        alpha: At which all hold.

    Returns:
        Certificates of the images, with no radius smaller than their own.
    """
    rows = _rows(theirs.indices, _numbers(own, around))
    images = _rows(np.array(around.images), own.indices)
    places = {
        name: np.array(getattr(around, name), dtype=np.float64)[images]
        for name in ("distances", "cosines")
    }
    same = theirs.top[rows] == own.top[:, None]
    radii = {
        name: covered(radius, np.where(same, theirs.radii[name][rows], 0.0), **places)
        for name, radius in own.radii.items()
    }
    return replace(
        own,
        radii=_with_ensemble(radii, own.members),
        alpha=alpha,
        neighbours=around.each,
        source={**own.source, "neighbours": theirs.source.get("run", "in memory")},
        votes=None,
    )


def _with_ensemble(
    radii: Mapping[str, Float[np.ndarray, " images"]], members: tuple[str, ...]
) -> dict[str, Float[np.ndarray, " images"]]:
    """The column is what it says: the largest of its members, and no more."""
    if "ensemble" not in radii:
        return dict(radii)
    return {**radii, "ensemble": reduce(np.maximum, [radii[name] for name in members])}


def _numbers(
    of: Votes | Certificates, around: NeighboursSource
) -> Int[np.ndarray, "images each"]:
    """The numbers of each image's neighbours, in their data set."""
    first = _rows(np.array(around.images), of.indices) * around.each
    numbers: np.ndarray = first[:, None] + np.arange(around.each)
    return numbers


def _rows(
    among: Int[np.ndarray, " n"], wanted: Int[np.ndarray, "..."]
) -> Int[np.ndarray, "..."]:
    """Where each number stands among others, which hold all of them."""
    order = np.argsort(among)
    rows: np.ndarray = order[np.searchsorted(among, wanted, sorter=order)]
    return rows


def _manifest(argument: str, votes: Votes) -> Manifest:
    if not isinstance(votes, Votes) or votes.manifest is None:
        raise InputError(
            f"{argument} must be of a run, whose manifest says what they are about: "
            "simplicert.sample gives such, and simplicert.read_run"
        )
    return votes.manifest


def _named(votes: Votes) -> str:
    """The run, where it is one on disk."""
    data = "" if votes.manifest is None else f"the run of {votes.manifest.data.name}"
    return votes.source.get("run") or data
