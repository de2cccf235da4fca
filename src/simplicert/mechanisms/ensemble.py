"""The ensemble of Cullen et al. (IEEE S&P 2024), Corollary 4.3: the best of several."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from simplicert.mechanisms.cohen import cohen
from simplicert.mechanisms.cullen import cullen
from simplicert.mechanisms.li import li
from simplicert.mechanisms.protocol import Mechanism, Radii, common_proof, proves
from simplicert.noises import gaussian


@proves(noise=gaussian, of=("multinomial",))  # as li's, a member by default
def ensemble(
    e0_lower: ArrayLike,
    e1_upper: ArrayLike,
    *,
    sigma: float,
    members: Sequence[Mechanism] = (cohen, li, cullen),
) -> Radii:
    """Largest radius that any of the members certifies.

    ``R = max over m of R_m``, elementwise. It costs no extra alpha: all members are
    deterministic consequences of the one event that the two bounds hold.

    Args:
        e0_lower: Lower bounds on the top class's expectation, in [0, 1].
        e1_upper: Upper bounds on the runner-up's expectation, in [0, 1].
        sigma: Noise standard deviation, in input units.
        members: Mechanisms that apply to these expectations. The default is the paper's
            choice for hard votes; for scores it is ``(lecuyer, cullen)``.

    Returns:
        Radii in input units, rounded down. 0 where no member certifies anything.

    Raises:
        InputError: An argument outside its range, shapes that do not broadcast, or no
            members.

    References:
        Cullen et al. 2024, arXiv:2309.11005, Corollary 4.3.

    Example:
        >>> cohen([0.4, 0.9], [0.1, 0.1], sigma=1.0).round(3)
        array([0.   , 1.282])
        >>> li([0.4, 0.9], [0.1, 0.1], sigma=1.0).round(3)
        array([0.459, 1.032])
        >>> ensemble([0.4, 0.9], [0.1, 0.1], sigma=1.0, members=(cohen, li)).round(3)
        array([0.459, 1.282])
    """
    common_proof(members)  # or their radii cannot be compared
    radii = (member(e0_lower, e1_upper, sigma=sigma) for member in members)
    return np.asarray(reduce(np.maximum, radii))
