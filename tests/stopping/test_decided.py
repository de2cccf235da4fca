"""What a run's rule decided stands beside its certificates, and changes none."""

import json
from dataclasses import replace

import numpy as np
import pytest
from looked import draw, plan, stopped_run
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import certify_path, import_file
from simplicert.stopping import (
    budget,
    find_rule,
    named,
    rule_in_words,
    until,
    with_decisions,
    within,
)
from simplicert.votes import RunDirectory, VoteRows, read_run

OWN = """
from pathlib import Path
from simplicert.stopping import Rule

with Path({log!r}).open("a") as file:
    file.write("run")

def most(votes, alpha):
    return votes.counts.max(axis=1) * 2 > votes.draws

half = Rule(name="half", decided=most)
cohen = Rule(name="cohen", decided=most)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stopped_run(tmp_path_factory.mktemp("stopped") / "run").path


@pytest.fixture
def own(tmp_path):
    """A file with rules, which leaves a mark where it is run."""
    file = tmp_path / "own.py"
    file.write_text(OWN.format(log=str(tmp_path / "log")))
    return file


def edited(path, rule):
    """A run whose manifest names another rule."""
    file = path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"rule": rule}))
    return path


def notes(certificates):
    return certificates.source.get("notes", "")


def test_the_table_says_at_which_look_and_what_was_decided(run):
    made = certify_path(run)
    table = made.table()
    draws = [look.draws for look in made.looks]
    assert [draws[look - 1] for look in table["look"]] == table["draws"].tolist()
    shares = np.array([look.share for look in made.looks])
    np.testing.assert_array_equal(table["share_of_alpha"], shares[table["look"] - 1])
    assert set(table["until 0.25"]) == {"certified", "futile"}
    assert made.decided.all()
    assert notes(made) == ""


@pytest.mark.parametrize("alpha", [1e-9, 1e-4, 0.001, 0.01, 0.3])
def test_what_is_called_certified_is_certified_in_the_same_row(run, alpha):
    made = certify_path(run, alpha=alpha)
    reached = made.radii["neyman_pearson"] >= 0.25
    np.testing.assert_array_equal(made.outcome["until 0.25"] == "certified", reached)
    np.testing.assert_array_equal(made.decided, made.outcome["until 0.25"] != "open")


def test_another_alpha_is_allowed_and_said_to_be_another(run):
    assert "a smaller alpha, at which some" in notes(certify_path(run, alpha=1e-5))
    assert "a larger alpha, for which some" in notes(certify_path(run, alpha=0.1))
    assert not certify_path(run, alpha=1e-5).decided.all()


def test_rows_of_some_images_keep_what_was_decided(run):
    made = certify_path(run)
    some = made[5:9]
    np.testing.assert_array_equal(some.decided, made.decided[5:9])
    assert (
        some.table()["until 0.25"].tolist()
        == (made.table()["until 0.25"].tolist()[5:9])
    )


def test_certificates_are_the_same_whatever_is_said_of_the_rule(run, tmp_path):
    store = stopped_run(tmp_path / "run")
    before = certify(read_run(run))
    for rule in (None, {"name": "later"}, {"radii": 3}, {"name": ["until"]}):
        made = certify_path(edited(store.path, rule))
        for name, radius in before.radii.items():
            np.testing.assert_array_equal(made.radii[name], radius)
        assert made.decided is None
        assert not made.outcome
        assert "No certificate depends on it" in notes(made)
        assert "look" in made.table()


@pytest.mark.parametrize("alpha", ["x", None, True, [0.001]])
def test_an_alpha_that_is_none_is_said_to_be_missing(tmp_path, alpha):
    store = stopped_run(tmp_path / "run")
    spec = dict(until([0.25]).spec) | {"alpha": alpha}
    made = certify_path(edited(store.path, spec))
    assert "does not say for which alpha" in notes(made)
    assert made.decided.all()


def test_a_rule_that_is_a_list_is_refused_as_an_edited_manifest(tmp_path):
    store = stopped_run(tmp_path / "run")
    with pytest.raises(InputError, match="the manifest was edited"):
        certify_path(edited(store.path, ["until"]))


def test_shares_of_more_than_one_are_refused(tmp_path):
    store = stopped_run(tmp_path / "run")
    file = store.path / "manifest.json"
    fields = json.loads(file.read_text())
    fields["looks"][0]["share"] = 0.5
    file.write_text(json.dumps(fields))
    with pytest.raises(InputError, match="sum to more than 0 and at most 1"):
        certify_path(store.path)


def test_no_code_is_run_because_a_run_names_it(own, tmp_path):
    store = stopped_run(tmp_path / "run", rule=find_rule(f"{own}:half"))
    log = tmp_path / "log"
    log.unlink()
    made = certify_path(store.path)
    assert made.decided is None
    assert "certify --rule runs it" in notes(made)
    spec = {"name": "until", "radii": [0.25], "procedure": "clopper_pearson"}
    for mechanism in (f"{own}:cohen", {"name": "m", "place": f"{own}:half"}):
        hidden = {"name": "budget", "total": 9, "of": spec | {"mechanism": mechanism}}
        made = certify_path(edited(store.path, hidden))
        assert "with_decisions takes the rule" in notes(made)
    assert not log.exists()


def test_a_rule_of_ones_own_is_asked_where_it_is_given(own, tmp_path):
    rule = find_rule(f"{own}:half")
    store = stopped_run(tmp_path / "run", rule=budget(10_000, of=rule))
    moved = tmp_path / "moved.py"
    own.rename(moved)
    made = certify_path(store.path, rule=f"{moved}:half")
    assert set(made.outcome["half"]) == {"decided"}
    moved.write_text(moved.read_text().replace("* 2", "* 3"))
    with pytest.raises(InputError, match="its code has changed since"):
        certify_path(store.path, rule=f"{moved}:half")
    with pytest.raises(InputError, match="that was 'half'"):
        certify_path(store.path, rule="named")


def test_a_rule_goes_with_a_run_that_stops_its_images(tmp_path):
    store = RunDirectory.create(tmp_path / "run", manifest())
    store.append(rows(*EVERY_BLOCK))
    plain = certify_path(store.path, alpha=0.1)
    assert plain.decided is None
    assert "look" not in plain.table()
    with pytest.raises(InputError, match="has a fixed number of draws"):
        certify_path(store.path, alpha=0.1, rule=named)


def test_a_rule_cannot_write_over_a_column(own, tmp_path):
    store = stopped_run(tmp_path / "run", rule=find_rule(f"{own}:cohen"))
    made = certify_path(store.path, rule=f"{own}:cohen")
    assert "cannot call a column 'cohen'" in notes(made)
    np.testing.assert_array_equal(made.table()["cohen"], made.radii["cohen"])


def test_a_rule_that_fails_spoils_nothing(run):
    votes = read_run(run)
    rule = replace(until([0.25]), outcome=lambda votes, alpha: {"x": np.zeros(99)})
    made = with_decisions(certify(votes), votes, rule=rule)
    assert "rule 'until' raised ValueError" in notes(made)


def test_certificates_of_other_images_are_refused(run):
    votes = read_run(run)
    with pytest.raises(InputError, match="of other images"):
        with_decisions(certify(votes[:3]), votes)


def test_images_that_have_come_to_their_first_looks_only(tmp_path):
    store = RunDirectory.create(tmp_path / "run", plan(range(8)))
    with pytest.raises(InputError, match="no finished image yet"):
        certify_path(store.path, partial=True)
    draw(store, most=1)
    made = certify_path(store.path, partial=True)
    assert set(made.look) == {1}
    assert not made.radius.any()  # no class can be named of its 30 draws
    draw(store, most=2)
    made = certify_path(store.path, partial=True)
    assert 0 < made.decided.sum() < 8
    assert set(made.outcome["until 0.25"]) == {"certified", "futile", "open"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (until([0.25, 1]), "each radius of 0.25, 1 is certified or futile"),
        (until([1], mechanism="cohen"), "each radius of 1 is certified or futile, by"),
        (within(0.05), "its radius is within 5 % of what may still come"),
        (within(0.05, radius=2), "its radius is within 5 % of what may still come (up"),
        (budget(10**6, of=named), "a class can be named, or 1,000,000 draws are spent"),
        (named, "a class can be named"),
    ],
)
def test_a_rule_in_words(rule, words):
    assert rule_in_words(rule.spec | {"alpha": 0.01}).startswith(words)
    assert rule_in_words(rule.spec | {"alpha": 0.01}).endswith(", at alpha 0.01")


@pytest.mark.parametrize(
    "spec", [None, {}, {"name": [1]}, {"name": "until", "radii": 3}, {"place": {}}]
)
def test_whatever_a_manifest_says_has_words(spec):
    assert rule_in_words(spec)


def test_a_rule_may_look_at_scores_that_the_certificates_do_not_need(tmp_path):
    rule = until([0.1], procedure="hoeffding")
    store = RunDirectory.create(
        tmp_path / "run",
        plan([4, 9], rule=rule).model_copy(
            update={"statistics": ["multinomial", "softmax"]}
        ),
    )
    counts = np.array([[30, 0, 0], [15, 15, 0]])
    store.append(
        VoteRows(
            images=np.array([4, 9]),
            blocks=np.array([0, 0]),
            columns={
                "counts": counts,
                "score_sums": counts * 1.0,
                "score_squares": counts * 1.0,
            },
            draw_seconds=np.array([0.1, 0.1]),
            last=np.array([True, True]),
        )
    )
    made = certify_path(store.path)
    assert made.framework == "multinomial"
    assert made.outcome["until 0.1"].tolist() == ["open", "open"]  # by 30 scores


def test_a_log_has_no_rule(tmp_path):
    log = tmp_path / "log.tsv"
    log.write_text(
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n0\t1\t1\t0.5\t1\t0:00:01\n"
    )
    import_file(log, tmp_path / "run", sigma=0.5, draws=1000, alpha=0.001)
    with pytest.raises(InputError, match="no rule stopped its images"):
        certify_path(tmp_path / "run", rule=named)
