"""Where a run's images are on the simplex, and what their margins say beyond that."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.spatial.distance import cdist

from simplicert.certificates import ALPHA, certify
from simplicert.errors import InputError
from simplicert.procedures.margins import LEVELS, largest_radius
from simplicert.votes import Votes

__all__ = ["ALL_OTHERS", "MarginsOnSimplex", "margins_on_simplex"]

ALL_OTHERS = -1
"""The largest of them, in place of one rival."""

BINS = 32
"""Of a distribution that is shown."""

NEAR = 0.03
"""Between two points that count as one place of the simplex."""

MOST = 500
"""Images among which a pair is sought."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MarginsOnSimplex:
    """Images at their means, and what the distribution of the margin adds.

    Attributes:
        table: One row an image: ``image``, ``e0`` and ``e1`` (estimates of the class
            and of its likeliest rival), ``margins`` and ``means`` (radii in units of
            sigma by the procedures ``margins`` and ``hoeffding``, of the same draws),
            ``shown`` (the number of its distribution, 0: not shown).
        shapes: How the margin that decides the radius is distributed in the images that
            are shown, one row a bin: ``shown``, ``rival`` (a class; -1: the largest of
            all others), ``mean`` (of the margin), ``margin_from``, ``margin_to``,
            ``share``.
        alpha: Failure probability of each radius.
    """

    table: pd.DataFrame
    shapes: pd.DataFrame
    alpha: float


def margins_on_simplex(votes: Votes, *, alpha: float = ALPHA) -> MarginsOnSimplex:
    """Compare what margins certify with what means do, image by image.

    Two pairs of images are shown, of those that margins certify: each pair is nearly
    at one place of the simplex, and differs much in what margins certify beyond means.
    The second pair is of the half with the larger mean margins.

    Args:
        votes: With histograms of margins, and the draws that chose the class apart.
        alpha: Failure probability of each radius.

    Raises:
        InputError: As ``certify`` by these two procedures, or there are no images.
    """
    if not len(votes):
        raise InputError("there are no images to look at")
    made = certify(votes, procedure="margins", alpha=alpha)
    means = certify(votes, procedure="hoeffding", alpha=alpha)
    assert votes.rivals is not None  # the procedure read them
    assert votes.score_sums is not None
    rows, rival = np.arange(len(votes)), made.runner_up
    if votes.rivals.shape[1] > 1:
        rival = votes.rivals[:, 1].astype(np.int64)
    e0, e1 = made.e0, votes.score_sums[rows, rival] / votes.draws
    margins = made.radius / votes.sigma
    theirs = means.radii["neyman_pearson"] / votes.sigma
    found = _contrasts(e0, e1, margins - theirs, margins > 0)
    shown = np.zeros(len(votes), dtype=np.int64)
    shown[found] = np.arange(1, len(found) + 1)
    shapes = [_shape(votes, row, number, alpha) for number, row in enumerate(found, 1)]
    return MarginsOnSimplex(
        table=pd.DataFrame(
            {
                "image": votes.indices,
                "e0": e0,
                "e1": e1,
                "margins": margins,
                "means": theirs,
                "shown": shown,
            }
        ),
        shapes=pd.concat(shapes, ignore_index=True) if shapes else pd.DataFrame(),
        alpha=alpha,
    )


def _contrasts(
    e0: Float[np.ndarray, " images"],
    e1: Float[np.ndarray, " images"],
    gain: Float[np.ndarray, " images"],
    certain: Bool[np.ndarray, " images"],
) -> list[int]:
    """Up to two pairs of rows, each near one place, the smaller gain first."""
    if certain.sum() < 2:
        return [int(row) for row in np.flatnonzero(certain)]
    far = e0 - e1 > np.median((e0 - e1)[certain])
    halves = [certain & ~far, certain & far]
    return [row for half in halves for row in _pair(half, e0, e1, gain)]


def _pair(
    here: Bool[np.ndarray, " images"],
    e0: Float[np.ndarray, " images"],
    e1: Float[np.ndarray, " images"],
    gain: Float[np.ndarray, " images"],
) -> list[int]:
    """The two whose gains differ most for how far apart they are."""
    rows: Int[np.ndarray, " some"] = np.flatnonzero(here)
    if len(rows) < 2:
        return [int(row) for row in rows]
    rows = rows[:: -(-len(rows) // MOST)]
    places = np.stack([e0[rows], e1[rows]], axis=1)
    more = gain[rows][None, :] - gain[rows][:, None]
    best = np.argmax(more / (cdist(places, places) + NEAR))
    first, second = np.unravel_index(best, more.shape)
    return [int(rows[place]) for place in dict.fromkeys((first, second))]


def _shape(votes: Votes, row: int, number: int, alpha: float) -> pd.DataFrame:
    """The histogram with the least radius, of those that are recorded of an image."""
    assert votes.rivals is not None
    assert votes.selection is not None
    radii = {
        place: largest_radius(
            votes.margins_over(place)[row],
            pilot=votes.selection.margins_over(place)[row],
            alpha=alpha,
        )
        for place in range(1, votes.rivals.shape[1] + 1)
    }
    decides = min(radii, key=lambda place: radii[place])
    share = votes.margins_over(decides)[row] / votes.draws[row]
    rivals = [*votes.rivals[row, 1:].tolist(), ALL_OTHERS]
    ends = np.linspace(-1.0, 1.0, BINS + 1)
    return pd.DataFrame(
        {
            "shown": number,
            "rival": rivals[decides - 1],
            "mean": float(share @ LEVELS),
            "margin_from": ends[:-1],
            "margin_to": ends[1:],
            "share": share.reshape(BINS, -1).sum(axis=1),
        }
    )
