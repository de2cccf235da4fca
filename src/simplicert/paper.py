"""What the paper fixes, and nothing else decides by name.

Cullen, Montague, Liu, Erfani, Rubinstein: "It's Simplex! Disaggregating Measures to
Improve Certified Robustness", IEEE S&P 2024, arXiv:2309.11005.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "BASELINE",
    "ENSEMBLES",
    "IMPROVED",
    "MECHANISMS",
    "PROCEDURES",
    "RADIUS_OF_INTEREST",
]

PROCEDURES: Mapping[str, str] = MappingProxyType(
    {"multinomial": "clopper_pearson", "softmax": "hoeffding"}
)
"""Its frameworks by name, and the procedure of each: Algorithms 1 and 2."""

MECHANISMS = ("lecuyer", "li", "cohen", "cullen")
"""Those that it compares, as far as they apply."""

ENSEMBLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"multinomial": ("cohen", "li", "cullen"), "softmax": ("lecuyer", "cullen")}
)
"""Its ensembles (Corollary 4.3 and section 6), by framework."""

BASELINE = "cohen"
"""What Table 2 and Figure 7 compare with."""

RADIUS_OF_INTEREST = 0.05
"""Its threshold for a radius that is worth having."""

IMPROVED: Mapping[float, float] = MappingProxyType(
    {0.12: 0.144, 0.25: 0.261, 0.5: 0.474, 1.0: 0.702}
)
"""Table 2, CIFAR-10, by sigma: of the images that the baseline certifies, the share
whose radius the ensemble enlarges."""
