"""Certification mechanisms: ``(e0_lower, e1_upper, sigma) -> certified radius``.

Pure, vectorised, float64. One file a mechanism; a new one is a file and a line here.
``Mechanism`` in ``protocol`` is the type of all of them, ``separated`` holds the laws
they share, and ``proves`` says what noise, norm and statistics each is about.
"""

from simplicert.mechanisms.cohen import cohen as cohen
from simplicert.mechanisms.cullen import cullen as cullen
from simplicert.mechanisms.ensemble import ensemble as ensemble
from simplicert.mechanisms.lecuyer import lecuyer as lecuyer
from simplicert.mechanisms.lee import lee as lee
from simplicert.mechanisms.li import li as li
from simplicert.mechanisms.neyman_pearson import neyman_pearson as neyman_pearson
from simplicert.mechanisms.protocol import Mechanism as Mechanism
from simplicert.mechanisms.protocol import Proof as Proof
from simplicert.mechanisms.protocol import proves as proves

BUILT_IN: dict[str, Mechanism] = {
    name: each for name, each in sorted(vars().items()) if hasattr(each, "proof")
}
"""Every one of ours must say what its proof is about; so these are all of them."""

__all__ = list(BUILT_IN)
