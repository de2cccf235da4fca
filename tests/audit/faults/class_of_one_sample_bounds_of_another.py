"""The class of one sample, with the bounds of another.

The habit: ``predict`` on a few draws names the class, and the radius is made of the
largest count of the many draws of ``certify``, whichever class has it. Where the two
disagree, a class is certified that the second sample is against.
"""

import numpy as np
from scipy.special import betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    named = np.bincount(draw(11)).argmax()
    most = np.bincount(draw(1000)).max()
    lower = betaincinv(most, 1001 - most, alpha)
    radius = sigma * float(ndtri(lower))
    return (int(named), radius) if radius > 0 else (-1, 0.0)
