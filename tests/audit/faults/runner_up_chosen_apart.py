"""The runner-up is chosen on other draws, and bounded alone.

The habit: the two classes with the most votes of a small first sample are the only ones
looked at in the second. For the top class that is right: the certificate is about the
class named. But it must hold against every other class, and the first sample may have
missed the one that is ahead of the rest.
"""

import numpy as np
from scipy.special import betainccinv, betaincinv, ndtri


def certify(draw, *, sigma, alpha):
    top, second = np.argsort(-np.bincount(draw(20), minlength=2), kind="stable")[:2]
    labels = draw(2000)
    mine, theirs = (int((labels == each).sum()) for each in (top, second))
    lower = betaincinv(max(mine, 1), 2001 - mine, alpha / 2)
    upper = betainccinv(theirs + 1, max(2000 - theirs, 1), alpha / 2)
    radius = sigma / 2 * float(ndtri(lower) - ndtri(min(upper, 1.0 - lower)))
    return (int(top), radius) if radius > 0 else (-1, 0.0)
