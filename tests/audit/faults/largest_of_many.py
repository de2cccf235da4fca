"""The largest of many certificates, each at the full alpha.

The habit: an input is certified at every checkpoint of the sampling (or with every
setting of some parameter), and the best of the radii is reported under the alpha of
one. Each is right, but the largest is the one that was luckiest.
"""

import numpy as np
from scipy.special import betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    chosen = np.bincount(draw(100)).argmax()
    votes = np.cumsum(draw(1000) == chosen)[99::100]
    drawn = np.arange(100, 1001, 100)
    lower = betaincinv(np.maximum(votes, 1), drawn - votes + 1, alpha)
    radius = sigma * float(ndtri(lower.max()))
    return (int(chosen), radius) if radius > 0 else (-1, 0.0)
