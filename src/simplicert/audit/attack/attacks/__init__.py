"""Attacks: one file each. A new one is a file and a line here."""

from collections.abc import Mapping

from simplicert.audit.attack.attacks.eight_bit import eight_bit
from simplicert.audit.attack.attacks.evolution import evolution
from simplicert.audit.attack.attacks.gradient import gradient
from simplicert.audit.attack.attacks.rounding import rounding
from simplicert.audit.attack.attacks.still import still
from simplicert.audit.attack.attacks.transfer import transfer
from simplicert.audit.attack.hunt import Attack

__all__ = ["ATTACKS"]

ATTACKS: Mapping[str, Attack] = {
    "still": still,
    "gradient": gradient,
    "evolution": evolution,
    "transfer": transfer,
    "8-bit": eight_bit,
    "rounding": rounding,
}
"""In the order in which they are tried; 8-bit starts from the best point before it."""
