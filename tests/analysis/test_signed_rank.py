"""The signed-rank test by counting sign patterns, and by SciPy where it is exact."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon

from simplicert.analysis import signed_rank as module
from simplicert.analysis.signed_rank import signed_rank


def counted(change):
    """The share of all sign patterns whose positive ranks sum to at least these."""
    ranks = rankdata(np.abs(change))[change != 0]
    positive = (change > 0)[change != 0]
    patterns = np.array(list(product([False, True], repeat=len(ranks))))
    # Sums of halves are exact.
    return (patterns @ ranks >= ranks[positive].sum()).mean()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("differ", "images"), [(1, 1), (1, 100), (3, 100), (6, 1000), (9, 9), (12, 30)]
)
def test_every_sign_pattern_counts_with_ties_and_zeros(differ, images, ties):
    random = np.random.default_rng(differ)
    for _ in range(5):
        sizes = random.permutation(differ) // (3 if ties else 1) + 1.0
        change = np.zeros(images)
        change[:differ] = sizes * random.choice([-1, 1], size=differ)
        change = random.permutation(change)
        for signed in (change, -change, np.abs(change)):
            assert signed_rank(signed)[1] == pytest.approx(counted(signed), rel=1e-12)


@pytest.mark.parametrize("images", [20, 300])
def test_scipy_agrees_without_ties_and_zeros(images):
    change = np.random.default_rng(0).normal(0.2, 1.0, size=images)
    expected = wilcoxon(change, alternative="greater", method="exact")
    assert signed_rank(change) == pytest.approx((expected.statistic, expected.pvalue))


def test_no_difference_is_no_evidence():
    assert signed_rank(np.zeros(50)) == (0.0, 1.0)
    assert signed_rank(np.array([])) == (0.0, 1.0)


@pytest.mark.parametrize(("differ", "images"), [(40, 5000), (200, 800), (450, 450)])
def test_the_approximation_errs_on_the_large_side(differ, images, monkeypatch):
    random = np.random.default_rng(1)
    several = []
    for mean in (0.0, 0.1, 0.2):
        change = np.zeros(images)
        change[:differ] = random.normal(mean, 1.0, size=differ)
        several.append(change)
    exact = [signed_rank(change) for change in several]
    monkeypatch.setattr(module, "MOST_ADDITIONS", 0)
    for change, (statistic, p_value) in zip(several, exact, strict=True):
        found, approximate = signed_rank(change)
        assert found == statistic
        assert 0.998 * p_value <= approximate <= 4.0 * p_value


def test_ten_thousand_images_that_all_differ_take_no_time():
    change = np.random.default_rng(2).normal(0.02, 1.0, size=10_000)
    expected = wilcoxon(change, alternative="greater", correction=True)
    assert signed_rank(change) == pytest.approx(
        (expected.statistic, expected.pvalue), rel=1e-6
    )


def test_the_sum_of_every_pattern_is_certain():
    """In float64 it came to 1.0000000000000002."""
    change = -np.arange(1.0, 81.0)
    assert signed_rank(change) == (0.0, 1.0)
