"""The statistical contract: votes → certificates that are wrong at most alpha often."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import beta
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert import mechanisms
from simplicert.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    hoeffding_lower,
    hoeffding_upper,
)
from simplicert.certificates.certify import certify, find_procedure
from simplicert.certificates.record import ABSTAIN
from simplicert.errors import InputError
from simplicert.interop import certify_path
from simplicert.mechanisms import li, neyman_pearson
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.procedures import min_draws
from simplicert.votes import RunDirectory, Votes
from simplicert.votes.table import Drawn

CLOPPER_PEARSON = (clopper_pearson_lower, clopper_pearson_upper)
HOEFFDING = (hoeffding_lower, hoeffding_upper)


def votes(counts, *, draws=None, scores=None, labels=None, sigma=0.5):
    counts = np.atleast_2d(np.asarray(counts))
    return Votes(
        counts=counts,
        score_sums=None if scores is None else np.atleast_2d(scores),
        score_squares=None if scores is None else np.atleast_2d(scores),
        draws=counts.sum(axis=1).astype(int) if draws is None else np.asarray(draws),
        indices=np.arange(len(counts)),
        labels=None if labels is None else np.asarray(labels),
        sigma=sigma,
        source={},
    )


def certify_two_stage(selection, estimation, **options):
    return certify(estimation.chosen_by(selection), procedure="two_stage", **options)


def test_one_certificate_by_hand():
    # Clopper-Pearson at alpha/2 each: Beta quantiles, written out with scipy.stats.
    result = certify(votes([900, 60, 40], sigma=2.0), alpha=0.01)
    lower = beta.ppf(0.005, 900, 101)
    upper = beta.ppf(0.995, 61, 940)
    assert result.e0_lower[0] == pytest.approx(lower, rel=1e-9)
    assert result.e1_upper[0] == pytest.approx(upper, rel=1e-9)
    assert result.e0_lower[0] <= lower
    assert result.e1_upper[0] >= upper
    assert (result.e0[0], result.e1[0]) == (0.9, 0.06)
    assert (result.predicted[0], result.runner_up[0]) == (0, 1)
    # Bounds 0.873120 and 0.082029 by bisection in mpmath: 2/2 (1.141265 + 1.391553).
    assert result.radius[0] == pytest.approx(2.53281750272, rel=1e-9)


def test_softmax_by_hand():
    result = certify(
        votes([1000, 0], scores=[900.0, 100.0]), alpha=0.05, framework="softmax"
    )
    half_width = np.sqrt(np.log(2 / 0.05) / 2000)
    assert result.e0_lower[0] == pytest.approx(0.9 - half_width, abs=1e-12)
    assert result.e1_upper[0] == pytest.approx(0.1 + half_width, abs=1e-12)
    assert set(result.radii) == {
        "lecuyer", "cohen", "cullen", "ensemble", "neyman_pearson",
    }  # fmt: skip


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
def test_bounds_are_those_of_the_votes_to_the_last_bit(alpha):
    # Nothing is added, and nothing rounded, between the votes and the bound of each.
    counts = np.random.default_rng(0).multinomial(1000, [0.7, 0.2, 0.1], 50)
    counts.sort(axis=1)
    sums = counts - 2.0**-20 * np.arange(3)
    hard = certify(votes(counts), alpha=alpha)
    soft = certify(votes(counts, scores=sums), alpha=alpha, framework="softmax")
    each = {"trials": 1000, "alpha": alpha / 2}
    for found, name, lower, upper in (
        (hard, "hard", *(bound(counts, **each) for bound in CLOPPER_PEARSON)),
        (soft, "soft", *(bound(sums / 1000, **each) for bound in HOEFFDING)),
    ):
        np.testing.assert_array_equal(found.e0_lower, lower[:, 2], err_msg=name)
        others = np.minimum(upper[:, 1], 1 - lower[:, 2])
        np.testing.assert_array_equal(found.e1_upper, others, err_msg=name)


def test_two_stage_by_hand():
    chosen, rest = votes([[10, 90]]), votes([[100, 900]])
    result = certify_two_stage(chosen, rest, alpha=0.001)
    lower = beta.ppf(0.001, 900, 101)
    assert result.predicted[0] == 1
    assert result.e0_lower[0] == pytest.approx(lower, rel=1e-9)
    assert result.e1_upper[0] == 1 - result.e0_lower[0]
    # 0.867464 by bisection in mpmath, and half its normal quantile.
    assert result.radius[0] == pytest.approx(0.557241581140, rel=1e-9)
    # The wrong class from the selection can only abstain.
    wrong = certify_two_stage(votes([[90, 10]]), rest)
    assert (wrong.predicted[0], wrong.radius[0]) == (ABSTAIN, 0.0)


def test_abstentions_say_why():
    result = certify(votes([[500, 500, 0], [505, 495, 0], [990, 5, 5]]))
    np.testing.assert_array_equal(result.abstention, ["tie", "not separated", ""])
    np.testing.assert_array_equal(result.predicted, [ABSTAIN, ABSTAIN, 0])
    np.testing.assert_array_equal(result.radius > 0, [False, False, True])
    low = certify(votes([[450, 50, *[50] * 10]]), mechanism="cohen")
    np.testing.assert_array_equal(low.abstention, ["mechanism"])
    # Bounds at alpha / 2 separate 56 % from 44 % of 1,000; the sign test at alpha² / 4
    # does not tell them apart.
    counts = np.array([[560, 440, 0], [600, 400, 0], [500, 500, 0], [10, 5, 985]])
    close = certify(votes(counts, draws=[1000] * 4))
    np.testing.assert_array_equal(close.abstention, ["too close", "", "tie", ""])
    assert close.radius[0] == 0 == max(r[0] for r in close.radii.values())
    assert close[1:].abstention.tolist() == ["", "tie", ""]
    scores = np.array([[575.0, 425, 0], [650, 350, 0], [500, 500, 0], [10, 5, 985]])
    soft = certify(votes(counts, draws=[1000] * 4, scores=scores), framework="softmax")
    np.testing.assert_array_equal(soft.abstention, ["too close", "", "tie", ""])


def test_the_paper_s_ensemble_is_the_maximum_of_its_members():
    random = np.random.default_rng(0)
    counts = random.multinomial(2000, random.dirichlet(np.full(10, 0.2)), size=200)
    result = certify(votes(counts, scores=counts.astype(float)))
    members = [result.radii[name] for name in ("cohen", "li", "cullen")]
    np.testing.assert_array_equal(result.radii["ensemble"], np.max(members, axis=0))
    assert np.all(result.radii["neyman_pearson"] >= result.radii["ensemble"])
    names = result.largest
    for i in np.flatnonzero(names):
        assert result.radii[names[i]][i] == result.radii["ensemble"][i]
    soft = certify(votes(counts, scores=counts.astype(float)), framework="softmax")
    members = [soft.radii[name] for name in ("lecuyer", "cullen")]
    np.testing.assert_array_equal(soft.radii["ensemble"], np.max(members, axis=0))


@pytest.mark.parametrize("count", [0, 1, 999, 1000])
def test_extreme_counts_give_finite_radii(count):
    result = certify(votes([[count, 1000 - count]], scores=[[count, 1000.0 - count]]))
    for radius in result.radii.values():
        assert np.isfinite(radius).all()
    assert np.all(result.e0_lower + result.e1_upper <= 1.0)
    assert np.all(result.e0_lower < 1.0)


def test_nobody_certifies_more_with_fewer_votes_or_a_smaller_alpha():
    counts = np.array([[900, 100], [890, 100], [800, 100]])
    result = certify(votes(counts, draws=[1000] * 3))
    assert np.all(np.diff(result.radius) < 0)
    strict = certify(votes(counts, draws=[1000] * 3), alpha=1e-6)
    assert np.all(strict.radius < result.radius)


# --- The false-certificate rate -------------------------------------------------

FAR_APART = [0.7, 0.2, 0.1]
ADVERSARIES = {
    "three classes far apart": FAR_APART,
    "two equal classes": [0.5, 0.5],
    "two equal among ten": [0.3, 0.3, *[0.05] * 8],
    "ten equal classes": [0.1] * 10,
    "a hundred equal classes": [0.01] * 100,
    "a near tie": [0.505, 0.495],
    "near ties among three": [0.335, 0.333, 0.332],
    "a rare pair": [0.02, 0.02, 0.96 / 2, 0.96 / 2],
}
TRIALS = 20_000
DRAWS = 200


def false_rates(expectations, alpha):
    """How often a certificate is false, as what it claims of the simplex says.

    It names a class and bounds E0 from below and every other expectation from above;
    it is false if the class is not the largest, or if it is separated on bounds of
    which one is wrong.
    """
    expectations = np.array(expectations)
    random = np.random.default_rng(5)
    result = certify(
        votes(random.multinomial(DRAWS, expectations, size=TRIALS)), alpha=alpha
    )
    others = np.array(
        [np.delete(expectations, top).max() for top in range(len(expectations))]
    )
    named = result.predicted != ABSTAIN
    wrong_class = named & (expectations[result.top] <= others[result.top])
    wrong_bound = named & (
        (result.e0_lower > expectations[result.top])
        | (result.e1_upper < others[result.top])
    )
    return (wrong_class | wrong_bound).mean()


@pytest.mark.parametrize("expectations", ADVERSARIES.values(), ids=ADVERSARIES.keys())
def test_false_certificates_are_at_most_alpha(expectations):
    alpha = 0.05
    slack = 3 * np.sqrt(alpha * (1 - alpha) / TRIALS)  # three standard errors
    assert false_rates(expectations, alpha) <= alpha + slack


def test_the_simulation_would_notice_a_doubled_alpha():
    # Three classes so far apart that one is named: either bound fails at nearly
    # alpha/2, so that a certificate is false at nearly alpha; 2 alpha must show.
    alpha = 0.05
    slack = 3 * np.sqrt(alpha * (1 - alpha) / TRIALS)
    assert false_rates(FAR_APART, 2 * alpha) > alpha + slack


# --- Traps in other people's code -----------------------------------------------


def test_alpha_is_a_failure_probability_not_a_confidence():
    loose, strict = (certify(votes([800, 200]), alpha=a).radius[0] for a in (0.5, 1e-4))
    assert loose > strict


def test_small_counts_are_not_altered():
    assert certify(votes([999, 1])).e1[0] == 0.001
    assert certify(votes([1000, 0])).e1[0] == 0.0


def test_unobserved_classes_can_be_the_runner_up():
    # All votes for one class say little about the others: E1 <= 1 - (alpha/2)^(1/n).
    result = certify(votes([100, 0, 0]), alpha=0.01)
    assert result.e1_upper[0] == pytest.approx(1 - 0.005 ** (1 / 100), rel=1e-9)


def test_draws_that_voted_for_no_class_still_count_as_draws():
    whole = certify(votes([[800, 200]]))
    holes = certify(votes([[800, 100]], draws=[1000]))
    assert holes.e0_lower[0] == whole.e0_lower[0]


def test_soft_scores_are_not_votes():
    with pytest.raises(InputError, match="counts must be integers"):
        votes([[900.5, 99.5]])


# --- Bad input --------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_alpha_outside_its_range_is_refused(alpha):
    for call in (
        lambda: certify(votes([900, 100]), alpha=alpha),
        lambda: certify_two_stage(votes([9, 1]), votes([900, 100]), alpha=alpha),
        lambda: min_draws(find_procedure(), alpha=alpha),
    ):
        with pytest.raises(InputError, match=r"alpha must be in \(0, 1\)"):
            call()


@pytest.mark.parametrize("framework", ["multinomial", "softmax"])
@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001, 1e-9])
def test_the_stated_minimum_of_draws_is_the_minimum(framework, alpha):
    least = min_draws(find_procedure(framework=framework), alpha=alpha)

    def unanimous(n):
        return certify(
            votes([n, 0], scores=[float(n), 0.0]), alpha=alpha, framework=framework
        )

    assert unanimous(least).radius[0] > 0
    if least > 1:
        with pytest.raises(InputError, match=f"Draw at least {least} an image"):
            unanimous(least - 1)


def test_missing_scores_are_named():
    with pytest.raises(InputError, match="no score_sums"):
        certify(votes([900, 100]), framework="softmax")


def test_unknown_mechanisms_are_named_nearest_first():
    with pytest.raises(InputError, match="did you mean 'cullen'"):
        certify(votes([900, 100]), mechanism="culen")
    with pytest.raises(
        InputError,
        match=r"li does not apply: its proof is about multinomial .*ensemble, lecuyer",
    ):
        certify(
            votes([900, 100], scores=[900.0, 100.0]),
            framework="softmax",
            mechanism="li",
        )


def test_a_mechanism_of_one_s_own_is_a_column():
    def half(e0_lower, e1_upper, *, sigma):
        return 0.5 * mechanisms.cohen(e0_lower, e1_upper, sigma=sigma)

    result = certify(votes([900, 100]), mechanism=half)
    assert result.mechanism == "half"
    assert result.radius[0] == result.radii["cohen"][0] / 2
    assert "half" in result.table().columns


def test_votes_of_other_images_do_not_choose_the_class():
    with pytest.raises(InputError, match="the same images"):
        certify_two_stage(votes([[9, 1]]), votes([[900, 100], [900, 100]]))


def test_an_empty_table_gives_an_empty_answer():
    result = certify(votes(np.zeros((0, 3), dtype=np.int64)))
    assert len(result) == len(result.table()) == 0


def test_a_run_can_be_certified_by_either_procedure(tmp_path):
    run = RunDirectory.create(tmp_path / "run", manifest(draws=300, block=100))
    blocks = rows(*EVERY_BLOCK)
    blocks.counts[:] *= 10
    run.append(blocks)
    assert certify_path(run.path).radius[0] > 0
    two_stage = certify_path(run.path, procedure="two_stage", selection=100)
    np.testing.assert_array_equal(two_stage.draws, [200, 200])
    for selection in (0, 50, 300, -100):
        with pytest.raises(InputError, match="multiple of the run's block"):
            certify_path(run.path, procedure="two_stage", selection=selection)
    with pytest.raises(InputError, match="selection is for procedures with separate"):
        certify_path(run.path, selection=100)
    with pytest.raises(InputError, match="two_stage counts multinomial, not softmax"):
        certify_path(run.path, procedure="two_stage", framework="softmax")


def test_certificates_refuse_radii_that_are_not():
    good = certify(votes([900, 100]))
    with pytest.raises(InputError, match="cohen gave a radius"):
        replace(good, radii={**good.radii, "cohen": np.array([np.nan])})
    with pytest.raises(InputError, match="did you mean 'cohen'"):
        replace(good, mechanism="cohn")


def test_a_mechanism_cannot_take_a_column_s_name():
    def top(e0_lower, e1_upper, *, sigma):
        return np.zeros(np.shape(e0_lower))

    with pytest.raises(InputError, match="cannot be called 'top'"):
        certify(votes([900, 100]), mechanism=top)


def apart(e0_lower, e1_upper, *, sigma):
    return sigma * np.abs(e0_lower - e1_upper)  # also where e1 is the larger


def once(e0_lower, e1_upper, *, sigma):
    """Lawful but at one point, which no grid can be expected to find."""
    honest = neyman_pearson(e0_lower, e1_upper, sigma=sigma)
    return np.where(np.abs(e0_lower - 0.3494) < 4e-4, 0.5, honest)


def hopeful(e0_lower, e1_upper, *, sigma):
    return 100 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)


def single(e0_lower, e1_upper, *, sigma):
    return np.array([0.7])


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        (apart, "where e0 is not above e1"),
        (once, r"where e0 is not above e1|'monotone'"),
        (hopeful, "breaks the law 'tight'"),
        (single, "must return one radius a point"),
    ],
)
def test_a_function_of_yours_is_watched(mechanism, message):
    with pytest.raises(InputError, match=message):
        certify(votes([[900, 60, 40], [400, 380, 220]]), mechanism=mechanism)


@pytest.mark.parametrize(
    "mechanism", ["li", "li,cohen", "cohen, li", li, find_mechanism("li,cohen")]
)
def test_what_does_not_apply_is_refused_however_it_is_named(mechanism):
    with pytest.raises(
        InputError, match="does not apply: its proof is about multinomial"
    ):
        certify(
            votes([900, 100], scores=[[900.0, 100.0]]),
            framework="softmax",
            mechanism=mechanism,
        )


def test_the_draws_that_choose_are_not_those_that_bound():
    same = votes([900, 100])
    with pytest.raises(InputError, match="share draws"):
        certify_two_stage(same, same)


WHOLE = Drawn(seed=1, draws=1000, block=100, blocks=range(10))
OLD = replace(WHOLE, by_image=False)


@pytest.mark.parametrize(
    ("one", "other", "fine"),
    [
        (WHOLE, WHOLE, False),
        (replace(WHOLE, blocks=range(3, 5)), WHOLE, False),
        (replace(WHOLE, blocks=range(2)), replace(WHOLE, blocks=range(2, 10)), True),
        (replace(WHOLE, draws=100, blocks=range(1)), WHOLE, False),
        # Draws 150 to 199 of each image are the same ones, whatever the division.
        (replace(WHOLE, block=50, blocks=range(3, 9)), WHOLE, False),
        (
            replace(WHOLE, draws=900, block=50, blocks=range(4, 9)),
            replace(WHOLE, blocks=range(2)),
            True,
        ),
        # Image 1 has pieces 9 to 17 of the noise in one old run, 10 to 19 in another.
        (
            replace(OLD, draws=900, blocks=range(1, 2)),
            replace(OLD, blocks=range(1)),
            False,
        ),
        (OLD, WHOLE, True),
        (replace(WHOLE, seed=2), WHOLE, True),
        (None, WHOLE, True),  # imported: nobody knows
    ],
)
def test_draws_that_may_share_their_noise_are_refused(one, other, fine):
    selection, estimation = (
        replace(votes([900, 100]), drawn=drawn) for drawn in (one, other)
    )
    if fine:
        certify_two_stage(selection, estimation)
    else:
        with pytest.raises(InputError, match="share draws"):
            certify_two_stage(selection, estimation)


def test_small_integers_are_enough_for_two_stages():
    few = votes(np.array([[200, 50]], dtype=np.uint8))
    assert certify_two_stage(few, replace(few, counts=few.counts.copy())).top == 0


def test_scores_that_were_rounded_up_are_certified():
    rounded = votes([1000, 0], scores=[[1000 * (1 + 1e-10), 0.0]])
    exact = votes([1000, 0], scores=[[1000.0, 0.0]])
    ours, theirs = (certify(v, framework="softmax").radius for v in (rounded, exact))
    assert ours == theirs


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_that_are_no_class_are_refused(label):
    with pytest.raises(InputError, match=r"label is not in 0 … 1"):
        votes([900, 100], labels=[label])


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[900.0, 101.0]], "sum to more than draws"),
        ([[900.0, -1.0]], "negative or NaN"),
        ([[900.0, np.nan]], "negative or NaN"),
    ],
)
def test_scores_that_no_softmax_gives_are_refused(scores, message):
    with pytest.raises(InputError, match=message):
        votes([900, 100], scores=scores)


def test_unsigned_counts_are_counts():
    counts = np.array([[900, 100]])
    signed, unsigned = certify(votes(counts)), certify(votes(counts.astype(np.uint16)))
    assert signed.radius[0] == unsigned.radius[0]


@dataclass
class Half:
    """A mechanism that cannot be hashed."""

    share: float = 0.5

    def __call__(self, e0_lower, e1_upper, *, sigma):
        return self.share * neyman_pearson(e0_lower, e1_upper, sigma=sigma)


def test_a_mechanism_may_be_an_object():
    whole = certify(votes([900, 100])).radius
    ours = certify(votes([900, 100]), mechanism=Half()).radius
    assert ours == pytest.approx(whole / 2, rel=1e-12)
