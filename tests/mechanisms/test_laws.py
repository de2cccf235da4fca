"""The laws hold for every built-in mechanism, and each catches what it is for."""

import numpy as np
import pytest

from simplicert import mechanisms
from simplicert.errors import InputError
from simplicert.mechanisms import cohen, cullen, neyman_pearson
from simplicert.mechanisms.laws import EXCEPTABLE, LAWS, broken_laws, check_laws

BUILT_IN = [getattr(mechanisms, name) for name in mechanisms.__all__]


@pytest.mark.parametrize("mechanism", BUILT_IN, ids=lambda m: m.__name__)
def test_every_built_in_mechanism_obeys_every_law(mechanism):
    assert broken_laws(mechanism) == {}
    check_laws(mechanism)


def scalar(e0_lower, e1_upper, *, sigma):
    return 0.0


def single_precision(e0_lower, e1_upper, *, sigma):
    return cullen(e0_lower, e1_upper, sigma=sigma).astype(np.float32)


def undefined_at_one(e0_lower, e1_upper, *, sigma):
    return np.where(
        np.equal(e0_lower, 1.0), np.nan, cohen(e0_lower, e1_upper, sigma=sigma)
    )


def negative(e0_lower, e1_upper, *, sigma):
    return sigma * np.subtract(e0_lower, e1_upper)


def certifies_a_tie(e0_lower, e1_upper, *, sigma):
    return neyman_pearson(e0_lower, e1_upper, sigma=sigma) + 1e-6 * sigma


def ignores_the_sum(e0_lower, e1_upper, *, sigma):
    e0, e1 = np.asarray(e0_lower), np.asarray(e1_upper)
    apart = e0 > np.minimum(e1, 1 - e0)
    return np.where(apart, sigma * 0.1 * np.maximum(e0 - e1, 0.0), 0.0)


def falls_with_e0(e0_lower, e1_upper, *, sigma):
    bounded = np.minimum(cullen(e0_lower, e1_upper, sigma=sigma), 0.1 * sigma)
    return bounded * np.subtract(1.0, e0_lower)


def rises_with_e1(e0_lower, e1_upper, *, sigma):
    together = np.minimum(e1_upper, np.subtract(1.0, e0_lower))
    radius = cohen(e0_lower, e1_upper, sigma=sigma)
    return np.where(radius > 0, 0.2 * radius + 0.1 * sigma * together, 0.0)


def quadratic(e0_lower, e1_upper, *, sigma):
    return 0.3 * cohen(e0_lower, e1_upper, sigma=sigma**2)


def twice_too_large(e0_lower, e1_upper, *, sigma):
    return 2.0 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)


@pytest.mark.parametrize(
    ("mechanism", "law", "says"),
    [
        (scalar, "shape", "for arguments of shapes (0,) and (0,)"),
        (single_precision, "shape", "the result is float32"),
        (undefined_at_one, "number", "at e0_lower = 1, e1_upper = 0 the radius is nan"),
        (negative, "number", "at e0_lower = 0, e1_upper = 1e-09 the radius is -1e-09"),
        (
            certifies_a_tie,
            "separated",
            "at e0_lower = 0, e1_upper = 0 the radius is 1e-06",
        ),
        (ignores_the_sum, "sum", "but at e1_upper = 1 - e0_lower it is"),
        (falls_with_e0, "monotone", "for a smaller e0_lower"),
        (rises_with_e1, "monotone", "for a smaller e1_upper"),
        (quadratic, "linear", "for sigma = 1 and"),
        (twice_too_large, "tight", "above"),
    ],
)
def test_each_law_catches_what_it_is_for(mechanism, law, says):
    assert says in broken_laws(mechanism)[law]
    with pytest.raises(InputError) as refused:
        check_laws(mechanism)
    assert mechanism.__name__ in str(refused.value)
    first = next(iter(broken_laws(mechanism)))
    assert LAWS[first] in str(refused.value)


def test_a_violation_of_one_in_a_million_is_seen_and_of_one_in_ten_to_the_ten_is_not():
    def excess(factor):
        return lambda e0, e1, *, sigma: factor * neyman_pearson(e0, e1, sigma=sigma)

    assert list(broken_laws(excess(1 + 1e-6))) == ["tight"]
    assert broken_laws(excess(1 + 1e-10)) == {}


def test_a_law_can_be_excepted_if_a_sound_mechanism_may_break_it():
    check_laws(twice_too_large, except_laws=["tight"])
    check_laws(quadratic, except_laws=["linear", "tight"])
    with pytest.raises(InputError, match=r"attribute except_laws = \['linear'\]"):
        check_laws(quadratic, except_laws=["monotone"])
    for law in set(LAWS) - set(EXCEPTABLE):
        with pytest.raises(InputError, match="unknown law in except_laws"):
            check_laws(cohen, except_laws=[law])


def test_a_forgotten_comma_is_forgiven():
    check_laws(twice_too_large, except_laws="tight")


def test_no_remedy_is_offered_for_a_law_that_always_applies():
    with pytest.raises(InputError) as refused:
        check_laws(negative)
    assert "except_laws" not in str(refused.value)
