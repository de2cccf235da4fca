"""The log: runs that certify and audit read, whatever happened to the service."""

import json
import shutil

import numpy as np
import pytest
from served import from_log, grey, journal, running

from simplicert.audit.replay import replay, run_images
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.serve.shift import Came, Log
from simplicert.votes import RunDirectory

MEANS = (0.0, 0.27, 0.31, 0.5)


def test_a_closed_shift_is_a_run_that_commands_read(service, tmp_path, simplicert):
    with running(service, tmp_path / "log") as there:
        there.ask(grey(*MEANS))
    shift = tmp_path / "log" / "0001"
    code, out, _ = simplicert("certify", shift, "--json")
    assert code == 0
    assert len(json.loads(out)) > 0
    code, out, _ = simplicert("audit", shift)
    assert code == 0
    assert "NOT FALSIFIED" in out
    assert "stopped by the rule" in out


def test_with_its_inputs_a_shift_can_be_drawn_again(service, tmp_path):
    with running(service, tmp_path / "log", inputs=True) as there:
        there.ask(grey(*MEANS))
    run = RunDirectory(tmp_path / "log" / "0001")
    data = run_images(load_dataset(str(run.path / "inputs.npz")), run)
    np.testing.assert_array_equal(data.read(np.arange(4)), grey(*MEANS))
    [finding] = replay(service.sampler.on(data), run, share="100%", seed=0)
    assert finding.outcome == "held"
    assert run.manifest.probe is not None


def test_what_a_killed_service_answered_is_in_its_log(service, tmp_path):
    log = tmp_path / "log"
    with running(service, log, inputs=True) as there:
        answers = there.ask(grey(*MEANS)).json()["answers"]
        copy = tmp_path / "killed"  # as the disk is at the moment of the answer
        shutil.copytree(log, copy, ignore=shutil.ignore_patterns(".lock"))
    with (copy / "0001.open" / "journal.jsonl").open("a") as file:
        file.write('{"input": 4, "requ')  # it was killed at this
    with running(service, copy, inputs=True) as there:
        there.ask(grey(0.0))
    rows = from_log(copy / "0001", service)
    assert [rows[n].draws[0] for n in range(4)] == [each["draws"] for each in answers]
    assert len(RunDirectory(copy / "0001").manifest.images) == 4
    assert len(RunDirectory(copy / "0002").manifest.images) == 1
    assert not list(copy.glob("*.open"))


def test_a_number_is_on_disk_before_its_first_draw(service, tmp_path):
    with Log(
        tmp_path, service.plan, inputs=True, size=9, probed=lambda *_: None
    ) as log:
        shift = log.open()
        shift.receive([Came(grey(0.3)[0], "a")])
        lines = (shift.folder / "journal.jsonl").read_text()
        assert json.loads(lines)["request"] == "a"
        assert len((shift.folder / "inputs.raw").read_bytes()) == 64
        assert log.close(shift) == tmp_path / "0001"
    assert journal(tmp_path / "0001") == ({"a": [0]}, {})
    assert RunDirectory(tmp_path / "0001").progress().draws == 0


def test_one_that_is_killed_while_it_closes_a_shift_closes_it_again(
    service, tmp_path, monkeypatch
):
    whole = tmp_path / "whole"
    with running(service, whole) as there:
        there.ask(grey(*MEANS))
        opened = tmp_path / "open"
        shutil.copytree(whole / "0001.open", opened)
    digest = RunDirectory(whole / "0001").read().digest
    closing = Log(whole, service.plan, inputs=False, size=9, probed=lambda *_: None)
    for left in ("0001.open", "0002.open"):
        shutil.copytree(opened, whole / left)
        (whole / f".{left[:4]}.tmp").mkdir()
        with closing:
            pass
        assert RunDirectory(whole / left[:4]).read().digest == digest
        assert not (whole / left).exists()


def test_a_shift_in_which_nobody_came_leaves_nothing(service, tmp_path):
    with running(service, tmp_path / "log"):
        pass
    assert [each.name for each in (tmp_path / "log").iterdir()] == [".lock"]


def test_two_services_do_not_log_to_one_folder(service, tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.machine.locks.PATIENCE_SECONDS", 0.0)
    with (
        running(service, tmp_path / "log"),
        pytest.raises(InputError, match="another service logs"),
        running(service, tmp_path / "log"),
    ):
        pass


def test_a_folder_of_something_else_is_left_alone(service, tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "thesis.tex").write_text("x")
    with (
        pytest.raises(InputError, match=r"thesis\.tex"),
        running(service, tmp_path / "log"),
    ):
        pass
    with pytest.raises(InputError, match="say where"), running(service, inputs=True):
        pass


def test_a_seed_cannot_be_guessed_and_is_of_one_shift(service):
    log = Log(None, service.plan, inputs=False, size=9, probed=lambda *_: None)
    seeds = [log.open().run.manifest.seed for _ in range(5)]
    assert len({*seeds, service.plan.seed}) == 6
    assert max(seeds) > 2**53


def test_the_seed_is_told_to_nobody(service, tmp_path, monkeypatch):
    seed = 8123456789012345678
    monkeypatch.setattr("served._counted", lambda: lambda _bits: seed)
    with running(service, tmp_path / "log") as there:
        said = there.ask(grey(*MEANS)).text + there.get("/healthz").text
        said += there.get("/").text + there.get("/metrics").text
        said += there.get("/openapi.json").text
        there = RunDirectory(next((tmp_path / "log").glob("*.open"))).manifest.seed
    assert there == seed
    assert str(seed) not in said
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0
