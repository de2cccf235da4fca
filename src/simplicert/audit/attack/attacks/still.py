"""The image itself: the class at the centre of its own ball."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from simplicert.audit.attack.hunt import Hunt

__all__ = ["still"]


def still(hunt: Hunt) -> Iterator[Float[np.ndarray, "balls ..."]]:
    """The centres, once: a certificate of a wrong class is false at its image."""
    if hunt.effort == 0 and not hunt.beyond:
        yield hunt.balls.centres
