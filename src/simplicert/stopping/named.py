"""Stop as soon as a class can be named at all."""

import numpy as np
from jaxtyping import Bool

from simplicert.procedures import clopper_pearson
from simplicert.stopping.protocol import Rule
from simplicert.votes import Votes


def _decided(votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    found = clopper_pearson(votes, alpha=alpha)
    return np.asarray(found.e0_lower > found.others_upper)


named = Rule(name="named", decided=_decided, parameters={})
