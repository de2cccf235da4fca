"""Certification mechanisms: ``(e0_lower, e1_upper, sigma) -> certified l2 radius``.

Pure, vectorised, float64. One file a mechanism; ``Mechanism`` in ``protocol`` is the
type of all of them, ``separated`` holds the laws they share.
"""

from simplicert.mechanisms.cohen import cohen
from simplicert.mechanisms.cullen import cullen
from simplicert.mechanisms.ensemble import ensemble
from simplicert.mechanisms.lecuyer import lecuyer
from simplicert.mechanisms.li import li
from simplicert.mechanisms.neyman_pearson import neyman_pearson

__all__ = ["cohen", "cullen", "ensemble", "lecuyer", "li", "neyman_pearson"]
