"""Rules, replayed over stored votes: whatever they do, certificates stay right."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import manifest

from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.stopping import (
    RULES,
    Rule,
    asked,
    budget,
    looks_for,
    looks_of,
    named,
    replay,
    spread,
    until,
    within,
)
from simplicert.stopping.replay import _all_alike, _nearest_first
from simplicert.stopping.stages import Stages
from simplicert.votes import RunDirectory, VoteRows, Votes

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
    stopped = asked(named, _at(run, found.draws), 0.05)
    np.testing.assert_array_equal(found.decided, stopped & (found.draws < 120))
    assert not found.ended.any()


def _at(run, draws):
    """Votes as a replay leaves them, read look by look."""
    looks = {n: run.read(blocks=slice(0, n // 20)) for n in np.unique(draws)}
    counts = [looks[n].counts[image] for image, n in enumerate(draws)]
    return replace(run.read(), counts=np.array(counts), draws=draws, looks=LOOKS)


def test_the_parts_are_read_once(run, monkeypatch):
    read = []
    rows = RunDirectory.rows
    monkeypatch.setattr(
        RunDirectory, "rows", lambda self, **how: read.append(0) or rows(self, **how)
    )
    replay(run, named, looks=spread([20, 40, 60, 80, 100, 120]), alpha=0.05)
    assert read == [0]


def test_what_is_saved_in_tables(run):
    found = replay(run, named, looks=LOOKS, alpha=0.05)
    by_looks, fixed = found.summary().to_dict(orient="records")
    assert by_looks["total"] == found.draws.sum() == by_looks["draws"] * IMAGES
    assert fixed["total"] == 120 * IMAGES
    assert by_looks["fewer_by"] == 120 * IMAGES / found.draws.sum() > 1.0
    assert by_looks["decided"] == found.decided.mean() > 0.0
    shares = found.shares([0.0, 0.1, 9.0])
    for row in shares.to_dict(orient="records"):
        for name, each in (("by_looks", found.by_looks), ("fixed", found.fixed)):
            has = (each.radius > 0) & (each.radius >= row["radius"])
            assert row[name] == has.mean()
        assert round(IMAGES * row["loss"], 9) in range(-IMAGES, IMAGES + 1)
        assert np.isclose(row["loss"], row["fixed"] - row["by_looks"])
    stops = found.stops()
    assert stops["images"].sum() == IMAGES
    assert stops["draws"].tolist() == [20, 60, 120]


def test_default_looks_are_the_nearest_whole_blocks(run):
    assert looks_of(run) == spread([20, 40, 60, 120])  # of 30, 40, 70, 120
    assert [look.draws for look in looks_for(120)] == [30, 40, 70, 120]
    assert replay(run, named, alpha=0.05).by_looks.looks == looks_of(run)


def test_a_run_of_one_block_has_one_look(tmp_path):
    store = RunDirectory.create(
        tmp_path / "run", manifest(block=30, draws=30, scores=False)
    )
    counts = np.array([[30, 0, 0], [10, 10, 10]])
    store.append(
        VoteRows(
            images=np.array([4, 9]),
            blocks=np.zeros(2, dtype=int),
            columns={"counts": counts},
            draw_seconds=np.ones(2),
        )
    )
    found = replay(store, named, alpha=0.05)
    assert found.draws.tolist() == [30, 30]
    assert not found.decided.any()
    np.testing.assert_array_equal(found.by_looks.radius, found.fixed.radius)


def test_an_unfinished_run_is_refused(run):
    store = RunDirectory.create(
        run.path.parent / "more",
        run.manifest.model_copy(
            update={"images": list(range(IMAGES + 1)), "labels": None}
        ),
    )
    for rows in run.rows():
        store.append(rows)
    for blocks in range(2):  # none, then the first
        with pytest.raises(InputError, match="1 of 41 images lack draws, image 40"):
            replay(store, named, looks=LOOKS, alpha=0.05)
        store.append(
            VoteRows(
                images=np.array([IMAGES]),
                blocks=np.array([blocks]),
                columns={"counts": np.array([[20, 0, 0]])},
                draw_seconds=np.ones(1),
            )
        )


def test_a_budget_is_kept_and_spent_where_a_decision_is_nearest(run):
    looks = spread([20, 40, 60, 80, 100, 120])
    stages = Stages.of(run, looks)
    rule = until([0.1])
    alone, _ = _all_alike(stages, rule, 0.05)
    need = 20 * (alone + 1)
    few = IMAGES * 20
    before = None
    for total in (few, few + 19, few + 20, few + 500, few + 1500, 120 * IMAGES):
        found = replay(run, budget(total, of=rule), looks=looks, alpha=0.05)
        assert few <= found.draws.sum() <= total
        assert np.all(found.draws <= need)
        assert not found.ended.any()
        if total < need.sum():
            assert total - found.draws.sum() < 20  # what no increment fits in
        if before is not None:  # more only where there was none before
            assert np.all(found.draws >= before)
        before = found.draws
    np.testing.assert_array_equal(before, need)
    with pytest.raises(InputError, match="less than the first look at every image"):
        replay(run, budget(few - 1, of=rule), looks=looks, alpha=0.05)


def test_a_budget_decides_more_than_equal_shares(run):
    looks = spread([20, 40, 60, 80, 100, 120])
    stages = Stages.of(run, looks)
    rule = until([0.1])
    for rounds in (2, 3):
        equal = asked(rule, stages.at(rounds - 1, np.arange(IMAGES)), 0.05)
        stopped, decided = _nearest_first(
            stages, budget(20 * IMAGES * rounds, of=rule), 0.05
        )
        assert (20 * (stopped + 1)).sum() <= 20 * IMAGES * rounds
        assert decided.sum() > equal.sum()


class Stopped(RunDirectory):
    """A run that stopped its images at looks: a block is what came since the last."""

    def __init__(self, run, looks, last):
        self.path, self._run, self._last = run.path, run, last
        self.manifest = run.manifest.model_copy(
            update={"looks": list(looks), "block": None}
        )

    def rows(self, **_):
        before = 0
        for number, look in enumerate(self.manifest.looks):
            votes = self._run.read(blocks=slice(0, look.draws // 20))
            there = np.flatnonzero(self._last >= number)
            yield VoteRows(
                images=there,
                blocks=np.full(len(there), number),
                columns={"counts": (votes.counts - before)[there]},
                draw_seconds=np.ones(len(there)),
            )
            before = votes.counts


def test_a_run_that_stopped_its_images_ends_where_it_did(run):
    alone = replay(run, named, looks=LOOKS, alpha=0.05)
    last = np.searchsorted([20, 60, 120], alone.draws)
    stopped = Stopped(run, LOOKS, last)
    assert looks_of(stopped) == LOOKS
    again = replay(stopped, named, alpha=0.05)
    np.testing.assert_array_equal(again.draws, alone.draws)
    for each in (again.by_looks, again.fixed):
        np.testing.assert_array_equal(each.radius, alone.by_looks.radius)
    assert not again.ended.any()
    # A rule that would have gone on is told that there is no more.
    never = Rule(name="never", decided=lambda v, _: np.zeros(len(v), dtype=bool))
    found = replay(stopped, never, alpha=0.05)
    np.testing.assert_array_equal(found.draws, alone.draws)
    np.testing.assert_array_equal(found.ended, alone.draws < 120)
    first = Rule(name="first", decided=lambda v, _: np.ones(len(v), dtype=bool))
    assert set(replay(stopped, first, alpha=0.05).draws) == {20}
    with pytest.raises(InputError, match="and looks at 20, 60, 120"):
        replay(stopped, named, looks=spread([20, 40]), alpha=0.05)


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


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--until", "0,0.1"], until([0.0, 0.1])),
        (["--within", "20%"], within(0.2)),
        (["--within", "0.2", "--within-radius", "0.1"], within(0.2, radius=0.1)),
        (["--until", "0.1", "--mechanism", "li"], until([0.1], mechanism="li")),
        (["--budget", "2e3"], budget(2000)),
        (["--budget", "2000", "--until", "0.1"], budget(2000, of=until([0.1]))),
        (["--rule", "named"], named),
        ([], named),
    ],
)
def test_the_command_and_the_call_have_one_answer(run, simplicert, options, rule):
    code, out, _ = simplicert("plan", run.path, "--alpha", 0.05, *options, "--json")
    assert code == 0
    how = {"mechanism": "li"} if "li" in options else {}
    found = replay(run, rule, alpha=0.05, **how)
    said = json.loads(out)
    assert said["plan"] == found.summary().to_dict(orient="records")
    assert said["looks"] == found.stops().to_dict(orient="records")
    radii = [row["radius"] for row in said["radii"]]
    assert said["radii"] == found.shares(radii).to_dict(orient="records")
    if options[:1] == ["--until"]:
        assert radii == rule.spec["radii"]
    code, text, _ = simplicert("plan", run.path, "--alpha", 0.05, *options)
    assert code == 0
    assert "fewer_by" in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--looks", "20,x"], "whole numbers with commas between"),
        (["--looks", ""], "whole numbers with commas between"),
        (["--looks", "20,20"], "looks must rise"),
        (["--until", "0.2,0.1"], "0.1 comes after 0.2"),
        (["--until", ""], "is not a list of numbers"),
        (["--until", "nan"], "is not a list of numbers"),
        (["--until", "-1"], "0 or more"),
        (["--until", "7"], "can certify a radius of"),
        (["--within", "0"], "a share in (0, 1)"),
        (["--within", "5"], "a share in (0, 1)"),
        (["--within", "%"], "is not a share, as 5% or 0.05 is"),
        (["--within", "5%", "--within-radius", "0"], "positive and finite"),
        (["--within-radius", "1"], "--within-radius is of --within"),
        (["--until", "0.1", "--rule", "named"], "--until and --rule are two rules"),
        (["--budget", "1.5"], "is not a number of draws"),
        (["--budget", "many"], "is not a number of draws"),
        (["--budget", "0"], "at least 1, got 0"),
        (["--budget", "20"], "less than the first look at every image takes: 40 × 20"),
        (["--rule", "until"], "unknown rule 'until'"),
        (["--until", "0.1", "--procedure", "two_stage"], "needs other draws"),
        (["--until", "0.1", "--procedure", "hoeffding"], "this run counts multinomial"),
        (["--until", "0.1", "--mechanism", "lee"], "lee does not apply"),
        (["--alpha", "0", "--until", "0.1"], "alpha must be in (0, 1)"),
    ],
)
def test_what_the_command_refuses_is_a_line(run, simplicert, options, says):
    alpha = [] if "--alpha" in options else ["--alpha", 0.05]
    code, out, err = simplicert("plan", run.path, *alpha, *options)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_what_is_left_of_a_budget_goes_where_a_decision_is_nearest(tmp_path):
    """One image near its decision, in any place among others that are far from it."""
    near, far = np.array([18, 2, 0]), np.array([12, 8, 0])
    for place in range(3):
        counts = np.array([far, far, far])
        counts[place] = near
        store = RunDirectory.create(
            tmp_path / f"{place}",
            manifest(images=[0, 1, 2], labels=None, block=20, draws=400, scores=False),
        )
        for block in range(20):
            store.append(
                VoteRows(
                    images=np.arange(3),
                    blocks=np.full(3, block),
                    columns={"counts": counts},
                    draw_seconds=np.ones(3),
                )
            )
        looks = spread([20, 40, 60, 100, 200, 400])
        rule = until([0.1])
        need = replay(store, rule, looks=looks).draws
        assert need[place] < min(np.delete(need, place))
        found = replay(store, budget(40 + int(need[place]), of=rule), looks=looks)
        expected = np.full(3, 20)
        expected[place] = need[place]
        np.testing.assert_array_equal(found.draws, expected)
        assert found.decided.tolist() == [each == place for each in range(3)]
