"""Runs that stop at looks: honest ones are clean, each edit is found and named."""

import json
import re
import shutil
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch
from audited import edit_manifest, rewritten
from looked import CHANCES, RULE, draw, plan, stopped_run

from simplicert.analysis import certificates_by_draws
from simplicert.audit import audit_claims
from simplicert.audit.attack.target import Target
from simplicert.audit.page import render_audit
from simplicert.audit.replay import chosen_blocks, replay
from simplicert.certificates import ALPHA
from simplicert.errors import InputError
from simplicert.interop import certify_path, write_certificates
from simplicert.sampling import Sampler
from simplicert.sampling.memory import MemoryRun
from simplicert.stopping import Rule, budget, named, until, within
from simplicert.votes import Look, RunDirectory, VoteRows

laws = import_module("simplicert.audit.claims.blocks")

CLASSES = 3

TURN, AFTER, TOTAL, RULED, LAW = (
    "looks in turn",
    "nothing after the last",
    "budget",
    "stopped by the rule",
    "one law in all blocks",
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return stopped_run(tmp_path_factory.mktemp("honest") / "run").path


@pytest.fixture
def run(honest, tmp_path):
    """A copy, to be spoilt."""
    return RunDirectory(shutil.copytree(honest, tmp_path / "run"))


def found(audit):
    return {each.check: each for each in audit.findings}


def clean(audit):
    return {each.outcome for each in audit.findings} <= {"held", "not checked"}


@pytest.mark.parametrize("rule", [RULE, until([0, 0.25, 0.5]), within(0.1), named])
@pytest.mark.parametrize("seed", range(3))
def test_an_honest_run_is_clean_whatever_stopped_it(tmp_path, rule, seed):
    run = stopped_run(tmp_path / "run", range(20), rule=rule, seed=seed)
    audit = audit_claims(run.path)
    assert clean(audit)
    held = {name for name, each in found(audit).items() if each.outcome == "held"}
    assert {"looks", "whole", TURN, AFTER, RULED, LAW} <= held
    votes = run.read()
    drawn = f"{votes.draws.sum():,} draws, of 20,000 at most"
    assert found(audit)["whole"].says.endswith(drawn)
    assert audit.facts["votes"] == votes.digest
    table = found(audit)["looks"].details
    assert table["share of alpha"].sum() == pytest.approx(1)
    assert table["at alpha 0.001"].sum() == pytest.approx(ALPHA)
    ended = [int((votes.draws == draws).sum()) for draws in table["draws"]]
    assert table.iloc[:, 3].tolist() == ended
    assert str(table["draws"].iloc[0]) in render_audit(audit)


def test_a_run_without_a_rule_goes_to_the_last_look(tmp_path):
    stopped_run(tmp_path / "run", rule=None)
    assert clean(audit_claims(tmp_path / "run"))


def test_a_budget_is_held_and_what_it_left_open_is_not_called_stopped(tmp_path):
    total = stopped_run(tmp_path / "begun", most=3).progress().draws + 1
    run = stopped_run(tmp_path / "run", rule=budget(total, of=RULE), most=3)
    audit = audit_claims(run.path)
    assert found(audit)[TOTAL].outcome == "held"
    assert f"of {total:,} that the rule" in found(audit)[TOTAL].says
    assert found(audit)[RULED].outcome == "held"
    assert not audit.falsified


# Edits


def keyed(rows, image, block):
    return (rows.images == image) & (rows.blocks == block)


def ended_at(run, least=2):
    """An image that ended early, after ``least`` looks or more, and its last block."""
    rows = VoteRows.join(list(run.rows()))
    blocks = run.manifest.blocks
    row = np.flatnonzero(
        rows.last & (rows.blocks >= least) & (rows.blocks < blocks - 1)
    )
    return int(rows.images[row[0]]), int(rows.blocks[row[0]])


def one_more(run, image, block):
    """A row as it would have followed."""
    size = int(run.manifest.draws_in(np.array([block]))[0])
    counts = (size * CHANCES[[image % 4]]).astype(np.int64)
    counts[0, 0] += size - counts.sum()
    return VoteRows(
        images=np.array([image]),
        blocks=np.array([block]),
        columns={"counts": counts},
        draw_seconds=np.zeros(1),
        last=np.array([block == run.manifest.blocks - 1]),
    )


def row_after_the_last(run):
    image, block = ended_at(run)
    run.append(one_more(run, image, block + 1))
    return image, f"block {block} of image {image} says that no more"


def mark_earlier(run):
    image, block = ended_at(run)

    def change(rows):
        rows.last[keyed(rows, image, block)] = False
        rows.last[keyed(rows, image, block - 1)] = True

    rewritten(run, change)
    return image, f"block {block - 1} of image {image} says that no more"


def cut_short(run):
    """The mark moved to the look before, and what followed removed: it agrees."""
    image, block = ended_at(run)

    def change(rows):
        rows.last[keyed(rows, image, block - 1)] = True
        return rows.take(~keyed(rows, image, block))

    rewritten(run, change)
    draws = run.manifest.looks[block - 1].draws
    return image, f"Image {image} is marked as ended at {draws:,} draws"


def mark_taken_away(run):
    image, block = ended_at(run)

    def change(rows):
        rows.last[keyed(rows, image, block)] = False

    rewritten(run, change)
    draws = run.manifest.looks[block].draws
    return image, f"Image {image} is marked as not ended at {draws:,} draws"


def drawn_on(run):
    """The mark moved to a later look, with draws of its own."""
    image, block = ended_at(run)
    more = one_more(run, image, block + 1)
    more.last[:] = True

    def change(rows):
        rows.last[keyed(rows, image, block)] = False

    rewritten(run, change)
    run.append(more)
    return image, "1 did not end where it would have"


def row_removed(run):
    image, block = ended_at(run)
    rewritten(run, lambda rows: rows.take(~keyed(rows, image, block - 1)))
    return image, f"block {block - 1} of image {image} is not, block {block} is"


def last_row_removed(run):
    image, block = ended_at(run)
    rewritten(run, lambda rows: rows.take(~keyed(rows, image, block)))
    return image, "nothing says that no more was to be drawn"


def look_counted_twice(run):
    image, block = ended_at(run)

    def change(rows):
        both = (keyed(rows, image, block), keyed(rows, image, block - 1))
        rows.counts[both[0]] += rows.counts[both[1]]

    rewritten(run, change)
    return None, f"block {block} of image {image} does not hold the votes"


def votes_of_another_class(run):
    """An image's longest look, all for the class that had the fewest until then."""
    rows = VoteRows.join(list(run.rows()))
    row = np.flatnonzero(rows.blocks == rows.blocks.max())[0]
    image, block = int(rows.images[row]), int(rows.blocks[row])
    least = rows.counts[rows.images == image].sum(axis=0).argmin()

    def change(rows):
        counts = np.zeros(CLASSES, dtype=np.int64)
        counts[least] = rows.counts[keyed(rows, image, block)].sum()
        rows.counts[keyed(rows, image, block)] = counts

    rewritten(run, change)
    return image, f"block {block} of image {image} has"


def edited(run, **changes):
    edit_manifest(run.path, **changes)


def share_moved(run):
    looks = json.loads((run.path / "manifest.json").read_text())["looks"]
    looks[2]["share"] += 0.1
    looks[-1]["share"] -= 0.1
    edited(run, looks=looks)
    return None, "was drawn with looks"


def share_added(run):
    looks = json.loads((run.path / "manifest.json").read_text())["looks"]
    looks[2]["share"] += 0.1
    edited(run, looks=looks)
    return None, "sum to more than 0 and at most 1"


def looks_swapped(run):
    looks = json.loads((run.path / "manifest.json").read_text())["looks"]
    edited(run, looks=[looks[1], looks[0], *looks[2:]])
    return None, "looks must rise: 30 draws come after 40"


def rule_forgotten(run):
    edited(run, rule=None)
    return None, "says that no rule stopped images"


def rule_of_other_radii(run):
    edited(run, rule=until([0.9]).spec | {"alpha": ALPHA})
    return None, "are not what the recorded rule would have drawn"


def rule_of_another_alpha(run):
    edited(run, rule=RULE.spec | {"alpha": 1e-9})
    return None, "are not what the recorded rule would have drawn"


def budget_exceeded(run):
    drawn = int(run.read().draws.sum())
    edited(run, rule=budget(drawn - 1, of=RULE).spec | {"alpha": ALPHA})
    return None, f"{drawn:,} draws are stored, of {drawn - 1:,}"


@pytest.mark.parametrize(
    ("edit", "outcome", "check"),
    [
        (row_after_the_last, "falsified", AFTER),
        (mark_earlier, "falsified", AFTER),
        (mark_earlier, "doubtful", RULED),
        (cut_short, "doubtful", RULED),
        (mark_taken_away, "doubtful", RULED),
        (mark_taken_away, "doubtful", "whole"),
        (drawn_on, "doubtful", RULED),
        (row_removed, "doubtful", TURN),
        (row_removed, "doubtful", "whole"),
        (last_row_removed, "doubtful", "whole"),
        (look_counted_twice, "falsified", "stored parts"),
        (votes_of_another_class, "falsified", LAW),
        (share_moved, "falsified", "stored parts"),
        (share_added, "falsified", "manifest"),
        (looks_swapped, "falsified", "manifest"),
        (rule_forgotten, "falsified", RULED),
        (rule_of_other_radii, "doubtful", RULED),
        (rule_of_another_alpha, "doubtful", RULED),
        (budget_exceeded, "falsified", TOTAL),
    ],
)
def test_an_edited_run_is_found_and_said_to_be(run, edit, outcome, check):
    image, said = edit(run)
    audit = audit_claims(run.path)
    finding = found(audit)[check]
    assert finding.outcome == outcome
    others = " ".join(each.says for each in audit.findings)
    assert said in (finding.says if outcome == "falsified" else others)
    if image is not None:
        assert finding.images == (image,)
    assert audit.falsified == any(f.outcome == "falsified" for f in audit.findings)
    if edit in (cut_short, drawn_on, rule_of_other_radii):
        assert not audit.falsified  # no certificate depends on it


def test_a_wrong_stop_leaves_every_certificate_as_it_was(run):
    # Why it is doubtful and not falsified: the image's bounds are of the look it has.
    image, _ = cut_short(run)
    votes = run.read()
    draws = int(votes.draws[votes.indices == image][0])
    one = certify_path(run.path)
    look = next(look for look in run.manifest.looks if look.draws == draws)
    assert one.share_of_alpha[one.indices == image] == [look.share]


# Rules that cannot be asked


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"name": "mine", "place": None, "digest": "ab"}, "the rule needs mine"),
        ({"name": "nobody's"}, "no rule like"),
        ({"name": "until", "radii": [0.25]}, "alpha"),
        ({"name": "until", "radii": [0.25], "alpha": 2.0}, "alpha"),
        ({"name": "until", "radii": [], "alpha": 0.001}, "at least one"),
        ({"name": "until", "radius": 1, "alpha": 0.001}, "no rule like"),
        ({"name": ["until"], "alpha": 0.001}, "no rule like"),
        ({"name": "within", "share": 0.1, "mechanism": 3, "alpha": 0.1}, "needs 3"),
        ({"alpha": 0.001}, "no rule like"),
        ({}, "no rule like"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_not_checked_and_why(run, rule, said):
    edited(run, rule=rule)
    finding = found(audit_claims(run.path))[RULED]
    assert finding.outcome == "not checked"
    assert said in finding.says
    assert "No certificate depends on it" in finding.says


@pytest.mark.parametrize(
    "where", ["rule", "mechanism", "procedure", "members", "inner"]
)
def test_an_audit_runs_no_code_that_its_subject_names(run, tmp_path, where):
    marker = tmp_path / "ran"
    code = tmp_path / "theirs.py"
    code.write_text(f"open({str(marker)!r}, 'w').close()\nthing = max\n")
    place = f"{code}:thing"
    rule = RULE.spec | {"alpha": ALPHA}
    rule = {
        "rule": {"name": "x", "place": place, "digest": "ab", "alpha": ALPHA},
        "mechanism": rule | {"mechanism": place},
        "procedure": rule
        | {"procedure": {"name": "x", "place": place, "digest": "ab"}},
        "members": rule | {"mechanism": f"cohen, {place}"},
        "inner": {
            "name": "budget",
            "total": 10**9,
            "of": RULE.spec | {"mechanism": place},
            "alpha": ALPHA,
        },
    }[where]
    edited(run, rule=rule)
    finding = found(audit_claims(run.path))[RULED]
    assert finding.outcome == "not checked"
    assert "runs no code that its subject names" in finding.says
    assert not marker.exists()


# One law, whatever stops


def _by_the_last(votes, alpha):
    """Go on while the first class, of half the votes, has few: choose what is seen."""
    return np.asarray(votes.counts[:, 0] >= 0.55 * votes.draws) & (alpha > 0)


def test_draws_that_were_chosen_to_go_on_are_still_of_one_law(monkeypatch):
    # At a level that simulation can see: at most a fifth of honest runs is refused.
    monkeypatch.setattr(laws, "LEVEL", 0.2)
    monkeypatch.setattr(laws, "_FAR", 0.0)
    rule = Rule(name="chosen", decided=_by_the_last, parameters={})
    planned = plan([3, 7, 11, 15], rule=rule)
    refused = 0
    for seed in range(60):
        run = MemoryRun(planned)
        rows = VoteRows.join(list(draw(run, rule, seed=seed).rows()))
        finding = laws._one_law(*laws._as_it_grew(rows, planned), planned)
        refused += finding.outcome == "falsified"
    assert refused <= 0.2 * 60


# Replay and attack

SHAPE, FIRST_LOOKS = (1, 4, 4), (30, 70, 200)


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, CLASSES))


@pytest.fixture
def drawn(tmp_path):
    """A run that stopped real draws, and a sampler that draws its looks again.

    An image's first draws are the same however they are divided, so that blocks of ten
    draws give any look's increment.
    """
    images = np.random.default_rng(0).random((6, *SHAPE), dtype=np.float32)
    sampler = Sampler(network(), images, threads=1)
    fixed = sampler.plan(sigma=0.5, draws=200, block=10, batch=100, seed=4)
    run = RunDirectory.create(tmp_path / "fixed", fixed)
    for rows in sampler.again(
        fixed, *np.divmod(np.arange(6 * fixed.blocks), fixed.blocks)
    ):
        run.append(rows)
    small = VoteRows.join(list(run.rows()))
    looks = [Look(n, 1 / 3) for n in FIRST_LOOKS]
    plan = fixed.model_copy(update={"looks": looks, "block": None, "rule": None})
    into = np.searchsorted(FIRST_LOOKS, (small.blocks + 1) * 10)
    keys, at = np.unique(small.images * 3 + into, return_inverse=True)
    columns = {}
    for name, values in small.columns.items():
        columns[name] = np.zeros((len(keys), CLASSES), dtype=values.dtype)
        np.add.at(columns[name], at, values)
    whole = VoteRows(
        images=keys // 3,
        blocks=keys % 3,
        columns=columns,
        draw_seconds=np.zeros(len(keys)),
        last=keys % 3 == 2,
    )

    stopped = RunDirectory.create(tmp_path / "run", plan)
    ends = np.array([0, 1, 2, 2, 0, 1])[whole.images]
    kept = whole.take(whole.blocks <= ends)
    kept.last[:] = kept.blocks == ends[whole.blocks <= ends]
    stopped.append(kept)
    return stopped, sampler


def test_looks_are_drawn_again_and_no_others(drawn):
    run, sampler = drawn
    images, blocks, stored = chosen_blocks(run, "100%", seed=0)
    assert stored == 12  # of 18
    assert [*zip(images.tolist(), blocks.tolist(), strict=True)][:4] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    told = []
    (finding,) = replay(
        sampler, run, share="100%", progress=lambda *at: told.append(at)
    )
    assert finding.outcome == "held"
    assert "12 of 12 blocks" in finding.says
    assert told == [(int(run.read().draws.sum()),) * 2]


@pytest.mark.parametrize("block", [0, 2])
def test_a_forged_look_is_judged_by_its_own_draws(drawn, block):
    run, sampler = drawn

    def forge(rows):
        here = keyed(rows, 2, block)
        rows.counts[here] = np.roll(rows.counts[here], 1)

    rewritten(run, forge)
    (finding,) = replay(sampler, run, share="100%")
    size = np.diff([0, *FIRST_LOOKS])[block]
    assert finding.outcome == "falsified"
    assert finding.images == (2,)
    assert re.search(rf"block {block} of image 2, by \S+ of {size} draws", finding.says)


@pytest.mark.parametrize(("turned", "outcome"), [(3, "held"), (4, "falsified")])
def test_few_turned_draws_of_a_short_look_are_many(drawn, turned, outcome):
    # P(Bin(30, 1/1000) >= 3) = 4.0e-6, >= 4: 2.7e-8; of 12 looks at 5e-7 together.
    run, sampler = drawn

    def turn(rows):
        here = np.flatnonzero(keyed(rows, 0, 0))
        top = rows.counts[here].argmax(axis=1)
        rows.counts[here, top] -= turned
        rows.counts[here, (top + 1) % CLASSES] += turned

    rewritten(run, turn)
    (finding,) = replay(sampler, run, share="100%")
    assert finding.outcome == outcome


def test_one_draw_that_rounding_turned_is_allowed_in_a_long_look_as_in_a_short(drawn):
    run, sampler = drawn

    def turn(rows):
        here = keyed(rows, 0, 0) | keyed(rows, 2, 2)
        top = rows.counts[here].argmax(axis=1)
        at = np.flatnonzero(here)
        rows.counts[at, top] -= 1
        rows.counts[at, (top + 1) % CLASSES] += 1

    rewritten(run, turn)
    (finding,) = replay(sampler, run, share="100%")
    assert finding.outcome == "held"
    assert "2 of 600 votes differ" in finding.says


def test_points_are_attacked_with_fixed_draws(drawn):
    run, sampler = drawn
    target = Target(sampler, run.manifest, seed=1, clock=lambda: 0.0)
    points = np.zeros((2, *SHAPE), dtype=np.float32)
    assert target.votes(points, 1000).sum(axis=1).tolist() == [1000, 1000]


# What is written of them


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_says_each_rows_draws_and_their_share_of_alpha(run, tmp_path, suffix):
    path = write_certificates(certify_path(run.path), tmp_path / f"table{suffix}")
    audit = audit_claims(path)
    assert clean(audit)
    assert found(audit)["looks of certificates"].outcome == "held"
    assert "each at its look's share" in found(audit)["bounds of certificates"].says


def at_the_whole_of_alpha(table, run):
    """As if the number of draws had been fixed: larger radii than these may have."""
    votes = run.read()
    rows = []
    for draws in np.unique(votes.draws):
        some = votes[np.flatnonzero(votes.draws == draws)]
        rows.append(certified_at_once(some))
    whole = pd.concat(rows).set_index("image").loc[table["image"]].reset_index()
    return whole.assign(share_of_alpha=table["share_of_alpha"])


def certified_at_once(votes):
    from simplicert.certificates import certify

    return certify(replace(votes, looks=None), alpha=ALPHA).table()


def share_raised(table, _):
    return table.assign(share_of_alpha=table["share_of_alpha"] * 3)


def one_share_other(table, _):
    shares = table["share_of_alpha"].to_numpy().copy()
    draws = table["draws"].to_numpy()
    shares[np.flatnonzero(draws == np.bincount(draws).argmax())[0]] /= 2
    return table.assign(share_of_alpha=shares)


def share_missing(table, _):
    return table.drop(columns="share_of_alpha")


@pytest.mark.parametrize(
    ("edit", "outcome", "check"),
    [
        (at_the_whole_of_alpha, "falsified", "bounds of certificates"),
        (share_raised, "falsified", "looks of certificates"),
        (one_share_other, "falsified", "looks of certificates"),
        (share_missing, "doubtful", "looks of certificates"),
    ],
)
def test_a_spoilt_table_of_looks_is_found(run, tmp_path, edit, outcome, check):
    table = certify_path(run.path).table()
    edit(table, run).to_csv(tmp_path / "table.csv", index=False)
    assert found(audit_claims(tmp_path / "table.csv"))[check].outcome == outcome


def test_cohens_layout_is_refused_as_it_would_make_other_radii(run, tmp_path):
    with pytest.raises(InputError, match="no place for draws that differ"):
        write_certificates(certify_path(run.path), tmp_path / "log.tsv")


def test_draws_that_choose_cannot_be_set_apart(run):
    with pytest.raises(InputError, match="stops its images at looks"):
        certify_path(run.path, procedure="two_stage")


def test_radii_against_draws_are_those_of_the_looks(run):
    several = certificates_by_draws(run.path, points=50)
    votes = run.read()
    # No class can be named of 30 draws, at their share of alpha.
    for look, each in zip(run.manifest.looks[1:], several, strict=True):
        assert each.draws.tolist() == np.minimum(votes.draws, look.draws).tolist()
