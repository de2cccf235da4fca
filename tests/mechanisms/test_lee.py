"""l1 balls under uniform noise: the theorem, on classifiers that are exact."""

from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest

from simplicert.mechanisms import lee, neyman_pearson

HALF = 3.0**0.5  # of the cube, at sigma = 1


@pytest.mark.parametrize("sigma", [1.0, 0.12, 3.7])
def test_the_radius_is_the_formula_rounded_down(sigma):
    random = np.random.default_rng(0)
    e0 = random.uniform(0, 1, 500)
    e1 = random.uniform(0, 1, 500) * np.minimum(e0, 1 - e0)
    for p, q, radius in zip(e0, e1, lee(e0, e1, sigma=sigma), strict=True):
        with mp.workdps(40):
            true = mp.sqrt(3) * mp.mpf(sigma) * (mp.mpf(float(p)) - mp.mpf(float(q)))
            assert true * (1 - mp.mpf(2) ** -46) <= mp.mpf(float(radius)) <= true


def test_one_value_by_hand():
    # sqrt(3) / 2 = 0.86602540378444, times 0.9 - 0.05.
    assert lee(0.9, 0.05, sigma=0.5) == pytest.approx(0.73612159321677, rel=1e-12)
    # Bounds that sum to more than 1: sqrt(3) * (0.7 - 0.3).
    assert lee(0.7, 0.9, sigma=1.0) == pytest.approx(3**0.5 * 0.4, rel=1e-12)


def in_strips(edges, shift):
    """Share of a cube's first side, moved by ``shift``, between each pair of edges."""
    low, high = Fraction(HALF) * -1 + shift, Fraction(HALF) + shift
    cuts = [min(max(edge, low), high) for edge in edges]
    return [(b - a) / (high - low) for a, b in pairwise(cuts)]


def test_no_larger_radius_holds_for_every_classifier():
    # Classes in strips across the first axis, the runner-up where the move leads to: a
    # move takes from the top class alone and gives to the runner-up alone.
    wall = Fraction(10)
    for p, q in ((0.6, 0.2), (0.35, 0.3), (0.9, 0.1), (0.05, 0.001)):
        width = 2 * Fraction(HALF)
        first = Fraction(-HALF) + Fraction(p) * width  # top class below it
        last = Fraction(HALF) - Fraction(q) * width  # runner-up above it
        edges = [-wall, first, last, wall]
        radius = Fraction(float(lee(p, q, sigma=1.0)))
        for factor, holds in ((Fraction(1) - Fraction(1, 10**9), True),
                              (Fraction(1) + Fraction(1, 10**9), False)):  # fmt: skip
            top, _, runner_up = in_strips(edges, radius * factor)
            assert (top > runner_up) is holds


@pytest.mark.parametrize("seed", range(5))
def test_expectations_change_no_faster_than_the_proof_says(seed):
    # A classifier that is constant on the cells of a grid: expectations in two
    # dimensions are exact sums of areas.
    random = np.random.default_rng(seed)
    cells, side = 12, 1.0
    score = random.integers(0, 2, (cells, cells)).astype(float)
    edges = (np.arange(cells + 1) - cells / 2) * side

    def expectation(at):
        shares = []
        for centre in at:
            low, high = centre - HALF, centre + HALF
            clipped = np.clip(edges, low, high)
            shares.append(np.diff(clipped) / (2 * HALF))
        return shares[0] @ score @ shares[1]

    start = random.uniform(-1, 1, 2)
    for _ in range(200):
        move = random.uniform(-1, 1, 2)
        change = abs(expectation(start + move) - expectation(start))
        assert change <= np.abs(move).sum() / (2 * HALF) + 1e-12


def test_it_is_another_theorem_than_that_of_gaussian_noise():
    # Near E0 = 1 the normal quantile grows without end; near ties it is the smaller.
    assert lee(0.999, 0.0005, sigma=1.0) < neyman_pearson(0.999, 0.0005, sigma=1.0)
    assert lee(0.5, 0.4, sigma=1.0) > neyman_pearson(0.5, 0.4, sigma=1.0)
    assert np.isfinite(lee(1.0, 0.0, sigma=1.0))
