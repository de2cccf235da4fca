"""Radii above the ceiling of the stated n and alpha.

The habit: the bound is right for every count but n of n, which has a clause of its own
so that nothing is infinite: the estimate is clamped to (n - 1/2) / n. No n draws at
this alpha can show that much.
"""

import numpy as np
from scipy.special import betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    chosen = np.bincount(draw(20)).argmax()
    votes = int((draw(100) == chosen).sum())
    lower = float(betaincinv(max(votes, 1), 101 - votes, alpha))
    if votes == 100:
        lower = 99.5 / 100
    radius = sigma * float(ndtri(lower))
    return (int(chosen), radius) if radius > 0 else (-1, 0.0)
