"""Rules: what they decide, and of what they are functions."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import manifest

from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.mechanisms import neyman_pearson
from simplicert.noises import uniform
from simplicert.procedures import clopper_pearson
from simplicert.stopping import (
    Rule,
    asked,
    budget,
    check_rule,
    draws_to_come,
    looks_for,
    named,
    outcome_of,
    rule_from,
    until,
    within,
)
from simplicert.stopping.prospects import Prospects
from simplicert.votes import Look, NoiseSource, Votes

LOOKS = looks_for(10_000)
SIGMA, ALPHA = 0.5, 0.001
RULES = {
    "named": named,
    "until": until([0.0, 0.25, 0.5, 1.0]),
    "until, by li": until([0.25, 0.5], mechanism="li"),
    "until, soft": until([0.25], procedure="hoeffding"),
    "within": within(0.05, radius=0.5),
    "within, soft": within(0.1, procedure="empirical_bernstein"),
    "budget": budget(10**6, of=until([0.25])),
}


def chances(images, *, classes=5, seed=0):
    random = np.random.default_rng(seed)
    sure = random.uniform(0.2, 6.0, size=images)
    weights = np.column_stack([sure, np.full((images, classes - 1), 0.3)])
    return np.array([random.dirichlet(row) for row in weights])


def votes_at(draws, *, images=300, seed=1, looks=LOOKS, soft=True, **changes):
    """Votes of images at one look, scores somewhat softer than votes."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(draws, chances(images))
    scores = 0.9 * counts + 0.1 * draws / counts.shape[1]
    squares = 0.8 * scores + 0.2 * scores**2 / draws
    return Votes(
        **{
            "counts": counts,
            "score_sums": scores if soft else None,
            "score_squares": squares if soft else None,
            "draws": np.full(images, draws),
            "indices": np.arange(images),
            "sigma": SIGMA,
            "source": {},
            "looks": looks,
        }
        | changes
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("look", [0, 5, 10, len(LOOKS) - 1])
def test_a_decision_is_of_an_image_alone(rule, look):
    votes = votes_at(LOOKS[look].draws)
    whole = asked(rule, votes, ALPHA)
    order = np.random.default_rng(2).permutation(len(votes))
    np.testing.assert_array_equal(asked(rule, votes[order], ALPHA), whole[order])
    some = order[:7]
    np.testing.assert_array_equal(asked(rule, votes[some], ALPHA), whole[some])
    for image in some:
        assert asked(rule, votes[[image]], ALPHA)[0] == whole[image]


@pytest.mark.parametrize("mechanism", [None, "cohen", "li", "lecuyer", "ensemble"])
@pytest.mark.parametrize(
    "procedure", ["clopper_pearson", "hoeffding", "empirical_bernstein"]
)
@pytest.mark.parametrize("moved", [False, True])
def test_what_until_calls_certified_certify_certifies_to_the_last_bit(
    mechanism, procedure, moved
):
    if mechanism == "li" and procedure != "clopper_pearson":
        pytest.skip("li is about hard votes")
    if mechanism == "ensemble" and procedure != "clopper_pearson":
        pytest.skip("ensemble is the one of hard votes")
    step = NoiseSource(name="gaussian", norm="l2", step=0.01)
    facts = {"manifest": manifest(noise=step)} if moved else {}
    prospects = Prospects.of(mechanism=mechanism, procedure=procedure)
    for look in LOOKS[4::4]:
        votes = votes_at(look.draws, **facts)
        alone = certify(
            replace(votes, looks=None),
            alpha=ALPHA * look.share,
            mechanism=mechanism,
            procedure=procedure,
        ).radius
        np.testing.assert_array_equal(prospects.now(votes, ALPHA), alone)
        # The very radii that occur: each is reached by its own image, to the last bit.
        radii = np.unique(alone[alone > 0.0])[::9]
        if not len(radii):
            continue
        rule = until(radii, mechanism=mechanism, procedure=procedure)
        said = rule.outcome(votes, ALPHA)
        assert len(said) <= len(radii)  # some are written alike
        words = said[f"until {radii[-1]:g}"]
        np.testing.assert_array_equal(words == "certified", alone >= radii[-1])
        next_above = until(
            [np.nextafter(radii[-1], np.inf)], mechanism=mechanism, procedure=procedure
        )
        (words,) = next_above.outcome(votes, ALPHA).values()
        np.testing.assert_array_equal(words == "certified", alone > radii[-1])


@pytest.mark.parametrize("look", [0, 3, 8, len(LOOKS) - 1])
def test_until_is_decided_where_no_radius_is_open(look):
    votes = votes_at(LOOKS[look].draws)
    rule = RULES["until"]
    said = rule.outcome(votes, ALPHA)
    open_ = np.any([words == "open" for words in said.values()], axis=0)
    np.testing.assert_array_equal(asked(rule, votes, ALPHA), ~open_)
    certified = [words == "certified" for words in said.values()]
    for larger, smaller in zip(certified[1:], certified, strict=False):
        assert not np.any(larger & ~smaller)
    if LOOKS[look].draws == 10_000:
        assert not open_.any()
    else:
        assert open_.any()


def test_until_0_asks_for_a_class():
    votes = votes_at(1150)
    words = until([0.0]).outcome(votes, ALPHA)["until 0"]
    found = clopper_pearson(votes, alpha=ALPHA)
    apart = found.e0_lower > found.others_upper
    np.testing.assert_array_equal(words == "certified", apart)
    assert 0 < apart.sum() < len(votes)


@pytest.mark.parametrize("rule", [RULES["until"], RULES["within"]])
def test_what_all_votes_to_come_could_not_reach_is_decided(rule):
    """Whatever the optimist hopes for, it is no more than everything."""
    votes = votes_at(LOOKS[-2].draws)
    counts = votes.counts.copy()
    top = counts.argmax(axis=1)
    counts[np.arange(len(votes)), top] += 10_000 - votes.draws
    most = replace(
        votes_at(10_000, soft=False), counts=counts, draws=np.full(len(votes), 10_000)
    )
    best = Prospects.of(mechanism=None, procedure=None).best(votes, ALPHA)
    assert np.all(best <= certify(most, alpha=ALPHA).radius)
    hopeless = certify(most, alpha=ALPHA).radius == 0.0
    assert np.all(asked(rule, votes, ALPHA)[hopeless])


@pytest.mark.parametrize("procedure", ["clopper_pearson", "empirical_bernstein"])
def test_the_best_to_come_is_rarely_exceeded(procedure):
    """Of a 99 % interval, at one look; at the last it is what is certified."""
    prospects = Prospects.of(mechanism=None, procedure=procedure)
    images, last = 4000, 10_000
    p, random = chances(images), np.random.default_rng(5)

    def votes(counts, draws):
        return Votes(
            counts=counts,
            score_sums=counts.astype(float),
            score_squares=counts.astype(float),
            draws=np.full(images, draws),
            indices=np.arange(images),
            sigma=SIGMA,
            source={},
            looks=LOOKS,
        )

    for draws in (100, 1150):
        first = random.multinomial(draws, p)
        then = votes(first + random.multinomial(last - draws, p), last)
        best = prospects.best(votes(first, draws), ALPHA)
        radius = prospects.now(then, ALPHA)
        # 0.5 % for each end, and more than that only where both are exceeded.
        assert np.mean(radius > best) < 0.015
        np.testing.assert_array_equal(prospects.best(then, ALPHA), radius)


def test_votes_that_agree_more_are_certified_where_fewer_are():
    votes = votes_at(500, soft=False)
    counts = votes.counts.copy()
    rows = np.arange(len(votes))
    second, top = np.argsort(counts, axis=1)[:, -2:].T
    moved = np.minimum(counts[rows, second], 5)
    counts[rows, second] -= moved
    counts[rows, top] += moved
    rule = RULES["until"]
    better = rule.outcome(replace(votes, counts=counts), ALPHA)
    for name, words in rule.outcome(votes, ALPHA).items():
        assert np.all(better[name][words == "certified"] == "certified")
        assert np.all(words[better[name] == "futile"] == "futile")


def test_within_is_met_where_no_more_than_its_share_is_missing():
    votes = votes_at(5850)
    prospects = Prospects.of(mechanism=None, procedure=None)
    now, best = prospects.now(votes, ALPHA), prospects.best(votes, ALPHA)
    for share, radius in ((0.05, None), (0.2, None), (0.05, 0.3)):
        enough = (1.0 - share) * np.minimum(best, radius or np.inf)
        decided = asked(within(share, radius=radius), votes, ALPHA)
        np.testing.assert_array_equal(decided, now >= enough)
        assert 0 < decided.sum() < len(votes)
    # Nothing certified while something may be: not decided; nothing to be had: decided.
    assert not asked(within(0.05), votes, ALPHA)[(now == 0) & (best > 0)].any()
    assert asked(within(0.05), votes, ALPHA)[best == 0].all()
    said = within(0.05).outcome(votes, ALPHA)["within 0.05"]
    assert set(said) == {"open", "certified", "futile"}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: until([]), "at least one"),
        (lambda: until(np.array([[0.1]])), "at least one"),
        (lambda: until([0.5, 0.25]), "0.25 comes after 0.5"),
        (lambda: until([0.5, 0.5]), "0.5 comes after 0.5"),
        (lambda: until([-0.1, 0.5]), "0 or more, and finite, got -0.1"),
        (lambda: until([0.1, float("nan")]), "got nan"),
        (lambda: until([float("inf")]), "got inf"),
        (lambda: until([0.1], mechanism="lie"), "unknown mechanism 'lie'"),
        (lambda: until([0.1], procedure="guess"), "unknown procedure 'guess'"),
        (lambda: until([0.1], procedure="two_stage"), "needs other draws"),
        (lambda: within(0.0), r"a share in \(0, 1\), as 0.05 is, got 0.0"),
        (lambda: within(1), r"a share in \(0, 1\)"),
        (lambda: within(float("nan")), "got nan"),
        (lambda: within(True), "got True"),
        (lambda: within(0.05, radius=0.0), "positive and finite, got 0.0"),
        (lambda: within(0.05, radius=float("inf")), "positive and finite, got inf"),
        (lambda: within(0.05, radius=float("nan")), "positive and finite, got nan"),
        (lambda: within(0.05, procedure="two_stage"), "needs other draws"),
        (lambda: budget(0), "at least 1, got 0"),
        (lambda: budget(-5), "whole number of draws"),
        (lambda: budget(True), "whole number of draws"),
        (lambda: budget(10, of=budget(5)), "a budget of a budget"),
    ],
)
def test_rules_that_cannot_be(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_a_radius_beyond_reach_is_refused_with_the_largest():
    run = manifest(looks=list(looks_for(1000)), block=10, scores=False)
    largest, look = Prospects.of(mechanism=None, procedure=None).largest(
        run, run.looks, ALPHA
    )
    assert look.draws == 1000
    agreed = Votes(
        counts=np.array([[1000, 0]]),
        draws=np.array([1000]),
        indices=np.array([0]),
        sigma=SIGMA,
        source={},
        looks=tuple(run.looks),
    )
    assert largest == certify(agreed, alpha=ALPHA).radius[0]
    check_rule(until([0.1, largest]), run, alpha=ALPHA)
    for radius in (np.nextafter(largest, 9), 5.0):
        rule = until([0.1, radius])
        with pytest.raises(InputError, match=r"certify a radius of 1\.2\d\d at most"):
            check_rule(rule, run, alpha=ALPHA)
        with pytest.raises(InputError, match="leave larger ones out, or draw more"):
            check_rule(budget(10**6, of=rule), run, alpha=ALPHA)
    # Each look by itself: here an early one has nearly all of alpha.
    early = (Look(900, 0.9999), Look(1000, 0.0001))
    largest = 1.19
    check_rule(until([largest]), run, alpha=ALPHA, looks=early)


def test_a_rule_that_a_run_cannot_meet():
    hard = manifest(looks=[Look(10, 1.0)], block=10, scores=False)
    for rule in (until([0.1]), within(0.1)):
        with pytest.raises(InputError, match="10 draws can certify nothing"):
            check_rule(rule, hard, alpha=ALPHA)
    more = manifest(draws=1000, block=10, scores=False)
    for rule in (
        until([0.1], procedure="hoeffding"),
        within(0.1, procedure="empirical_bernstein"),
    ):
        with pytest.raises(InputError, match="softmax, and this run counts multinom"):
            check_rule(rule, more, alpha=ALPHA)
    other = more.model_copy(update={"noise": NoiseSource.of(uniform)})
    with pytest.raises(InputError, match="cohen does not apply: its proof is for"):
        check_rule(until([0.1], mechanism="cohen"), other, alpha=ALPHA)
    check_rule(until([0.1]), other, alpha=ALPHA)  # by that noise's own
    check_rule(named, hard, alpha=ALPHA)


BUMPY = """
import numpy as np

def bumpy(e0_lower, e1_upper, *, sigma):
    apart = e0_lower > e1_upper
    return np.where(apart, 0.1 * sigma * (1 - e0_lower), 0.0)

bumpy.except_laws = ["monotone", "tight"]

def flat(e0_lower, e1_upper, *, sigma):
    return np.where(e0_lower > np.minimum(e1_upper, 1 - e0_lower), 1e-3 * sigma, 0.0)

flat.except_laws = ["tight"]
"""


def test_a_mechanism_that_is_not_monotone_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(BUMPY)
    for make in (
        lambda spec: until([0.1], mechanism=spec),
        lambda spec: within(0.1, mechanism=spec),
    ):
        with pytest.raises(InputError, match=r"mine\.bumpy, which is not monotone: at"):
            make(f"{tmp_path}/mine.py:bumpy")
    rule = until([0.0001], mechanism=f"{tmp_path}/mine.py:flat")
    votes = votes_at(1150)
    radius = certify(votes, alpha=ALPHA, mechanism=f"{tmp_path}/mine.py:flat").radius
    (words,) = rule.outcome(votes, ALPHA).values()
    np.testing.assert_array_equal(words == "certified", radius >= 0.0001)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_made_again_from_what_a_manifest_keeps(rule):
    kept = json.loads(json.dumps(rule.spec))
    again = rule_from(kept | {"alpha": 0.001})
    assert again.spec == rule.spec == kept
    assert (again.name, again.total) == (rule.name, rule.total)
    for draws in (100, 1150, 5850):
        votes = votes_at(draws)
        np.testing.assert_array_equal(
            asked(again, votes, ALPHA), asked(rule, votes, ALPHA)
        )


OWN = """
from simplicert.stopping import Rule

rule = Rule(name="mine", decided=lambda votes, alpha: votes.counts[:, 0] > {least})
"""


def test_a_rule_of_ones_own_is_its_place_and_its_code(tmp_path):
    from simplicert.stopping import find_rule

    file = tmp_path / "own.py"
    file.write_text(OWN.format(least=3))
    place = f"{file}:rule"
    rule = find_rule(place)
    kept = json.loads(json.dumps(rule.spec))
    assert kept.keys() == {"name", "place", "digest"}
    assert (kept["name"], kept["place"]) == ("mine", place)
    assert rule_from(kept).spec == kept
    both = budget(1000, of=rule).spec
    assert rule_from(both).spec == both
    file.write_text(OWN.format(least=4))
    with pytest.raises(InputError, match="its code has changed since"):
        rule_from(kept)
    with pytest.raises(InputError, match="its code has changed since"):
        rule_from(both)
    given = Rule(name="given", decided=lambda votes, _: votes.draws > 3)
    with pytest.raises(InputError, match="was given as an object"):
        rule_from(given.spec)


def test_a_mechanism_of_ones_own_is_in_what_is_kept(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BUMPY)
    kept = until([1e-4], mechanism=f"{file}:flat").spec
    kept = json.loads(json.dumps(kept))
    assert rule_from(kept).spec == kept
    file.write_text(BUMPY.replace("1e-3", "2e-3"))
    with pytest.raises(InputError, match=r"mine.py:flat is not the one that was used"):
        rule_from(kept)

    def own(e0_lower, e1_upper, *, sigma):
        return 0.5 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)

    with pytest.raises(InputError, match="'own' was given as an object"):
        rule_from(until([1e-4], mechanism=own).spec)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"name": "sometimes"},
        {"name": ["until"]},
        {"name": "until"},
        {"name": "until", "radii": [0.5], "colour": 3},
        {"name": "until", "radii": None},
        {"name": "until", "radii": [0.5], "procedure": {"place": 3}},
        {"name": "named", "radii": [0.5]},
        {"name": "budget", "total": 10, "of": "until"},
        {"name": "budget", "total": 10, "of": {"name": "x"}},
        {"name": "mine", "digest": "ab"},
        {"name": "within", "share": [0.5]},
    ],
)
def test_what_no_rule_keeps_is_refused_in_a_line(spec):
    with pytest.raises(InputError) as error:
        rule_from(spec)
    assert "\n" not in str(error.value)


def test_the_outcome_says_at_which_look():
    first, later = votes_at(100, images=40), votes_at(1150, images=40, seed=3)
    both = np.arange(40) % 2 == 0
    votes = replace(
        first,
        counts=np.where(both[:, None], first.counts, later.counts),
        score_sums=None,
        score_squares=None,
        draws=np.where(both, 100, 1150),
    )
    rule = until([0.25, 1.0])
    found = outcome_of(rule, votes, ALPHA)
    assert list(found) == ["look", "until 0.25", "until 1"]
    at = {look.draws: number for number, look in enumerate(LOOKS, start=1)}
    np.testing.assert_array_equal(found["look"], np.where(both, at[100], at[1150]))
    for here, there in ((both, first), (~both, later)):
        for name, words in rule.outcome(there, ALPHA).items():
            np.testing.assert_array_equal(found[name][here], words[here])
    assert set(outcome_of(named, votes, ALPHA)["named"]) == {"open", "decided"}


def test_draws_to_come_are_those_of_votes_that_go_on_so():
    votes = votes_at(100)
    rule = until([0.25])
    to_come = draws_to_come(rule, votes, ALPHA)
    assert set(to_come + 100) <= {look.draws for look in LOOKS[4:]} | {10_000}
    # By hand, for one image: at each look with the same shares.
    for image in (0, 1, 2, 3):
        for look in LOOKS[4:]:
            counts = votes.counts[[image]] * look.draws // 100
            then = Votes(
                counts=counts,
                draws=np.array([look.draws]),
                indices=np.array([image]),
                sigma=SIGMA,
                source={},
                looks=LOOKS,
            )
            if look is LOOKS[-1] or asked(rule, then, ALPHA)[0]:
                assert to_come[image] == look.draws - 100
                break
    last = draws_to_come(rule, votes_at(10_000), ALPHA)
    assert not last.any()


def test_a_grid_takes_from_the_largest_radius():
    step = NoiseSource(name="gaussian", norm="l2", step=0.01)
    plain, moved = (
        Prospects.of(mechanism=None, procedure=None).largest(run, run.looks, ALPHA)[0]
        for run in (manifest(draws=1000), manifest(draws=1000, noise=step))
    )
    assert np.isclose(plain - moved, manifest(noise=step).displacement)
    assert moved < plain


def test_scores_are_hoped_not_to_vary():
    prospects = Prospects.of(mechanism=None, procedure="empirical_bernstein")

    def scored(draws, *means, squares=None):
        sums = np.array([means]) * draws
        return Votes(
            counts=np.array([[draws, 0, 0]]),
            score_sums=sums,
            score_squares=sums**2 / draws if squares is None else squares,
            draws=np.array([draws]),
            indices=np.array([0]),
            sigma=SIGMA,
            source={},
            looks=LOOKS,
        )

    now = scored(1150, 0.8, 0.1, 0.0)
    up = clopper_pearson_upper(920, trials=1150, alpha=0.005)
    down = clopper_pearson_lower(115, trials=1150, alpha=0.005)
    first = np.ceil(920 + 8850 * up)
    second = np.floor(115 + 8850 * down)
    then = scored(10_000, first / 10_000, second / 10_000, 0.0)
    best = prospects.best(now, ALPHA)
    np.testing.assert_allclose(best, prospects.now(then, ALPHA), rtol=1e-12)
    varied = replace(now, score_squares=now.score_sums)
    np.testing.assert_array_equal(prospects.best(varied, ALPHA), best)


def test_what_a_grid_moved_is_taken_from_every_radius():
    step = NoiseSource(name="gaussian", norm="l2", step=0.01)
    facts = manifest(noise=step)
    plain = certify(votes_at(1150), alpha=ALPHA).radius
    moved = certify(votes_at(1150, manifest=facts), alpha=ALPHA).radius
    less = np.maximum(plain - facts.displacement, 0.0)
    np.testing.assert_array_equal(moved, less)
    assert np.any(less > 0.0)
