"""Moves towards images of other classes."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from simplicert.audit.attack.ball import SHRINK, distance
from simplicert.audit.attack.hunt import Hunt

__all__ = ["transfer"]


def transfer(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """Straight towards the nearest images of other classes, as far as the ball goes.

    The k-th nearest at a time: all the way where the image lies inside.
    """
    count = min(hunt.harder(2, 16), len(hunt.others))
    others = hunt.others.reshape(len(hunt.others), -1)
    nearest = np.full((len(hunt.balls), count), -1)
    apart = cdist(hunt.balls.centres.reshape(len(hunt.balls), -1), others)
    for ball, held in enumerate(hunt.balls.held):
        rivals = np.flatnonzero(hunt.classes != held)
        found = rivals[np.argsort(apart[ball, rivals], kind="stable")[:count]]
        nearest[ball, : len(found)] = found
    tried = 0 if hunt.effort == 0 else count // 2
    for column in nearest.T[tried:]:
        if (column < 0).all():
            return
        points = hunt.others[np.maximum(column, 0)].copy()
        points[column < 0] = hunt.balls.centres[column < 0]
        moves = points.astype(np.float64) - hunt.balls.centres
        length = distance(points, hunt.balls.centres, hunt.balls.norm)
        # Scaled, not projected: in l1 and linf the nearest point lies elsewhere.
        short = np.minimum(1.0, hunt.balls.reach * SHRINK / np.maximum(length, 1e-300))
        whole = hunt.balls.contain(points)
        share = np.where(whole, 1.0, short).reshape(-1, *(1 for _ in points.shape[1:]))
        yield hunt.balls.centres + share * moves
