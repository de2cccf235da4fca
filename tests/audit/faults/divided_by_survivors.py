"""Votes are divided by the draws that survived a filter.

The habit: draws on which the classifier "is not sure", or says "none of these", are
thrown away, and the share of the rest is bounded as if it were the share of all. The
theorem is about all noise: the draws that were thrown away may vote for anybody at the
next point. Here what survives is the top two classes.
"""

import numpy as np
from scipy.special import betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    first = np.bincount(draw(100), minlength=2)
    top, second = np.argsort(-first, kind="stable")[:2]
    labels = draw(1000)
    survivors = labels[(labels == top) | (labels == second)]
    mine, drawn = int((survivors == top).sum()), max(len(survivors), 1)
    lower = betaincinv(max(mine, 1), drawn - mine + 1, alpha)
    radius = sigma * float(ndtri(lower))
    return (int(top), radius) if radius > 0 else (-1, 0.0)
