"""One-sided bounds on an expectation, from what its draws added up to."""

from simplicert.bounds.clopper_pearson import (
    clopper_pearson_counts,
    clopper_pearson_lower,
    clopper_pearson_upper,
)
from simplicert.bounds.empirical_bernstein import (
    empirical_bernstein_lower,
    empirical_bernstein_upper,
)
from simplicert.bounds.half_gap import half_gap_lower
from simplicert.bounds.hoeffding import (
    hoeffding_lower,
    hoeffding_spare,
    hoeffding_upper,
)
from simplicert.bounds.sign_test import least_lead, log_sign_test

__all__ = [
    "clopper_pearson_counts",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "empirical_bernstein_lower",
    "empirical_bernstein_upper",
    "half_gap_lower",
    "hoeffding_lower",
    "hoeffding_spare",
    "hoeffding_upper",
    "least_lead",
    "log_sign_test",
]
