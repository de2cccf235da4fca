"""Rules, replayed over stored votes: whatever they do, certificates stay right."""

import json

import numpy as np
import pytest
from synthetic import manifest

from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.stopping import RULES, Rule, named, replay, spread
from simplicert.votes import Look, RunDirectory, VoteRows, Votes

IMAGES, BLOCKS = 40, 6


@pytest.fixture
def run(tmp_path):
    """Forty images, six blocks of 20 draws each."""
    store = RunDirectory.create(
        tmp_path / "run",
        manifest(
            images=list(range(IMAGES)),
            labels=[0] * IMAGES,
            block=20,
            draws=20 * BLOCKS,
            scores=False,
        ),
    )
    random = np.random.default_rng(0)
    chances = random.dirichlet([2.0, 1.0, 0.5], size=IMAGES)
    for block in range(BLOCKS):
        store.append(
            VoteRows(
                images=np.arange(IMAGES),
                blocks=np.full(IMAGES, block),
                columns={"counts": random.multinomial(20, chances)},
                draw_seconds=np.full(IMAGES, 0.5),
            )
        )
    return store


LOOKS = spread([20, 60, 120])


def test_shares_are_spread_and_sum_to_one():
    assert (Look(20, 0.2), Look(60, 0.2), Look(120, 0.6)) == LOOKS
    assert spread([5]) == (Look(5, 1.0),)
    for draws in ([], [5, 5], [0, 3]):
        with pytest.raises(InputError, match=r"looks must|a look needs"):
            spread(draws)


def test_an_image_keeps_what_it_had_at_the_look_at_which_it_stopped(run):
    found = replay(run, named, looks=LOOKS, alpha=0.05)
    assert found.by_looks.looks == LOOKS
    assert set(found.draws) == {look.draws for look in LOOKS}
    for look in LOOKS:
        votes = run.read(blocks=slice(0, look.draws // 20))
        alone = certify(votes, alpha=0.05 * look.share)
        here = found.draws == look.draws
        for field in ("e0_lower", "e1_upper", "radius", "top", "e0"):
            there = getattr(found.by_looks, field)[here]
            np.testing.assert_array_equal(there, getattr(alone, field)[here])
        if look.draws < 120:
            assert (alone.radius[here] > 0).all()
    whole = certify(run.read(), alpha=0.05)
    np.testing.assert_array_equal(found.fixed.radius, whole.radius)


def test_a_replay_is_no_evidence(run):
    # Its looks were chosen when the votes were known.
    found = replay(run, named, looks=LOOKS, alpha=0.05)
    assert not any(isinstance(value, Votes) for value in vars(found).values())


@pytest.mark.parametrize(("answer", "draws"), [(True, 20), (False, 120)])
def test_the_first_and_the_last_look_are_the_ends(run, answer, draws):
    rule = Rule(name="same", decided=lambda v, _: np.full(len(v), answer))
    found = replay(run, rule, looks=LOOKS, alpha=0.05)
    np.testing.assert_array_equal(found.draws, draws)


def test_a_rule_sees_the_plan_and_only_who_is_left(run):
    seen = []

    def halve(votes, alpha):
        seen.append((len(votes), set(votes.draws), votes.looks, alpha))
        return np.arange(len(votes)) % 2 == 0

    replay(run, Rule(name="halve", decided=halve), looks=LOOKS, alpha=0.01)
    assert seen == [
        (40, {20}, LOOKS, 0.01),
        (20, {60}, LOOKS, 0.01),
        (10, {120}, LOOKS, 0.01),
    ]


@pytest.mark.parametrize(
    ("decided", "says"),
    [
        (lambda v, _: v.counts[:, 0], "returned int64 of shape"),
        (lambda v, _: True, r"returned bool of shape \(\) for 40 images"),
        (lambda v, _: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_rule_that_is_none_is_named(run, decided, says):
    with pytest.raises(InputError, match=f"rule 'mine' {says}"):
        replay(run, Rule(name="mine", decided=decided), looks=LOOKS, alpha=0.05)


def test_looks_that_are_not_to_be_had(run):
    for draws in ([10, 120], [20, 140]):
        with pytest.raises(InputError, match=r"is not to be had of .* blocks of 20"):
            replay(run, named, looks=spread(draws), alpha=0.05)


def test_the_command_says_what_is_saved(run, simplicert, tmp_path):
    code, out, _ = simplicert(
        "plan", run.path, "--looks", "20,60,120", "--alpha", 0.05, "--json"
    )
    assert code == 0

    by_looks, fixed = json.loads(out)["plan"]
    assert by_looks["draws"] < fixed["draws"] == 120
    for looks, says in (("20,x", "whole numbers"), ("", "whole numbers")):
        code, _, err = simplicert("plan", run.path, "--looks", looks)
        assert (code, says in err) == (2, True)
    (tmp_path / "mine.py").write_text(
        "from simplicert.stopping import Rule\n"
        "rule = Rule(name='mine', decided=lambda votes, alpha: votes.labels == 0)\n"
    )
    spec = f"{tmp_path}/mine.py:rule"
    assert RULES.find(spec).name == "mine"
    code, out, _ = simplicert(
        "plan", run.path, "--looks", "20,120", "--rule", spec, "--json"
    )
    assert json.loads(out)["plan"][0]["draws"] == 20
