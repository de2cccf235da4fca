"""Mean scores by their variance: which runner-up, who may be named, what it gains."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gammaln, xlogy

from simplicert.bounds import empirical_bernstein_lower, empirical_bernstein_upper
from simplicert.certificates import certify
from simplicert.procedures import empirical_bernstein, hoeffding
from simplicert.procedures.empirical_bernstein import NAMING, sample_variance
from simplicert.procedures.simultaneous import Seen
from simplicert.votes import Votes, read_run

RUNS = sorted(Path(__file__).parents[2].glob("results/cifar10/resnet20-?.??"))


def votes_of(scores):
    """One image's votes from its draws' scores, draws × classes, counted as runs do."""
    scores = np.floor(np.asarray(scores) * 2**32) / 2**32
    squares = np.floor(scores**2 * 2**32) / 2**32
    counts = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    return Votes(
        counts=counts[None],
        score_sums=scores.sum(axis=0)[None],
        score_squares=squares.sum(axis=0)[None],
        draws=np.array([len(scores)]),
        indices=np.array([0]),
        sigma=1.0,
        source={},
    )


def test_one_image_by_hand():
    random = np.random.default_rng(0)
    scores = random.dirichlet([9.0, 2.0, 1.0], size=1000)
    votes, alpha = votes_of(scores), 0.01
    found = empirical_bernstein(votes, alpha=alpha)
    floored = np.floor(scores * 2**32) / 2**32
    each = alpha * (1 - NAMING) / 2
    mean, variance = floored.mean(axis=0), floored.var(axis=0, ddof=1)
    seen = {"trials": 1000, "alpha": each}
    lower = empirical_bernstein_lower(mean[0], variance=variance[0], **seen)
    upper = empirical_bernstein_upper(mean[1], variance=variance[1], **seen)
    assert found.top.tolist() == [0]
    assert found.e0_lower[0] == pytest.approx(lower, abs=1e-7)
    assert found.e1_upper[0] == pytest.approx(upper, abs=1e-7)
    assert found.e0_lower[0] <= lower
    assert found.e1_upper[0] >= upper


def test_the_class_that_binds_need_not_be_the_runner_up():
    # The second class is sure of its mean; the third is below it and scattered.
    third = np.tile([0.0, 0.5], 500)
    second = np.full(1000, 0.26)
    votes = votes_of(np.stack([1 - third - second, second, third], axis=1) * 0.999)
    found = empirical_bernstein(votes, alpha=0.001)
    assert (found.top[0], found.runner_up[0]) == (0, 1)
    seen = {"trials": 1000, "alpha": 0.001 * (1 - NAMING) / 2}
    of_third = empirical_bernstein_upper(0.25 * 0.999, variance=0.0623, **seen)
    assert found.e1_upper[0] > of_third > 0.26 * 0.999 + 0.02
    assert found.e1_upper[0] == pytest.approx(of_third, abs=1e-3)


@pytest.mark.parametrize("trials", [2, 3, 1000])
def test_the_variance_is_never_less_than_it_is(trials):
    random = np.random.default_rng(trials)
    for scale in (1.0, 1e-3, 1e-7, 0.0):
        scores = np.clip(0.7 + scale * random.uniform(-0.3, 0.3, trials), 0, 1)
        scores = np.floor(scores * 2**32) / 2**32
        exact = [Fraction(score) for score in scores]
        mean = sum(exact) / trials
        true = sum((score - mean) ** 2 for score in exact) / (trials - 1)
        floored = np.floor(scores**2 * 2**32) / 2**32
        seen = Seen(
            sums=scores.sum(keepdims=True),
            squares=floored.sum(keepdims=True),
            trials=np.array([trials]),
        )
        found = Fraction(float(sample_variance(seen)[0]))
        assert true <= found <= true + Fraction(1, 10**9)


ATOMS = {
    "one of three classes": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "sure or torn": [[1, 0, 0], [0, 1, 0], [0.4, 0.3, 0.3]],
    "two against a steady third": [[0.6, 0, 0.4], [0, 0.6, 0.4], [0.3, 0.3, 0.4]],
    "nearly equal": [[0.34, 0.33, 0.33], [0.33, 0.34, 0.33], [0.33, 0.33, 0.34]],
}
"""Score vectors that a draw can give."""


def thirds(total):
    """Every way to divide a number in three."""
    parts = itertools.product(range(total + 1), repeat=3)
    return np.array([each for each in parts if sum(each) == total])


def false_rate(procedure, atoms, draws, alpha, step):
    """Largest probability of a false certificate over laws of these atoms: exact."""
    atoms = np.array(atoms, dtype=float)
    cells = [
        c for c in itertools.product(range(draws + 1), repeat=3) if sum(c) == draws
    ]
    table = np.array(cells)
    found = procedure(
        Votes(
            counts=table,  # how often each atom came; the procedure does not look
            score_sums=table @ atoms,
            score_squares=table @ atoms**2,
            draws=np.full(len(table), draws),
            indices=np.arange(len(table)),
            sigma=1.0,
            source={},
        ),
        alpha=alpha,
    )
    e1_upper = np.minimum(found.e1_upper, 1 - found.e0_lower)
    named = found.e0_lower > e1_upper
    ways = gammaln(draws + 1) - gammaln(table + 1).sum(axis=1)
    worst, most_named = 0.0, 0.0
    for shares in thirds(step) / step:
        mass = np.exp(ways + xlogy(table, shares).sum(axis=1))
        mean = shares @ atoms
        others = np.array([np.delete(mean, j).max() for j in range(3)])[found.top]
        top = mean[found.top]
        wrong = top <= others + 1e-12
        wrong |= (found.e0_lower > top + 1e-12) | (e1_upper < others - 1e-12)
        worst = max(worst, mass[named & wrong].sum())
        most_named = max(most_named, mass[named].sum())
    return worst, most_named


@pytest.mark.parametrize(
    "procedure", [empirical_bernstein, hoeffding], ids=lambda each: each.name
)
@pytest.mark.parametrize("atoms", ATOMS.values(), ids=ATOMS)
@pytest.mark.parametrize("alpha", [0.05, 0.6])
def test_false_certificates_are_rarer_than_alpha(procedure, atoms, alpha):
    worst, named = false_rate(procedure, atoms, 60, alpha, 20)
    assert worst <= alpha
    if atoms == ATOMS["one of three classes"]:
        assert named > 0.9  # something is certified, so that it can be false


def test_a_class_is_named_only_where_the_wider_bounds_separate_it():
    # Separated at half of alpha, but not at the small share that naming has.
    found = []
    for lead in np.linspace(0.0, 0.06, 61):
        row = np.tile([[0.5 + lead, 0.5 - lead, 0.0], [0.4, 0.4, 0.2]], (2000, 1))
        intervals = empirical_bernstein(votes_of(row), alpha=0.05)
        each = {"trials": 4000, "alpha": 0.05 * (1 - NAMING) / 2}
        variance = row.var(axis=0, ddof=1)
        lower = empirical_bernstein_lower(
            row[:, 0].mean(), variance=variance[0], **each
        )
        upper = empirical_bernstein_upper(
            row[:, 1].mean(), variance=variance[1], **each
        )
        named = intervals.e0_lower[0] > intervals.e1_upper[0]
        assert not named or lower > upper
        found.append((lower > upper, named))
    assert (True, False) in found  # separated, not named
    assert (True, True) in found


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_soft_radii_grow_on_the_committed_runs(run):
    votes = read_run(run)
    means = {
        procedure.name: certify(votes, procedure=procedure).radius.mean()
        for procedure in (hoeffding, empirical_bernstein)
    }
    gain = means["empirical_bernstein"] / means["hoeffding"] - 1
    assert 0.08 < gain < 0.20, gain
