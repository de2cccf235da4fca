"""Rounded down means: never above, and less than one step below."""

from decimal import Decimal

import numpy as np
import pytest
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


@pytest.mark.parametrize("digits", range(8))
def test_one_float_below_a_decimal_is_below_it(digits):
    # The product with 10**digits is rounded up to the decimal for some of these.
    decimals = np.arange(1, 5000) / 10**digits
    below, above = np.nextafter(decimals, 0), np.nextafter(decimals, np.inf)
    for sign in (1, -1):  # below zero the next decimal is further from it
        exact = sign * np.concatenate([below, decimals, above])
        found = round_down(exact, digits)
        steps = np.rint(found * 10**digits)
        np.testing.assert_array_equal(found, steps / 10**digits)
        assert (found <= exact).all()
        assert (exact < (steps + 1) / 10**digits).all()


def test_a_float_without_so_many_digits_stays():
    large = np.array([2.0**52 + 1, 2.0**53, 1e300, 1e308, 2.0**52 / 1000 + 2.0**-10])
    for value in (*large, *-large):
        assert round_down(value, 3) == value


def test_by_hand_and_the_numbers_that_have_no_digits():
    np.testing.assert_array_equal(
        round_down([0.29, 0.7999, 1.9057, -0.001, np.inf, np.nan], 2),
        [0.29, 0.79, 1.9, -0.01, np.inf, np.nan],
    )
