"""An asymptotic interval, called exact.

The habit: the library's default interval of a proportion is the normal one (Wald's):
the estimate less so many standard errors. Near 1 the error that is estimated is nearly
0, and exactly 0 where all draws agree: certificates are falsest where they are largest.
"""

import numpy as np
from scipy.special import ndtri


def certify(draw, *, sigma, alpha):
    chosen = np.bincount(draw(20)).argmax()
    share = float((draw(200) == chosen).mean())
    share = min(share, 1 - 1e-12)
    lower = max(share - ndtri(1 - alpha) * (share * (1 - share) / 200) ** 0.5, 0.0)
    radius = sigma * float(ndtri(lower))
    return (int(chosen), radius) if radius > 0 else (-1, 0.0)
