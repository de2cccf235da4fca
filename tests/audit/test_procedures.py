"""Procedures on trial: the classifiers' truth, the tests, and every shape."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from alone import bounds_alone
from scipy.special import betaincinv, ndtri
from scipy.stats import binom

from simplicert import InputError, mechanisms
from simplicert.audit.procedures import (
    Synthetic,
    find_audited,
    stripes,
    try_procedure,
)
from simplicert.audit.procedures.of_votes import divided
from simplicert.audit.procedures.synthetic import worst_cases
from simplicert.audit.procedures.tally import rate_found, trials_needed
from simplicert.mechanisms.protocol import proof_of
from simplicert.procedures import PROCEDURES, Procedure, simultaneous, two_stage

HERE = Path(__file__).parent
PROVED = [each.name for each in PROCEDURES.built_in.values() if not each.asymptotic]
EVERY = worst_cases(alpha=0.05, draws=[20, 1000], scores=True)


def rates(audit):
    return next(f for f in audit.findings if f.check == "rate of false certificates")


def ceiling(audit):
    return next(f for f in audit.findings if f.check == "radius where all draws agree")


# What is true of a classifier.


@pytest.mark.parametrize("noise", ["gaussian", "uniform"])
@pytest.mark.parametrize("synthetic", EVERY, ids=lambda each: each.name)
def test_the_radius_is_how_far_the_answer_holds_in_both_directions(synthetic, noise):
    radius = synthetic.radius(noise)
    within = np.linspace(0.0, min(radius, 8.0) * (1 - 1e-6), 50)

    def lead(moved):
        found = synthetic.expectations_at(moved, noise)
        others = np.delete(found, synthetic.best)
        return found[synthetic.best] - others.max()

    if radius > 1e-9:
        assert all(lead(moved) > -1e-15 for moved in (*within, *-within))
    if np.isfinite(radius):
        assert lead(radius * (1 + 1e-6) + 1e-9) < 1e-12


@pytest.mark.parametrize("e", [(0.9, 0.1), (0.4, 0.3, 0.3), (0.19, *[0.09] * 9)])
def test_with_hard_votes_it_is_the_tight_radius_of_each_noise(e):
    made = stripes("", e, turn=1)
    tight = 0.5 * (ndtri(e[0]) - ndtri(e[1]))
    assert made.radius() == pytest.approx(tight, rel=1e-12)
    assert made.radius("uniform") == pytest.approx(3**0.5 * (e[0] - e[1]), rel=1e-12)
    assert made.best == 1
    np.testing.assert_allclose(np.roll(made.expectations, -1), e, rtol=1e-15)


def test_a_classifier_s_probabilities_are_those_of_its_line():
    made = stripes("", [0.5, 0.3, 0.2])
    line = np.random.default_rng(0).standard_normal(200_000)
    votes = made.scores[np.searchsorted(made.edges(), line + 0.1)].mean(axis=0)
    # Five standard errors of 200,000 are below 0.006.
    np.testing.assert_allclose(votes, made.expectations_at(0.1), atol=0.006)


@pytest.mark.parametrize(
    "e", [(0.5, 0.6), (0.3, 0.7), (1.0,), (0.5, 0.2, 0.3), (2, -1)]
)
def test_expectations_that_are_none_are_refused(e):
    with pytest.raises(InputError, match="must be at least two, sum to 1"):
        stripes("", e)


# The arithmetic of the tests.


@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
def test_so_many_trials_have_the_power_and_hardly_fewer_have(alpha):
    number = trials_needed(alpha, 1e-8, detect=2.0, power=0.99)

    def power(trials):
        least = np.arange(trials + 1)
        least = least[binom.sf(least - 1, trials, alpha) <= 1e-8]
        return binom.sf(least[0] - 1, trials, 2 * alpha)

    assert power(number) >= 0.99
    assert power(int(number * 0.9)) < 0.99
    found = rate_found(alpha, 1e-8, trials=number, power=0.99)
    assert alpha < found <= 2 * alpha


def test_every_outcome_is_there_once():
    found = divided(5, 3)
    assert len(np.unique(found, axis=0)) == len(found) == 21
    assert set(found.sum(axis=1)) == {5}


# Simplicert's own.

QUICK = [name for name in PROVED if name != "margins"]
"""Of which an outcome takes microseconds."""


@pytest.mark.slow
def test_margins_are_not_falsified():
    audit = try_procedure("margins", alpha=0.05, draws=12, trials=40, seed=0)
    assert not audit.falsified, audit.verdict
    exact = rates(audit).details.query("samples == 'all outcomes'")
    assert len(exact) > 3
    assert exact["false"].max() <= 0.05


@pytest.mark.parametrize(("alpha", "draws"), [(0.05, 60), (0.001, 300), (0.4, 7)])
@pytest.mark.parametrize("name", QUICK)
def test_no_built_in_is_falsified(name, alpha, draws):
    audit = try_procedure(name, alpha=alpha, draws=draws, trials=500, seed=0)
    assert not audit.falsified, audit.verdict
    table = rates(audit).details
    exact = table[table["samples"] == "all outcomes"]
    assert len(exact) > 3
    assert exact["false"].max() <= alpha


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("name", QUICK)
def test_no_built_in_is_falsified_with_all_trials(name, alpha):
    audit = try_procedure(name, alpha=alpha, seed=0)
    assert not audit.falsified, audit.verdict
    assert {finding.outcome for finding in audit.findings} == {"held"}


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", mechanisms.BUILT_IN)
@pytest.mark.parametrize("name", QUICK)
def test_no_built_in_is_with_any_mechanism(name, mechanism):
    if "joint" in str(name) and mechanism != "neyman_pearson":
        return  # it bounds the radius of that one alone
    proof = proof_of(mechanisms.BUILT_IN[mechanism])
    if proof.of is not None and PROCEDURES.built_in[name].statistic not in proof.of:
        with pytest.raises(InputError, match="cannot be tried: its proof is about"):
            try_procedure(name, mechanism=mechanism)
        return
    audit = try_procedure(name, mechanism=mechanism, draws=80, trials=50, seed=0)
    assert not audit.falsified
    assert rates(audit).outcome == "held"
    assert audit.facts["noise"] == proof.noise


def test_the_worst_cases_are_bad_ones():
    """Of honest procedures they show nearly alpha, or nothing could be told apart."""
    for procedure in (bounds_alone(), "two_stage"):
        table = rates(try_procedure(procedure, draws=120, trials=20, seed=0)).details
        exact = table[table["samples"] == "all outcomes"]
        assert 0.049 < exact["false"].max() <= 0.05


def test_where_its_own_bound_is_worst_is_found(tmp_path):
    """Wilson's interval fails in up to 1.4 alpha, at a place that is its own."""

    def wilson(draw, *, sigma, alpha):
        votes, z = int((draw(100) == 0).sum()), -ndtri(alpha)
        spread = (votes * (100 - votes) / 1e6 + z * z / 4e4) ** 0.5
        lower = (votes / 100 + z * z / 200 - z * spread) / (1 + z * z / 100)
        radius = sigma * ndtri(lower)
        return (0, radius) if radius > 0 else (-1, 0.0)

    audit = try_procedure(wilson, seed=0, trials=20)
    # z**2 = 2.7055: the bound of 100 in 100 is 1 / 1.027055, and of it all agree in
    names = rates(audit).details["classifier"]
    e0 = rates(audit).details["e0"][names == "just below a radius that it gives"]
    assert e0.max() == pytest.approx(1 / 1.0270554, rel=1e-6)
    assert e0.max() ** 100 == pytest.approx(0.0693, abs=1e-4)  # and not 0.05


# Ours, spoilt.


def spoilt(times):
    """Clopper-Pearson's bounds, each at so many times its share of alpha."""
    return bounds_alone(times, name=f"spoilt{times}")


@pytest.mark.parametrize("times", [1.5, 2.0])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_a_little_too_much_of_alpha_is_falsified_exactly(times, alpha):
    audit = try_procedure(spoilt(times), alpha=alpha, draws=300, trials=20, seed=0)
    assert audit.falsified
    assert "exactly: all outcomes" in rates(audit).says
    table = rates(audit).details
    worst = table["false"][table["samples"] == "all outcomes"].max()
    assert 0.8 * times * alpha < worst <= times * alpha


def test_half_of_a_bound_s_share_is_not():
    assert not try_procedure(spoilt(0.5), draws=200, trials=200, seed=0).falsified


def test_the_whole_of_alpha_at_each_look_is_falsified(monkeypatch):
    honest = Procedure.__call__

    def careless(self, votes, *, alpha):
        return honest(self, replace(votes, looks=None), alpha=alpha)

    monkeypatch.setattr(Procedure, "__call__", careless)
    audit = try_procedure(bounds_alone(), draws=1000, seed=0)
    assert audit.falsified
    table = rates(audit).details
    against = table[table["p_value"] < 1e-8]["classifier"]
    assert len(against) > 0
    assert all("stopping where it likes" in name for name in against)


def test_the_selection_s_draws_counted_again_are_falsified():
    def intervals(votes, alpha):
        together = replace(
            votes,
            counts=votes.counts + votes.selection.counts,
            draws=votes.draws + votes.selection.draws,
            looks=None,
        )
        return two_stage.intervals(together, 2 * alpha)

    again = replace(two_stage, name="again", intervals=intervals)
    assert try_procedure(again, draws=60, trials=20, seed=0).falsified


def test_a_mechanism_that_is_too_large_is_falsified():
    def larger(e0_lower, e1_upper, *, sigma):
        return 1.1 * mechanisms.neyman_pearson(e0_lower, e1_upper, sigma=sigma)

    larger.except_laws = ["tight"]  # or it would not even be admitted

    audit = try_procedure(
        "clopper_pearson", mechanism=larger, draws=100, trials=20, seed=0
    )
    assert audit.falsified


def plain_mean(seen, alpha):
    """The normal interval: an estimate and its standard errors."""
    mean = seen.sums / seen.trials
    spread = np.maximum(seen.squares / seen.trials - mean**2, 0.0) / seen.trials
    return mean, -ndtri(alpha) * np.sqrt(spread)


def test_the_normal_interval_of_scores_is_falsified_by_what_its_variance_misses():
    normal = simultaneous(
        name="normal",
        statistic="softmax",
        columns=("score_sums", "score_squares"),
        lower=lambda seen, alpha: np.maximum(
            plain_mean(seen, alpha)[0] - plain_mean(seen, alpha)[1], 0.0
        ),
        upper=lambda seen, alpha: np.minimum(sum(plain_mean(seen, alpha)), 1.0),
        naming=0.01,
    )
    table = rates(try_procedure(normal, draws=100, trials=20, seed=0)).details
    against = table[(table["p_value"] == 0) & table["classifier"].str.contains("spike")]
    assert len(against) > 0


# Functions of a black box.


def says(named, radius, draws=10):
    def procedure(draw, *, sigma, alpha):
        draw(draws)
        return named, radius

    return procedure


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((0, np.inf), "falsified"),
        ((7, 1.0), "falsified"),  # no class of two
        ((0, 1e-3), "falsified"),
        ((0, 0.0), "held"),  # the ball is empty
        ((-1, 0.0), "not checked"),
        ((-1, 1.0), "not checked"),
        ((0, float("nan")), "held"),
        ((0, -1.0), "held"),
    ],
)
def test_what_an_answer_is_worth(said, outcome):
    audit = try_procedure(says(*said), trials=20, seed=0)
    assert rates(audit).outcome == outcome
    odd = not said[1] >= 0 or (said[0] == -1 and said[1] > 0)
    assert (audit.findings[0].outcome == "doubtful") == odd
    if outcome == "not checked":
        assert "nothing was tested" in rates(audit).says


def test_an_abstention_with_a_radius_is_not_false_but_odd():
    def procedure(draw, *, sigma, alpha):
        labels = draw(20)
        return (0, 1e-9) if (labels == 0).all() else (-1, 1.0)

    audit = try_procedure(procedure, trials=20, seed=0)
    assert rates(audit).outcome == "held"
    assert audit.findings[0].outcome == "doubtful"


@pytest.mark.parametrize("said", [None, 3, "ab", (0.5, 1.0), (0, 1, 2), (0, "x")])
def test_no_class_and_radius_is_an_error(said):
    def procedure(draw, *, sigma, alpha):
        return said

    with pytest.raises(InputError, match="must return a class and a radius"):
        try_procedure(procedure, trials=3, seed=0)


def test_what_it_raises_is_shown_as_its_own():
    def procedure(draw, *, sigma, alpha):
        raise KeyError("oh")

    with pytest.raises(InputError, match=r"procedure, on .* raised KeyError: 'oh'"):
        try_procedure(procedure)


@pytest.mark.parametrize(
    ("number", "match"),
    [(1.5, "whole number"), (-1, "whole number"), (10**9, "more than 10,000,000")],
)
def test_draws_that_cannot_be_had_are_an_error(number, match):
    with pytest.raises(InputError, match=match):
        try_procedure(says(0, 1.0, draws=number))


def test_a_procedure_that_draws_for_ever_ends():
    def procedure(draw, *, sigma, alpha):
        while True:
            draw(10**6)

    with pytest.raises(InputError, match="let it abstain after fewer"):
        try_procedure(procedure)


def test_the_ceiling_is_a_proof_only_of_what_throws_no_dice():
    """A radius above it on one unanimous sample of three is no proof; on all, it is."""
    generator = np.random.default_rng(0)

    def lucky(draw, *, sigma, alpha):
        labels = draw(20)
        agreed = (labels == labels[0]).all()
        large = sigma * ndtri(0.97)  # all agree in 0.97**20 = 0.54
        return (int(labels[0]), large if agreed and generator.random() < 0.1 else 0.01)

    def always(draw, *, sigma, alpha):
        labels = draw(20)
        return int(labels[0]), sigma * ndtri(0.97)

    assert ceiling(try_procedure(lucky, trials=20, seed=0)).outcome != "falsified"
    found = ceiling(try_procedure(always, trials=20, seed=0))
    assert found.outcome == "falsified"
    assert "20 draws" in found.says

    def barely(draw, *, sigma, alpha):
        labels = draw(20)
        return int(labels[0]), sigma * ndtri(alpha ** (1 / 20)) * 1.001

    assert ceiling(try_procedure(barely, trials=20, seed=0)).outcome == "doubtful"


def test_sigma_forgotten_or_squared_is_falsified():
    def forgotten(draw, *, sigma, alpha):
        return radius_of(draw, 1.0)

    def squared(draw, *, sigma, alpha):
        return radius_of(draw, sigma**2)

    def radius_of(draw, scale):
        chosen = np.bincount(draw(20)).argmax()
        votes = int((draw(100) == chosen).sum())
        radius = scale * ndtri(betaincinv(max(votes, 1), 101 - votes, 0.05))
        return (int(chosen), radius) if radius > 0 else (-1, 0.0)

    for procedure in (forgotten, squared):
        assert try_procedure(procedure, trials=50, seed=0).falsified


# Classes like Cohen's.

SMOOTH = str(HERE / "smooth_like.py")


@pytest.mark.parametrize(
    ("name", "noise", "rate"),
    [
        ("SmoothLike", "held", "held"),
        ("Clipped", "held", "held"),
        ("Narrow", "doubtful", "falsified"),
        ("Shared", "doubtful", "falsified"),
        ("Fixed", "doubtful", "not checked"),
        ("Confident", "held", "falsified"),
    ],
)
def test_a_class_like_cohen_s_with_its_own_noise(name, noise, rate):
    audit = try_procedure(f"{SMOOTH}:{name}", trials=20, seed=0, draws=40)
    found = {finding.check: finding for finding in audit.findings}
    assert found["noise"].outcome == noise, found["noise"].says
    assert rates(audit).outcome == rate, rates(audit).says


def test_an_object_is_tried_with_another_classifier():
    shared = find_audited(f"{SMOOTH}:Confident")(None, 2, 0.5)
    assert try_procedure(shared, trials=60, draws=60, seed=0).falsified
    assert (shared.base_classifier, shared.sigma) == (None, 0.5)
    del shared.sigma
    with pytest.raises(InputError, match="has no sigma"):
        try_procedure(shared)


# What a text names.


def test_a_text_names_a_procedure_or_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_audited("two_stage") is two_stage
    assert find_audited("simplicert.procedures:two_stage") is two_stage
    for text in ("nothing", "run/dir", "log.tsv", "a b:c", "C:/x"):
        assert find_audited(text) is None
    Path("two_stage").mkdir()  # a run of that name
    assert find_audited("two_stage") is None
    one = "def certify(draw, *, sigma, alpha):\n    return -1, 0.0\n\ndef other(): 1\n"
    Path("mine.py").write_text(one)
    assert find_audited("mine.py").__name__ == "certify"
    assert find_audited("mine.py:other").__name__ == "other"
    with pytest.raises(InputError, match="cannot be tried: expected"):
        try_procedure("mine.py:other")
    Path("two.py").write_text(one + one.replace("certify", "again"))
    with pytest.raises(
        InputError, match=r"say which, as two.py:certify or two.py:agai"
    ):
        find_audited("two.py")
    Path("none.py").write_text("x = 1\n")
    with pytest.raises(InputError, match="holds no procedure"):
        find_audited("none.py")
    with pytest.raises(InputError, match=r"no file missing\.py"):
        find_audited("missing.py:certify")
    with pytest.raises(InputError, match="is no procedure"):
        try_procedure("nothing")


def test_a_procedure_that_is_refused_at_the_door_is_tried(tmp_path):
    source = (
        "from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper\n"
        "from simplicert.procedures import simultaneous\n"
        "whole = simultaneous(name='whole', statistic='multinomial',"
        " columns=('counts',),\n"
        "    lower=lambda s, a: clopper_pearson_lower(s.sums, trials=s.trials,"
        " alpha=3 * a),\n"
        "    upper=lambda s, a: clopper_pearson_upper(s.sums, trials=s.trials,"
        " alpha=3 * a))\n"
    )
    path = tmp_path / "whole.py"
    path.write_text(source)
    with pytest.raises(InputError, match="certifies falsely"):
        PROCEDURES.find(f"{path}:whole")
    assert try_procedure(str(path), draws=100, trials=20, seed=0).falsified


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"alpha": 1.0}, "alpha must be"),
        ({"level": 0.0}, "level must be"),
        ({"power": 1.0}, "power must be"),
        ({"detect": 1.0}, "detect must be"),
        ({"detect": 20.0}, "detect must be"),
        ({"draws": 0}, "draws must be"),
        ({"trials": 0}, "trials must be"),
        ({"seed": -1}, "seed must be"),
        ({"mechanism": "nobody"}, "unknown mechanism"),
    ],
)
def test_arguments_out_of_range_are_refused(changed, match):
    with pytest.raises(InputError, match=match):
        try_procedure("clopper_pearson", **changed)


def test_too_few_draws_to_certify_are_not_held(monkeypatch):
    audit = try_procedure("clopper_pearson", draws=3, alpha=0.001, trials=50, seed=0)
    assert rates(audit).outcome == ceiling(audit).outcome == "not checked"


def test_a_seed_makes_it_the_same_and_is_reported():
    first, second = (
        try_procedure("two_stage", draws=50, trials=50, seed=seed) for seed in (None, 5)
    )
    again = try_procedure(
        "two_stage", draws=50, trials=50, seed=int(first.facts["seed"])
    )
    assert rates(first).details.equals(rates(again).details)
    assert not rates(first).details.equals(rates(second).details)


def test_progress_is_told_and_ends_at_the_whole():
    told = []
    try_procedure(
        "clopper_pearson",
        draws=50,
        trials=50,
        seed=0,
        progress=lambda *so_far: told.append(so_far),
    )
    assert told[-1][0] == told[-1][1] > 0
    assert sorted(told) == told


def test_a_synthetic_classifier_of_one_s_own():
    made = Synthetic(
        name="ramp",
        widths=np.array([0.5, 0.5]),
        scores=np.array([[0.9, 0.1], [0.3, 0.7]]),
        best=0,
        rival=1,
    )
    # 0.9 p + 0.3 (1 - p) = 1/2 at p = 1/3.
    assert made.radius() == pytest.approx(-ndtri(1 / 3), rel=1e-12)
