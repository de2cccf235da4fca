"""Commands about runs whose images stopped at looks."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from looked import draw, plan, stopped_run
from synthetic import manifest
from voted import random_votes

from simplicert.analysis import compare_runs
from simplicert.certificates import certify
from simplicert.interop import certify_path
from simplicert.stopping import budget, until, within
from simplicert.votes import RunDirectory, VoteRows


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stopped_run(tmp_path_factory.mktemp("stopped") / "run").path


def fixed_run(path, images=range(40), draws=1000):
    """Equal draws for every image, all of them for the first class."""
    store = RunDirectory.create(
        path,
        manifest(
            images=[*images], labels=[0] * len(images), draws=draws, block=draws
        ).model_copy(update={"statistics": ["multinomial"]}),
    )
    counts = np.tile([[draws, 0, 0]], (len(images), 1))
    store.append(
        VoteRows(
            images=np.array(images),
            blocks=np.zeros(len(images), dtype=np.int64),
            columns={"counts": counts},
            draw_seconds=np.full(len(images), 1.0),
        )
    )
    return path


def test_certify_says_what_was_decided_and_what_it_cost(simplicert, run):
    code, out, _ = simplicert("certify", run)
    assert code == 0
    lines = out.splitlines()
    assert "40 images × 40 to 1,000 draws" in lines[0]
    spent = int(certify_path(run).draws.sum())
    times = np.floor(10 * 40_000 / spent) / 10
    assert lines[1] == (
        f"40 of 40 images decided, {spent:,} draws in all, {spent / 40:,.1f} an image; "
        f"1,000 for each would have been 40,000, {times:g} times as many"
    )
    assert "note:" not in out


def test_certify_at_another_alpha_has_a_note(simplicert, run):
    out = simplicert("certify", run, "--alpha", "1e-5")[1]
    assert " could be drawn further), " in out
    assert "note: images were stopped for alpha 0.001, and every certificate" in out


def test_certify_of_a_fixed_run_says_nothing_of_it(simplicert, tmp_path):
    out = simplicert("certify", fixed_run(tmp_path / "run"))[1]
    assert "decided" not in out
    found = json.loads(simplicert("certify", tmp_path / "run", "--json")[1])
    assert set(found) == {"summary", "accuracy", "images"}


def test_certify_json_and_tables_have_the_same_columns(simplicert, run, tmp_path):
    code, out, _ = simplicert("certify", run, "--json", "-o", tmp_path / "c.parquet")
    assert code == 0
    found = json.loads(out)
    table = certify_path(run).table()
    written = pd.read_parquet(tmp_path / "c.parquet")
    pd.testing.assert_frame_equal(written, table, check_dtype=False)
    assert list(found["images"][0]) == [*table.columns]
    assert found["draws"][0]["spent"] == table["draws"].sum()
    assert sum(look["images"] for look in found["looks"]) == 40
    assert found["notes"] == []
    simplicert("certify", run, "-o", tmp_path / "c.csv")
    again = pd.read_csv(tmp_path / "c.csv", keep_default_na=False)
    assert again["until 0.25"].tolist() == table["until 0.25"].tolist()
    code, _, err = simplicert("certify", run, "-o", tmp_path / "c.tsv")
    assert code == 2
    assert "draws that differ from image to image" in err


def test_certify_of_a_run_that_has_just_begun(simplicert, tmp_path):
    store = RunDirectory.create(tmp_path / "run", plan(range(8)))
    for option in ((), ("--partial",)):
        code, _, err = simplicert("certify", store.path, *option)
        assert code == 2
        assert "no finished image yet" in err
    draw(store, most=3)
    code, _, err = simplicert("certify", store.path)
    assert code == 2
    assert "is not finished" in err
    out = simplicert("certify", store.path, "--partial")[1]
    assert re.search("8 images × .*70 draws", out)
    assert " of 8 images decided (" in out


def test_compare_of_unequal_draws_says_so_in_a_line(simplicert, run, tmp_path):
    other = fixed_run(tmp_path / "fixed")
    code, out, _ = simplicert("compare", run, other, "-o", tmp_path / "c.csv")
    assert code == 0
    [said] = [line for line in out.splitlines() if "in the first run" in line]
    assert "40 to 1,000 draws an image in the first run and 1,000 draws in" in said
    written = pd.read_csv(tmp_path / "c.csv")
    assert written["draws_before"].nunique() > 3
    assert set(written["draws_after"]) == {1000}
    found = json.loads(simplicert("compare", run, other, "--json")[1])
    assert [bool(each) for each in found["stopping"]] == [True, False]


def test_compare_of_two_fixed_runs_has_no_draws_to_tell_apart():
    made = certify(random_votes(5))
    assert "draws_before" not in compare_runs(made, made)


def test_draws_follow_their_image_in_a_comparison(run):
    made = certify_path(run)
    other = made[np.arange(len(made))[::-1]]
    table = compare_runs(made, replace(other, chosen_from=None))
    np.testing.assert_array_equal(table["draws_before"], table["draws_after"])


def test_compare_the_mechanisms_of_one_run(simplicert, run):
    code, out, _ = simplicert("compare", run)
    assert code == 0
    assert "40 of 40 images decided" in out
    assert "in the first run" not in out


def test_status_says_how_many_are_finished_and_what_may_come(simplicert, tmp_path):
    store = stopped_run(tmp_path / "run", most=3)
    code, out, _ = simplicert("status", store.path)
    assert code == 0
    progress = store.progress()
    most = progress.total - progress.draws
    assert most == (40 - progress.finished) * (1000 - store.manifest.looks[2].draws)
    assert "an image stops when each radius of 0.25 is certified or futile" in out
    assert (
        f"{progress.finished} of 40 images finished (decided, or at the last look); "
        f"{progress.draws:,} draws so far, at most {most:,} to come" in out
    )
    assert "at most 0:00:" in out
    draw(RunDirectory.create(tmp_path / "whole", plan(range(8))))
    out = simplicert("status", tmp_path / "whole")[1]
    assert "none to come" in out
    assert "the run is whole" in out


def test_images_that_a_budget_leaves_open_are_finished_and_open(simplicert, tmp_path):
    begun = stopped_run(tmp_path / "begun", most=3)
    spent, decided = begun.progress().draws, begun.progress().finished
    least = begun.manifest.looks[3].draws - begun.manifest.looks[2].draws
    rule = budget(spent + least - 1, of=until([0.25]))
    run = stopped_run(tmp_path / "run", rule=rule, most=3).path
    out = simplicert("status", run)[1]
    assert "40 of 40 images finished (decided, or at the last look, or left by" in out
    assert f"{spent:,} draws so far, none to come" in out
    code, out, _ = simplicert("certify", run)
    assert code == 0
    open_ = 40 - decided
    assert f"{decided} of 40 images decided ({open_} could be drawn further), " in out
    made = certify_path(run)
    assert (made.outcome["until 0.25"] == "open").sum() == open_
    assert "40 images × 40 to 70 draws, votes" in simplicert("compact", run)[1]


def test_status_of_locks_of_shares_in_such_a_run(simplicert, run):
    (run / ".lock-1-of-2").touch()
    (run / ".lock-2-of-2").touch()
    code, out, _ = simplicert("status", run)
    assert code == 0
    assert "share" not in out


def test_compact_joins_and_says_what_there_is(simplicert, tmp_path):
    store = stopped_run(tmp_path / "run", most=3)
    finished = store.progress().finished
    assert f"{finished} of 40 images finished" in simplicert("compact", store.path)[1]
    whole = stopped_run(tmp_path / "whole")
    digest = whole.read().digest
    out = simplicert("compact", whole.path)[1]
    assert f"40 images × 40 to 1,000 draws, votes {digest[:16]}…" in out


def test_merge_of_other_images_and_of_the_same(simplicert, tmp_path):
    rule = until([0.25])
    a = stopped_run(tmp_path / "a", range(20), rule=rule)
    b = stopped_run(tmp_path / "b", range(20, 40), rule=rule)
    begun = stopped_run(tmp_path / "begun", range(40), rule=rule, most=2)
    code, out, _ = simplicert("merge", a.path, b.path, "-o", tmp_path / "ab")
    assert code == 0
    assert "40 of 40 images finished" in out
    whole = stopped_run(tmp_path / "whole", range(40), rule=rule)
    digest = whole.read().digest
    assert RunDirectory(tmp_path / "ab").read().digest == digest
    out = simplicert("merge", begun.path, a.path, b.path, "-o", tmp_path / "abc")[1]
    assert "40 of 40 images finished" in out
    assert RunDirectory(tmp_path / "abc").read().digest == digest
    out = simplicert("merge", begun.path, a.path, "-o", tmp_path / "some")[1]
    assert "images finished; continue it with simplicert sample" in out


def test_merge_of_two_rules_is_refused(simplicert, tmp_path):
    a = stopped_run(tmp_path / "a", range(4), rule=until([0.25]))
    b = stopped_run(tmp_path / "b", range(4, 8), rule=within(0.05, radius=0.2))
    code, _, err = simplicert("merge", a.path, b.path, "-o", tmp_path / "ab")
    assert code == 2
    assert "do not belong together: their images were stopped by two rules" in err
