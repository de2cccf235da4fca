"""Rounded down means: never above, and less than one step below."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simplicert.rounding import round_down

FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(FINITE, st.integers(0, 9))
def test_the_result_is_the_largest_decimal_that_is_not_above(value, digits):
    found = float(round_down(value, digits))
    assert found <= value
    assert float(round(Decimal(found) + Decimal(10) ** -digits, digits)) > value
    assert found == float(f"{found:.{digits}f}")


@given(st.integers(-10_000, 10_000), st.integers(0, 4))
def test_a_number_that_has_so_few_digits_stays(number, digits):
    value = float(Decimal(number).scaleb(-digits))
    assert round_down(value, digits) == value


def test_by_hand_and_the_numbers_that_have_no_digits():
    np.testing.assert_array_equal(
        round_down([0.29, 0.7999, 1.9057, -0.001, np.inf, np.nan], 2),
        [0.29, 0.79, 1.9, -0.01, np.inf, np.nan],
    )
