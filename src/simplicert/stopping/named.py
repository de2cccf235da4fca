"""Stop as soon as a class can be named at all."""

import numpy as np
from jaxtyping import Bool

from simplicert.procedures import clopper_pearson
from simplicert.stopping.protocol import Rule
from simplicert.votes import Votes


def _decided(votes: Votes, alpha: float) -> Bool[np.ndarray, " images"]:
    return clopper_pearson(votes, alpha=alpha).named


named = Rule(name="named", decided=_decided, parameters={})
