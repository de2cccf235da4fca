"""Draws that chose the class are counted again in its one bound.

The habit: the estimation counts are added to the selection counts ("more votes, tighter
bounds"), or one sample serves for both, with the one-sided bound at the whole of alpha
that only a class chosen by other draws may have. At a tie each of two classes passes in
alpha of the samples, so nearly 2 alpha are false. With two classes and few draws that
choose, as 100 of 100,100, hardly more than alpha are: then the class is chosen nearly
as if by others.
"""

import numpy as np
from scipy.special import betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    first = draw(500)
    chosen = np.bincount(first).argmax()
    votes = np.concatenate([first, draw(500)]) == chosen
    lower = betaincinv(votes.sum(), votes.size - votes.sum() + 1, alpha)
    radius = sigma * float(ndtri(lower))
    return (int(chosen), radius) if radius > 0 else (-1, 0.0)
