"""The proof in docs/bounds.md, lemma by lemma: every outcome, in whole numbers.

Expectations are fractions with one denominator, so that the probability of an outcome
is a whole number over one power of it. Nothing is rounded, and nothing is simulated.
Some draws may vote for no class: the last share is nobody's.
"""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from alone import bounds_alone
from scipy.special import gammaln, xlogy

from simplicert.errors import InputError
from simplicert.procedures import PROCEDURES, clopper_pearson, hoeffding
from simplicert.procedures.naming import named_where
from simplicert.procedures.reach import unanimous
from simplicert.votes import Look, Votes


@functools.cache
def divided(total, parts):
    """Every way to divide a whole number."""
    if parts == 1:
        return ((total,),)
    return tuple(
        (first, *rest)
        for first in range(total + 1)
        for rest in divided(total - first, parts - 1)
    )


def ways(counts):
    """In how many orders such draws can come."""
    return math.factorial(sum(counts)) // math.prod(map(math.factorial, counts))


def mass(counts, law):
    """Probability of these counts, times the denominator to the number of draws."""
    return ways(counts) * math.prod(p**k for p, k in zip(law, counts, strict=True))


@functools.cache
def tail(n, k):
    """P(Bin(n, 1/2) >= k)."""
    return Fraction(sum(math.comb(n, i) for i in range(k, n + 1)), 2**n)


def above(n, k, p):
    """P(Bin(n, p) >= k)."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


# --- the lemmas --------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 13))
def test_separated_bounds_imply_the_sign_test(n):
    """Lemma 1."""
    for p in (Fraction(i, 24) for i in range(25)):
        for a in range(1, n + 1):
            for b in range(min(a, n - a + 1)):
                both = above(n, a, p) + 1 - above(n, b + 1, p)
                assert both >= 2 * tail(a + b, a)


LAWS = [(n, k, s) for n, k, s in ((12, 2, 12), (9, 3, 8), (7, 4, 6), (5, 5, 5))]


@pytest.mark.parametrize("nobody", [0, 1])
@pytest.mark.parametrize(("n", "classes", "steps"), LAWS)
def test_a_winner_that_is_not_the_best_seldom_passes_the_sign_test(
    n, classes, steps, nobody
):
    """Lemma 2, for every level at which anything changes."""
    if nobody:
        n, steps = n - 1, steps - 1
    wins, passes = [], {}
    for counts in divided(n, classes + nobody):
        first, second = sorted(counts[:classes])[:-3:-1]
        tied = [j for j in range(classes) if counts[j] == first]
        wins.append((counts, tied))
        if len(tied) == 1:
            level = 2 * tail(first + second, first)
            passes.setdefault((tied[0], level), []).append(counts)
    worst = 0
    for law in divided(steps, classes + nobody):
        won = [Fraction(0)] * classes
        for counts, tied in wins:
            for j in tied:
                won[j] += Fraction(mass(counts, law), len(tied))
        for j in range(classes):
            if law[j] > max(law[:j] + law[j + 1 : classes]):
                continue  # the only best one
            so_far = 0
            for (winner, level), here in sorted(passes.items()):
                if winner == j:
                    so_far += sum(mass(counts, law) for counts in here)
                    assert so_far <= level * won[j]
                    worst = max(worst, so_far / (level * won[j]) if won[j] else 0)
    assert worst > 0.6  # attained by two equal classes alone, where it is 1
    assert classes > 2 or nobody or worst == 1


@pytest.mark.parametrize(
    ("n", "classes", "steps"), [(12, 2, 12), (8, 3, 10), (6, 4, 8)]
)
def test_two_counts_of_one_sample_fail_together_less_than_apart(n, classes, steps):
    """Lemma 3: P(S_A < a, S_B > b) is at least the product."""
    for law in divided(steps, classes):
        table = [(counts, mass(counts, law)) for counts in divided(n, classes)]
        whole = steps**n
        for a, b in itertools.product(range(n + 2), range(-1, n + 1)):
            both = sum(m for c, m in table if c[0] < a and c[1] > b)
            one = sum(m for c, m in table if c[0] < a)
            other = sum(m for c, m in table if c[1] > b)
            assert both * whole >= one * other


# --- the theorem -------------------------------------------------------------------

ALPHAS = (0.5, 0.3, 0.1, 0.05)
SIZES = [(12, 2, 12), (12, 3, 12), (11, 4, 8), (12, 3, 7)]


def votes_of(counts, n):
    return Votes(
        counts=np.array(counts),
        draws=np.full(len(counts), n),
        indices=np.arange(len(counts)),
        sigma=1.0,
        source={},
    )


def certified(procedure, n, classes, alpha, nobody=0):
    """Outcomes that name a class: counts, class, largest and second count."""
    outcomes = divided(n, classes + nobody)
    found = procedure(votes_of([c[:classes] for c in outcomes], n), alpha=alpha)
    named = found.e0_lower > found.others_upper
    for row in np.flatnonzero(named).tolist():
        first, second = sorted(outcomes[row][:classes])[:-3:-1]
        yield outcomes[row], int(found.top[row]), first, second


def false_and_wrong(procedure, n, classes, steps, alpha, nobody=0):
    """For each law: how likely is a false certificate, and that a wrong class is named.

    The bounds that are held against the law are the exact ones: E0 is below that of k
    votes where k or more have a probability below half of alpha.
    """
    half, named = (
        Fraction(alpha) / 2,
        list(certified(procedure, n, classes, alpha, nobody)),
    )
    broken = {
        (k, s): above(n, k, Fraction(s, steps)) < half
        for k in range(n + 1)
        for s in range(steps + 1)
    }
    below = {
        (k, s): 1 - above(n, k + 1, Fraction(s, steps)) < half
        for k in range(n + 1)
        for s in range(steps + 1)
    }
    for law in divided(steps, classes + nobody):
        false = wrong = 0
        for counts, top, first, second in named:
            others = max(law[:top] + law[top + 1 : classes])
            if law[top] <= others:
                wrong += mass(counts, law)
            elif not (broken[first, law[top]] or below[second, others]):
                continue
            false += mass(counts, law)
        yield law, Fraction(false, steps**n), Fraction(wrong, steps**n)


@pytest.mark.parametrize("nobody", [0, 1])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("n", "classes", "steps"), SIZES)
def test_false_certificates_are_rarer_than_alpha(n, classes, steps, alpha, nobody):
    """Theorem 2, and the part of it that naming has."""
    if nobody:
        n, steps = n - 3, 6
    for _, false, wrong in false_and_wrong(
        clopper_pearson, n, classes, steps, alpha, nobody
    ):
        assert false <= Fraction(alpha)
        assert wrong <= Fraction(alpha) ** 2 / 4


@pytest.mark.parametrize(
    ("n", "classes", "alpha"), [(31, 2, 0.05), (31, 2, 0.2), (22, 3, 0.2), (22, 3, 0.5)]
)
def test_laws_at_the_edges_of_bounds_are_the_worst_and_no_worse_than_alpha(
    n, classes, alpha
):
    """Just beyond both bounds of some outcome, the other draws for nobody."""
    outcomes = np.array(divided(n, classes + 1))
    found = clopper_pearson(votes_of(outcomes[:, :classes], n), alpha=alpha)
    named, rows = found.named, np.arange(np.count_nonzero(found.named))
    outcomes, top = outcomes[named], found.top[named]
    low, high = found.e0_lower[named], found.others_upper[named]
    log_ways = gammaln(n + 1) - gammaln(outcomes + 1).sum(axis=1)
    worst = 0.0
    for first, second in itertools.product(np.unique(low), np.unique(high)):
        e0, e1 = first - 1e-9, second + 1e-9
        if e1 < e0 <= 1 - e1:
            law = np.array([e0, e1, *[0.0] * (classes - 2), 1 - e0 - e1])
            others = np.tile(law[:classes], (len(rows), 1))
            others[rows, top] = -1.0
            false = (top != 0) | (low > e0) | (high < others.max(axis=1))
            mass = np.exp(log_ways + xlogy(outcomes, law).sum(axis=1))
            worst = max(worst, mass[false].sum() / alpha)
    assert 0.8 < worst <= 1.0


@pytest.mark.parametrize(
    ("n", "second"), [(12, 0), (12, 1), (13, 0), (40, 6), (200, 55)]
)
def test_the_level_of_naming_is_met_to_a_part_in_thousands(n, second):
    """An alpha a little too small names nobody; one a little larger, a class."""
    first = n - second
    exact = math.sqrt(4 * 2 * tail(n, first))
    for factor, named in ((1 - 1e-4, False), (1 + 1e-4, True)):
        found = clopper_pearson(votes_of([[first, second]], n), alpha=exact * factor)
        assert (found.e0_lower > found.others_upper).tolist() == [named]
        assert found.refused.tolist() == [not named]
    # Two equal classes then name one exactly that often, and no more may be.
    if n == 12:
        alpha = exact * 1.0001
        rates = false_and_wrong(clopper_pearson, 12, 2, 2, alpha)
        wrong = next(wrong for law, _, wrong in rates if law == (1, 1))
        assert 0.999 < float(wrong) / (alpha**2 / 4) <= 1


@pytest.mark.parametrize("alpha", ALPHAS)
def test_without_the_rule_wrong_classes_take_more_than_their_part(alpha):
    worst = max(
        wrong for _, _, wrong in false_and_wrong(bounds_alone(), 12, 3, 12, alpha)
    )
    assert worst > 2 * alpha**2 / 4


def test_with_bounds_alone_no_counterexample_is_known():
    """Separated bounds imply the sign test at alpha (Lemma 1)."""
    for alpha in ALPHAS:
        for counts, _, first, second in certified(bounds_alone(), 12, 3, alpha):
            assert 2 * tail(first + second, first) <= Fraction(alpha), counts
        for _, false, _ in false_and_wrong(bounds_alone(), 12, 3, 12, alpha):
            assert false <= Fraction(alpha)


# --- what becomes of it ------------------------------------------------------------


@pytest.mark.parametrize("procedure", [clopper_pearson, hoeffding])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3, 1e-12, 1e-100])
def test_what_is_refused_is_certified_by_nothing(procedure, alpha):
    n = 10_000
    k = np.arange(5000, n + 1, 5)
    counts = np.stack([k, n - k], axis=1)
    votes = Votes(
        counts=counts,
        score_sums=counts.astype(float),
        score_squares=counts.astype(float),
        draws=np.full(len(k), n),
        indices=np.arange(len(k)),
        sigma=1.0,
        source={},
    )
    found = procedure(votes, alpha=alpha)
    named = found.e0_lower > found.others_upper
    assert found.refused.any()
    assert not (named & found.refused).any()
    assert np.all(np.diff(named.astype(int)) >= 0)  # one threshold
    assert named[-1]
    close = found.refused
    assert np.all(found.e0_lower[close] <= 0.5)
    assert np.all(found.e1_upper[close] >= found.e0_lower[close])


def test_bounds_that_are_not_refused_are_as_they_were():
    low, high = np.array([0.7, 0.6, 0.4, 0.3]), np.array([0.2, 0.5, 0.3, 0.4])
    sure = np.array([True, False, False, False])
    lower, upper, refused = named_where(sure, low, high)
    assert lower.tolist() == [0.7, 0.5, 0.4, 0.3]
    assert upper.tolist() == [0.2, 0.5, 0.4, 0.4]
    assert refused.tolist() == [False, True, True, False]


def test_each_look_names_at_its_share():
    looks = (Look(40, 0.1), Look(200, 0.9))
    counts = [[36, 4], [130, 70]]
    votes = Votes(
        counts=np.array(counts),
        draws=np.array([40, 200]),
        indices=np.arange(2),
        sigma=1.0,
        source={},
        looks=looks,
    )
    found = clopper_pearson(votes, alpha=0.02)
    alone = [
        clopper_pearson(votes_of([row], sum(row)), alpha=0.02 * look.share)
        for row, look in zip(counts, looks, strict=True)
    ]
    assert found.refused.tolist() == [bool(each.refused[0]) for each in alone]
    assert found.e0_lower.tolist() == [each.e0_lower[0] for each in alone]


@pytest.mark.parametrize("procedure", ["hoeffding", "empirical_bernstein", "margins"])
def test_an_alpha_whose_parts_would_be_no_floats_is_refused(procedure):
    """Half of the least float is 0, and half of three of them is two."""
    procedure, votes = PROCEDURES.find(procedure), unanimous(10_000)
    assert procedure(votes, alpha=1e-305).named.all()
    for alpha in (5e-324, 1.5e-323, 9e-306):
        with pytest.raises(InputError, match=f"^alpha {alpha:g}, the share of one loo"):
            procedure(votes, alpha=alpha)


def test_all_draws_for_nobody_name_nobody():
    found = clopper_pearson(votes_of([[0, 0, 0]], 100), alpha=0.05)
    assert not (found.e0_lower > found.others_upper).any()


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_means_need_a_lead_that_grows_with_the_number_of_rivals(classes):
    """Theorem 3: what Hoeffding's bounds leave of alpha, divided among the rivals."""
    n, alpha, found = 10_000, 0.001, {}
    a = alpha / 2
    spare = 2 * a * a * (1 - a) * math.exp(-a * (1 - 2 * math.log(a)) / (1 - a))
    width = math.sqrt(math.log((classes - 1) / spare) / (2 * n))
    lead = width * (1 / 1.2 + 1.2)  # of two means that sum to 1
    for factor in (0.9999, 1.0001):
        sums = np.zeros((1, classes))
        sums[0, :2] = n * (1 + lead * factor) / 2, n * (1 - lead * factor) / 2
        votes = Votes(
            counts=np.zeros((1, classes), dtype=np.int64),
            score_sums=sums,
            score_squares=sums,
            draws=np.array([n]),
            indices=np.array([0]),
            sigma=1.0,
            source={},
        )
        found[factor] = hoeffding(votes, alpha=alpha).refused.tolist()
    assert found == {0.9999: [True], 1.0001: [False]}
