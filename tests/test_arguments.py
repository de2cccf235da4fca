import subprocess
import sys

import numpy as np
import pytest

from simplicert import mechanisms
from simplicert.arguments import checked_draws, checked_probabilities, checked_sigma
from simplicert.errors import InputError
from simplicert.mechanisms import cohen, ensemble, li
from simplicert.mechanisms.protocol import Mechanism

EVERY = [getattr(mechanisms, name) for name in mechanisms.__all__]
each_mechanism = pytest.mark.parametrize("radius", EVERY, ids=lambda f: f.__name__)


def test_the_public_mechanisms():
    assert mechanisms.__all__ == sorted(
        ["lecuyer", "lee", "li", "cohen", "cullen", "neyman_pearson", "ensemble"]
    )
    assert all(isinstance(radius, Mechanism) for radius in EVERY)


@each_mechanism
@pytest.mark.parametrize(
    ("e0", "e1", "shape"),
    [
        (0.9, 0.1, ()),
        (np.array(0.9), 0, ()),
        ([], [], (0,)),
        (np.zeros((0, 3)), 0.5, (0, 3)),
        ([0.9, 1], 0.1, (2,)),
        (np.full((4, 1), 0.9), np.full(3, 0.1), (4, 3)),
        (np.full((5, 2, 3), 0.9)[::2, :, ::-1], np.float32(0.1), (3, 2, 3)),
        (1, 1, ()),
    ],
)
def test_any_shapes_that_broadcast(radius, e0, e1, shape):
    result = radius(e0, e1, sigma=1)
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float64
    assert result.shape == shape


@each_mechanism
def test_computed_in_float64_whatever_comes_in(radius):
    e0, e1 = np.float32([0.9, 0.6]), np.float32([0.05, 0.1])
    np.testing.assert_array_equal(
        radius(e0, e1, sigma=0.3),
        radius(e0.astype(float), e1.astype(float), sigma=0.3),
    )


@each_mechanism
def test_every_entry_on_its_own(radius):
    # Chunks, broadcasting, order and company change nothing, to the last bit.
    e0 = np.linspace(0.001, 1.0, 150)[:, np.newaxis]
    e1 = np.linspace(0.0, 0.7, 121)
    table = radius(e0, e1, sigma=0.5)
    np.testing.assert_array_equal(table, radius(e0[::-1], e1, sigma=0.5)[::-1])
    for i, j in [(0, 0), (75, 3), (149, 120), (140, 1)]:
        assert table[i, j] == radius(e0[i, 0], e1[j], sigma=0.5)


@each_mechanism
def test_arguments_are_left_alone(radius):
    e0, e1 = np.array([0.9, 0.2]), np.array([0.3, 0.1])
    e0.flags.writeable = e1.flags.writeable = False
    radius(e0, e1, sigma=1.0)


@each_mechanism
@pytest.mark.parametrize(
    ("e0", "e1", "message"),
    [
        ([0.5, 1.5], 0.1, r"e0_lower must lie in \[0, 1\], got 1.5"),
        (0.5, -1e-9, r"e1_upper must lie in \[0, 1\], got -1e-09"),
        (0.5, [0.1, np.nan], r"e1_upper must lie in \[0, 1\], got nan"),
        (np.inf, 0.1, r"e0_lower must lie in \[0, 1\], got inf"),
        ("0.9", 0.1, "e0_lower must hold real numbers"),
        ([True], 0.1, "e0_lower must hold real numbers"),
        (0.9 + 0j, 0.1, "e0_lower must hold real numbers"),
        ([[0.9], [0.8, 0.7]], 0.1, "e0_lower must be a regular array"),
        ([0.9, 0.8], [0.1, 0.1, 0.1], r"broadcast.*\(2,\) and \(3,\)"),
    ],
)
def test_bad_expectations_are_named(radius, e0, e1, message):
    with pytest.raises(InputError, match=message):
        radius(e0, e1, sigma=1.0)


@each_mechanism
@pytest.mark.parametrize("sigma", [0, -1.0, np.nan, np.inf, True])
def test_bad_sigma_is_named(radius, sigma):
    with pytest.raises(InputError, match="sigma must be a positive, finite number"):
        radius(0.9, 0.1, sigma=sigma)


# Under pytest beartype refuses wrong types at the door; users meet these checks.
@pytest.mark.parametrize("sigma", ["1", None, [1.0], np.array([1.0]), 1j])
def test_what_is_no_number_is_no_sigma(sigma):
    with pytest.raises(InputError, match="sigma must be a positive, finite number"):
        checked_sigma(sigma)


@pytest.mark.parametrize("values", [None, {}, object(), [None, 0.5], "a", b"a"])
def test_what_is_no_number_is_no_expectation(values):
    with pytest.raises(InputError, match="e1_upper must hold real numbers"):
        checked_probabilities(values, argument="e1_upper")


def test_an_ensemble_is_the_best_of_its_members():
    e0, e1 = np.array([0.4, 0.7, 0.95]), np.array([0.1, 0.3, 0.04])
    members = [cohen, li]
    both = [member(e0, e1, sigma=0.5) for member in members]
    best = ensemble(e0, e1, sigma=0.5, members=members)
    np.testing.assert_array_equal(best, np.maximum(*both))
    assert (best > both[0]).any()
    assert (best > both[1]).any()


def test_an_ensemble_has_members():
    with pytest.raises(InputError, match="members must hold at least one mechanism"):
        ensemble(0.9, 0.1, sigma=1.0, members=[])


def test_importing_is_light():
    heavy = ["torch", "scipy.stats", "scipy.optimize", "pandas", "matplotlib"]
    code = (
        "import sys, simplicert.mechanisms, simplicert.bounds;"
        f"print(*[name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("draws", [1e4, "1000", 0, -1, None, np.float64(10)])
def test_draws_are_a_whole_number(draws):
    with pytest.raises(InputError, match=r"draws must be a whole number, at least 1"):
        checked_draws(draws)
    assert checked_draws(np.int64(10)) == 10
