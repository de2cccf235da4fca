"""Job arrays, and what one asks of a run from another shell."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from simplicert.machine import locks
from simplicert.sampling import Sampler
from simplicert.sampling.engine import Tasks
from simplicert.votes import RunDirectory, read_run
from simplicert.votes.holding import holding_run, holding_share
from simplicert.votes.status import run_status, tasks_of


@pytest.fixture
def sampling(checkpoint, tmp_path):
    """Arguments of a small run of 6 images and 24 blocks."""
    return (
        *("sample", checkpoint, "digits", "--sigma", 0.5, "--draws", 400),
        *("--block", 100, "--batch", 100, "--images", "0:6", "--threads", 1),
        *("--out", tmp_path / "run"),
    )


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(Sampler, "trial", lambda *_, **__: 1000.0)


def test_shares_in_any_order_are_one_run(simplicert, sampling, tmp_path, monkeypatch):
    # A cluster may set these; without torchrun they mean nothing here.
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "7")
    run = tmp_path / "run"
    for number, drawn in ((2, 8), (3, 16), (1, 24)):
        code, out, err = simplicert(*sampling, "--share", f"{number}/3")
        assert (code, f"share {number}/3 is drawn" in out) == (0, True)
        assert "processes 3" in err
        assert RunDirectory(run).done().sum() == drawn
    assert len(RunDirectory(run).parts) >= 3
    code, out, _ = simplicert("compact", run)
    assert (code, len(RunDirectory(run).parts)) == (0, 1)
    assert f"votes {read_run(run).digest[:16]}" in out
    assert not list(run.glob(".lock-*"))
    whole = (*sampling[:-1], tmp_path / "whole")
    assert simplicert(*whole, "--seed", RunDirectory(run).manifest.seed)[0] == 0
    assert read_run(tmp_path / "whole").digest == read_run(run).digest


def test_a_share_is_divided_among_torchrun_s_processes(
    simplicert, sampling, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    drawn = []
    for share in ("1/2", "2/2"):
        for rank in (0, 1):
            monkeypatch.setenv("RANK", str(rank))
            assert simplicert(*sampling, "--share", share)[0] == 0
            drawn.append(int(RunDirectory(tmp_path / "run").done().sum()))
    assert drawn == [6, 12, 18, 24]


def test_of_two_that_start_at_once_both_draw_the_first_one_s_run(
    simplicert, sampling, tmp_path, monkeypatch
):
    create, run = RunDirectory.create, tmp_path / "run"

    def too_late(path, manifest):
        create(path, manifest.model_copy(update={"seed": 123, "batch": 200}))
        return create(path, manifest)

    monkeypatch.setattr(RunDirectory, "create", too_late)
    # No batch given: each would have found its own.
    given = [*sampling]
    del given[given.index("--batch") : given.index("--batch") + 2]
    assert simplicert(*given, "--share", "1/2")[0] == 0
    assert RunDirectory(run).manifest.seed == 123
    assert RunDirectory(run).done().sum() == 12


@pytest.mark.parametrize(
    "share",
    [
        *("0/32", "33/32", "a/b", "3", "/3", "3/", "1/0", "0/0", "-1/3", "1.5/3"),
        *("1/2/3", "", " 1/2", "1/2\n", "٣/٤", f"1/{'9' * 5000}"),
    ],
)
def test_what_is_no_share_is_refused(simplicert, sampling, tmp_path, share):
    code, _, err = simplicert(*sampling, f"--share={share}")
    assert (code, "counted from 1" in err) == (2, True)
    assert not (tmp_path / "run").exists()


def test_a_share_without_tasks_is_drawn_at_once(simplicert, sampling, tmp_path):
    code, out, _ = simplicert(*sampling, "--share", "99/99")
    assert (code, "share 99/99 is drawn" in out) == (0, True)
    assert not RunDirectory(tmp_path / "run").done().any()


def test_who_would_draw_the_same_is_refused(simplicert, sampling, tmp_path):
    run = tmp_path / "run"
    assert simplicert(*sampling, "--share", "1/2")[0] == 0

    def refused(*arguments):
        code, _, err = simplicert(*arguments)
        assert code == 2
        return err

    with holding_run(run, among_others=True), holding_share(run, (1, 2)):
        assert "drawing share 2/2" in refused(*sampling, "--share", "2/2")
        assert "in 2 shares, not 3" in refused(*sampling, "--share", "2/3")
        assert "is drawing into" in refused(*sampling)
        assert "is drawing into" in refused("compact", run)
        assert simplicert(*sampling, "--share", "1/2")[0] == 0  # done already
    with holding_run(run):
        assert "is drawing into" in refused(*sampling, "--share", "2/2")
    assert RunDirectory(run).done().sum() == 12
    assert simplicert(*sampling)[0] == 0


def test_who_may_only_read_can_ask_how_far_it_is(
    simplicert, sampling, tmp_path, monkeypatch
):
    assert simplicert(*sampling, "--share", "1/2")[0] == 0
    opened = os.open

    def only_to_read(path, flags, *rest, **options):
        if ".lock" in str(path) and flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(locks.os, "open", only_to_read)
    code, out, _ = simplicert("status", tmp_path / "run")
    assert (code, "drawing now: 0" in out) == (0, True)


def test_a_disk_without_locks_is_named(simplicert, sampling, monkeypatch):
    def flock(file, kind):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    code, _, err = simplicert(*sampling)
    assert (code, "cannot be locked" in err, "-o flock" in err) == (2, True, True)


def test_status_tells_who_draws_what(simplicert, sampling, tmp_path):
    run = tmp_path / "run"
    for share in ("1/3", "2/3"):
        assert simplicert(*sampling, "--share", share)[0] == 0
    with holding_run(run, among_others=True), holding_share(run, (2, 3)):
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        status = run_status(run)
        code, out, _ = simplicert("status", run)
    assert [share.draws for share in status.shares] == [800, 800, 0]
    assert [share.drawing for share in status.shares] == [False, False, True]
    assert (status.held, status.drawing, status.missing) == (True, 1, 800)
    assert status.seconds_left == pytest.approx(status.progress.seconds / 2)
    assert code == 0
    for words in (
        *("gaussian noise of sigma 0.5", "66.6% of 2,400 draws; 0 of 6 images"),
        *("part files: 2, last written 20", "drawing now: 1", "draws/s each so far"),
        *("share 1/3: 100.0%", "share 3/3: 0.0%, drawing"),
    ):
        assert words in out
    facts = json.loads(simplicert("status", run, "--json")[1])
    assert (facts["draws"], facts["total"], facts["held"]) == (1600, 2400, False)
    assert facts["shares"][2] == {
        "number": 3,
        "draws": 0,
        "total": 800,
        "drawing": False,
    }
    assert facts["manifest"]["sigma"] == 0.5
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert after == before


def test_status_of_a_run_that_has_just_begun_or_is_damaged(
    simplicert, sampling, tmp_path
):
    run = tmp_path / "run"
    assert simplicert(*sampling, "--share", "99/99")[0] == 0
    code, out, _ = simplicert("status", run)
    assert (code, "last written never" in out, "2,400 draws to go" in out) == (
        *(0, True, True),
    )
    assert json.loads(simplicert("status", run, "--json")[1])["seconds_left"] is None
    assert simplicert(*sampling)[0] == 0
    RunDirectory(run).parts[0].write_bytes(b"cut short")
    code, out, _ = simplicert("status", run)
    assert (code, "1 damaged" in out, "0.0% of" in out) == (0, True, True)
    assert simplicert(*sampling)[0] == 0
    code, out, _ = simplicert("status", run)
    assert (code, "the run is whole" in out) == (0, True)


def test_files_that_only_look_like_locks_of_shares_are_none(
    simplicert, sampling, tmp_path
):
    run = tmp_path / "run"
    assert simplicert(*sampling, "--share", "1/2")[0] == 0
    for name in ("0-of-2", "3-of-2", "1-of-0", "x-of-y", f"1-of-{'9' * 30}"):
        (run / f".lock-{name}").touch()
    (run / ".lock-1-of-3").mkdir()
    os.mkfifo(run / ".lock-2-of-3")
    assert [share.draws for share in run_status(run).shares] == [1200, 0]
    (run / ".lock-999999999-of-999999999").touch()  # another division: nothing to say
    assert run_status(run).shares == ()
    assert simplicert("compact", run)[0] == 0
    assert not (run / ".lock-1-of-2").exists()


@pytest.mark.parametrize(("batch", "block"), [(100, 100), (350, 100), (10, 100)])
def test_shares_are_counted_as_they_are_drawn(run, batch, block):
    update = {"batch": batch, "block": block}
    plan = RunDirectory(run).manifest.model_copy(update=update)
    tasks = tasks_of(plan)
    for rank in range(3):
        blocks = [
            task.positions * plan.blocks + task.blocks
            for task in Tasks(plan, share=(rank, 3))
        ]
        np.testing.assert_array_equal(
            np.flatnonzero(tasks % 3 == rank), np.concatenate(blocks)
        )


def test_compact_of_an_unfinished_run_says_how_far_it_is(
    simplicert, sampling, tmp_path
):
    for share in ("1/4", "2/4"):
        assert simplicert(*sampling, "--share", share)[0] == 0
    code, out, _ = simplicert("compact", tmp_path / "run")
    assert (code, "50.0% of the draws" in out) == (0, True)
    assert len(RunDirectory(tmp_path / "run").parts) == 1


def test_what_is_no_run_and_merging_one(simplicert, run, tmp_path):
    for command in ("status", "compact"):
        for path in (tmp_path / "none", tmp_path, __file__):
            code, _, err = simplicert(command, path)
            assert (code, err.count("\n")) == (2, 1)
    code, _, err = simplicert("merge", run, "-o", tmp_path / "merged")
    assert (code, "simplicert compact" in err) == (2, True)
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("command", ["status", "compact"])
def test_a_login_node_needs_no_torch(run, command):
    probe = (
        "import sys; sys.modules['torch'] = sys.modules['filelock'] = None; "
        f"from simplicert.cli import main; main([{command!r}, {str(run)!r}])"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, env=os.environ)
