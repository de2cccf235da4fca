"""Images that stop: the same draws, the same stops, whoever draws and however often."""

import errno
import shutil
import sys
from itertools import count
from subprocess import PIPE

import numpy as np
import pytest
import torch
from commands import running

from simplicert import SmoothedClassifier, certify, sample
from simplicert.errors import InputError
from simplicert.machine.locks import Claims
from simplicert.sampling import Sampler
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.outgoing import Outgoing
from simplicert.sampling.recheck import Recheck
from simplicert.sampling.rounds import cohorts_of, first_late
from simplicert.stopping import Rule, budget, looks_for, named, replay, until, within
from simplicert.votes import RunDirectory, VoteRows, read_run
from simplicert.votes.columns import columns_of

IMAGES = np.random.default_rng(0).random((12, 1, 8, 8), dtype=np.float32)
HORIZON = 1000
RULE = until([0.1, 0.2])
# At a batch of 20 looks take three passes from some 200 draws on.
SETTINGS = {"sigma": 0.5, "draws": HORIZON, "seed": 3, "batch": 20}


HOLD = """
import sys
from simplicert.votes.holding import claiming
with claiming(sys.argv[1], 12) as claims:
    print(claims.take(int(sys.argv[2])), flush=True)
    sys.stdin.read()
"""


class Stopped(Exception):
    """By a test."""


def network():
    torch.manual_seed(0)
    linear = torch.nn.Linear(64, 3)
    with torch.no_grad():
        linear.weight *= 3
    return torch.nn.Sequential(torch.nn.Flatten(), linear)


def drawn(**options):
    return sample(network(), IMAGES, threads=1, **{"until": RULE} | SETTINGS | options)


@pytest.fixture(scope="module")
def whole():
    return drawn()


@pytest.fixture(scope="module")
def sampler():
    return Sampler(network(), IMAGES, threads=1, flush=0)


@pytest.fixture(scope="module")
def whole_on_disk(sampler, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    run = RunDirectory.create(folder, sampler.plan(rule=RULE, **SETTINGS))
    sampler.draw(run, rule=RULE)
    return folder


@pytest.fixture
def whole_run(whole_on_disk, tmp_path):
    """A copy, to be spoilt."""
    return RunDirectory(shutil.copytree(whole_on_disk, tmp_path / "run"))


def test_an_image_gets_the_first_draws_of_a_fixed_run(whole, tmp_path):
    sample(network(), IMAGES, threads=1, out=tmp_path, block=10, **SETTINGS)
    assert len(np.unique(whole.draws)) > 5
    assert whole.looks == looks_for(HORIZON)
    fixed = RunDirectory(tmp_path)
    for draws in np.unique(whole.draws):
        here = whole.draws == draws
        first = fixed.read(blocks=slice(0, int(draws) // 10))
        np.testing.assert_array_equal(whole.counts[here], first.counts[here])
        # Rounded as the size of a pass has it.
        np.testing.assert_allclose(
            whole.score_sums[here], first.score_sums[here], rtol=1e-6
        )


def test_it_stops_where_its_rule_says_and_certifies_what_that_says(whole, tmp_path):
    sample(network(), IMAGES, threads=1, out=tmp_path, block=10, **SETTINGS)
    after = replay(RunDirectory(tmp_path), RULE, looks=looks_for(HORIZON))
    np.testing.assert_array_equal(whole.draws, after.draws)
    ours = certify(whole)
    np.testing.assert_array_equal(ours.radius, after.by_looks.radius)
    assert (ours.radius >= 0.2).any()
    assert whole.draws.sum() < len(IMAGES) * HORIZON / 2


@pytest.mark.parametrize("batch", [7, 100, 5000])
def test_the_size_of_a_pass_changes_no_stop(whole, batch):
    votes = drawn(batch=batch)
    np.testing.assert_array_equal(votes.draws, whole.draws)
    np.testing.assert_array_equal(votes.counts, whole.counts)


def test_company_is_that_of_neighbours_until_looks_are_late(sampler):
    plan = sampler.plan(rule=RULE, **SETTINGS)
    cohorts = cohorts_of(plan)
    np.testing.assert_array_equal(np.concatenate(cohorts), np.arange(12))
    assert {len(cohort) for cohort in cohorts} == {1}
    late = first_late(plan)
    sizes = np.diff([0, *(look.draws for look in plan.looks)])
    assert (sizes[late:] >= 60).all()
    assert (sizes[1:late] < 60).all()


@pytest.mark.parametrize(
    "shares", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 50))]
)
def test_shares_drawn_one_after_another_are_the_whole(sampler, whole, tmp_path, shares):
    run = RunDirectory.create(tmp_path, sampler.plan(rule=RULE, **SETTINGS))
    for rank in reversed(range(shares)):
        sampler.draw(run, rule=RULE, share=(rank, shares))
    assert run.read().digest == whole.digest
    assert run.done().all()


@pytest.mark.parametrize(
    ("rule", "shares"), [(RULE, 2), (budget(2500, of=RULE), 1)], ids=["all", "budget"]
)
def test_a_stop_at_any_moment_changes_nothing(sampler, tmp_path, rule, shares):
    plan = sampler.plan(rule=rule, **SETTINGS)
    expected = sampler.votes(plan, rule=rule, progress=False).digest
    run = RunDirectory.create(tmp_path, plan)
    for stops in count():
        told = iter(range(stops % 7 + 1))

        def stop(*_, told=told):
            if next(told, None) is None:
                raise Stopped

        try:
            for rank in range(shares):
                sampler.draw(run, rule=rule, share=(rank, shares), progress=stop)
            break
        except Stopped:
            continue
    assert stops > 2
    assert run.read().digest == expected
    assert run.done().all()


def test_who_has_drawn_a_share_goes_on_with_late_images_of_others(
    sampler, whole, tmp_path
):
    run = RunDirectory.create(tmp_path, sampler.plan(rule=RULE, **SETTINGS))
    late = first_late(run.manifest)

    def until_late(*_):
        if (run.found().have[2:4] >= late).any():
            raise Stopped

    with pytest.raises(Stopped):
        sampler.draw(run, rule=RULE, share=(1, 2), progress=until_late)
    there = run.found()
    mine = np.concatenate(cohorts_of(run.manifest)[0::2])
    theirs = np.setdiff1d(np.arange(12), mine)
    goes_on = theirs[(there.have_at(theirs) >= late) & ~there.stopped_at(theirs)]
    assert len(goes_on)
    with running(
        sys.executable, "-c", HOLD, tmp_path, goes_on[0], stdout=PIPE, stdin=PIPE
    ) as other:  # as if it still drew it
        assert other.stdout.readline()
        sampler.draw(run, rule=RULE, share=(0, 2))
        found = run.found()
        assert found.stopped_at(mine).all()
        assert found.stopped_at(goes_on[1:]).all()
        assert not found.stopped_at(goes_on[:1]).any()
    sampler.draw(run, rule=RULE, share=(0, 2))
    assert run.found().stopped_at(goes_on).all()
    sampler.draw(run, rule=RULE, share=(1, 2))
    assert run.read().digest == whole.digest


def test_claims_say_that_they_were_had(tmp_path):
    claims = Claims(tmp_path / "claims", 5)
    assert claims.counts() == bytes(5)
    assert claims.take(3)
    claims.give_back(3)
    assert claims.counts() == bytes([0, 0, 0, 1, 0])
    for _ in range(255):
        claims.give_back(3)
    assert claims.counts() == bytes(5)
    claims.close()


def test_claims_on_a_disk_without_locks_are_refused(tmp_path, monkeypatch):
    def lockf(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    claims = Claims(tmp_path / "claims", 5)
    monkeypatch.setattr("fcntl.lockf", lockf)
    with pytest.raises(InputError, match="cannot be locked"):
        claims.take(3)
    claims.close()


def test_nothing_is_written_that_is_answered_otherwise_when_asked_again(
    sampler, monkeypatch
):
    plan = sampler.plan(rule=RULE, **SETTINGS)
    rows = VoteRows(
        images=np.zeros(1, dtype=int),
        blocks=np.zeros(1, dtype=int),
        columns={"counts": np.array([[30, 0, 0]])},
        draw_seconds=np.ones(1),
        last=np.zeros(1, dtype=bool),
    )
    monkeypatch.setattr(Recheck, "settle", lambda _: "another function")
    run = MemoryRun(plan)
    going = Outgoing(run, sampler.asked, draws=30, nonfinite="stop", flush=1000)
    going.take(rows)
    with pytest.raises(InputError, match="another function"):
        going.flush()
    assert going.is_empty
    assert not list(run.rows())


def test_a_part_that_is_lost_is_drawn_again(sampler, whole, whole_run):
    run = whole_run
    written = sorted(run.parts, key=lambda part: part.stat().st_size)
    for part in written[::2]:
        part.unlink()
    assert not run.done().all()
    sampler.draw(run, rule=RULE)
    assert run.read().digest == whole.digest


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("gap", [0, 1])
def test_what_is_stored_after_an_image_s_last_draw_counts_for_nothing(
    sampler, whole, whole_run, mark, gap
):
    """As when a lost part is drawn again, and a near tie falls the other way."""
    run = whole_run
    image = int(np.argmin(whole.draws))
    ends = [look.draws for look in run.manifest.looks]
    block = ends.index(whole.draws[image]) + 1 + gap
    counts = np.array([[ends[block] - ends[block - 1], 0, 0]])
    run.append(
        VoteRows(
            images=np.array([image]),
            blocks=np.array([block]),
            columns={
                column.name: counts.astype(column.dtype)
                for column in columns_of(run.manifest.statistics)
            },
            draw_seconds=np.ones(1),
            last=np.array([mark]),
        )
    )
    assert run.done().all()
    assert run.progress().draws == run.progress().total == whole.draws.sum()
    assert run.read().digest == whole.digest
    sampler.draw(run, rule=RULE)
    assert run.read().digest == whole.digest


@pytest.mark.slow
def test_a_budget_holds_when_parts_are_lost(sampler, tmp_path):
    rule = budget(1500, of=within(0.05))
    run = RunDirectory.create(tmp_path, sampler.plan(rule=rule, **SETTINGS))
    sampler.draw(run, rule=rule)
    for stray in range(5):
        for part in run.parts[stray % 2 :: 3]:
            part.unlink()
        assert run.progress().draws + run.found().to_come <= 1500
        sampler.draw(RunDirectory(tmp_path), rule=rule)
        assert run.done().all()
        assert run.read().draws.sum() == run.progress().draws <= 1500


def test_a_budget_is_spent_where_a_decision_is_nearest(sampler, tmp_path):
    total = 2500
    rule = budget(total, of=within(0.05))
    one = SETTINGS | {"batch": 1}  # image at a time
    plan = sampler.plan(rule=rule, **one)
    run = RunDirectory.create(tmp_path / "run", plan)
    sampler.draw(run, rule=rule)
    votes = run.read()
    assert votes.draws.sum() <= total
    open_ = ~run.found().stopped
    left = total - votes.draws.sum()
    ends = [look.draws for look in plan.looks]
    following = np.array([*ends, 10**9])[np.searchsorted(ends, votes.draws) + 1]
    assert (following - votes.draws)[open_].min() > left
    sample(network(), IMAGES, threads=1, out=tmp_path / "fixed", block=10, **SETTINGS)
    after = replay(RunDirectory(tmp_path / "fixed"), rule, looks=plan.looks)
    np.testing.assert_array_equal(votes.draws, after.draws)
    assert len(np.unique(votes.draws)) > 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"until": [0.1, 5]}, "until 5: 1,000 draws can certify a radius of"),
        ({"until": budget(100)}, "a budget of 100 draws is less than the first look"),
        (
            {"block": 100},
            "a block of 100: a run whose images stop has blocks",
        ),
        ({"until": [0.2, 0.1]}, "radii that rise"),
        ({"until": "nowhere"}, "nowhere"),
        ({"alpha": 2}, "alpha"),
        ({"draws": 0}, "draws"),
        ({"draws": 3, "until": [0.0]}, "3 draws can certify nothing"),
    ],
)
def test_what_could_never_be_met_is_refused_before_the_first_draw(options, said):
    with pytest.raises(InputError, match=said):
        drawn(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"until": [0.1]},
            "of 0.1, 0.2 is .* there, and an image .* radius of 0.1 is",
        ),
        ({"until": None}, "alpha 0.001, there, and every image has all draws here"),
        ({"alpha": 0.01}, "at alpha 0.001, there, and .* at alpha 0.01, here"),
        ({"draws": 10_000}, "draws is 1000 there and 10000 here"),
    ],
)
def test_another_rule_or_horizon_does_not_go_on(whole, whole_run, options, said):
    with pytest.raises(InputError, match=said):
        drawn(out=whole_run.path, **options)
    assert read_run(whole_run.path).digest == whole.digest


def test_a_rule_of_one_s_own_goes_on_with_itself_alone(tmp_path):
    def enough(number):
        return Rule(name="mine", decided=lambda votes, _: votes.counts.max(1) > number)

    votes = drawn(until=enough(100), out=tmp_path)
    assert (votes.counts.max(axis=1) > 100).all()
    assert drawn(until=enough(100), out=tmp_path).digest == votes.digest
    with pytest.raises(
        InputError, match=r"the rule mine says so, .* here by other code of that name"
    ):
        drawn(until=enough(200), out=tmp_path)


def test_a_rule_that_raises_loses_nothing(sampler, tmp_path):
    def fails(votes, _):
        if votes.draws[0] > 100:
            raise ValueError("no more")
        return np.zeros(len(votes), dtype=bool)

    rule = Rule(name="mine", decided=fails)
    run = RunDirectory.create(tmp_path, sampler.plan(rule=rule, **SETTINGS))
    with pytest.raises(InputError, match="no more"):
        sampler.draw(run, rule=rule)
    assert run.found().draws > 0


def test_what_is_told_ends_with_what_was_drawn(sampler, whole):
    told = []
    plan = sampler.plan(rule=RULE, **SETTINGS)
    sampler.votes(plan, rule=RULE, progress=lambda *so_far: told.append(so_far))
    done, most = np.array(told).T
    assert done[-1] == most[-1] == whole.draws.sum()
    assert most[0] == 12 * HORIZON
    assert (np.diff(most) <= 0).all()
    assert (done <= most).all()


def test_several_draw_no_budget(sampler, tmp_path):
    rule = budget(2500)
    run = RunDirectory.create(tmp_path, sampler.plan(rule=rule, **SETTINGS))
    with pytest.raises(InputError, match="spent by one process"):
        sampler.draw(run, rule=rule, share=(0, 2))


@pytest.mark.slow
def test_the_object_stops_too(whole):
    g = SmoothedClassifier(network(), sigma=0.5, seed=3, batch=20, threads=1)
    found = g.certify(IMAGES, draws=HORIZON, until=RULE)
    np.testing.assert_array_equal(found.draws, whole.draws)
    asked = []
    g = SmoothedClassifier(
        network(), sigma=0.5, seed=3, progress=lambda *told: asked.append(told)
    )
    classes = g.predict(IMAGES, draws=10_000, alpha=0.01)
    assert asked[-1][0] < 12 * 10_000 / 5
    sure = g.predict(IMAGES, draws=20_000, alpha=1e-6)
    agree = (sure >= 0) & (classes >= 0)
    assert agree.sum() > 5
    np.testing.assert_array_equal(classes[agree], sure[agree])


@pytest.mark.slow
def test_named_is_a_rule_by_name():
    assert drawn(until="named").draws.sum() == drawn(until=named).draws.sum()
