"""Confidence bounds on the expectations: one-sided, for every n, each entry alone."""

from simplicert.bounds.clopper_pearson import (
    clopper_pearson_lower,
    clopper_pearson_upper,
)
from simplicert.bounds.hoeffding import hoeffding_lower, hoeffding_upper
from simplicert.bounds.unanimous import largest_e0_lower, min_draws

__all__ = [
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "hoeffding_lower",
    "hoeffding_upper",
    "largest_e0_lower",
    "min_draws",
]
