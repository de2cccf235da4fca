"""SIGKILL at any instant loses an epoch at most, and changes no weight."""

import os
import random
import resource
import signal
import sys
from subprocess import PIPE

import pytest
from commands import (
    CLI,
    STOPPING,
    TORCHRUN,
    descendants,
    finish,
    kill_soon,
    log,
    running,
    same_weights,
    survivors,
    wait_for_flushes,
    wait_until,
)

EPOCHS = 24
OPTIONS = ("digits", "--epochs", EPOCHS, "--set", "batch_size=16")

# The same command, but it saves every epoch, however short.
OFTEN = f"""{STOPPING}
from simplicert.cli import main
from simplicert.training import loop
loop._SAVE_SECONDS = -1
if __name__ == "__main__":
    main()
"""
FLUSHES = 4  # an epoch: of the log, its folder, the state, its folder


@pytest.mark.slow
def test_five_kills_change_neither_weights_nor_log(tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert finish(*CLI, "train", *OPTIONS, "-o", whole)[0] == 0

    moments = random.Random(0)
    # During a save of the log or of the state, or at any time in some epochs.
    during_log, during_state, anywhere = 2 * FLUSHES + 1, 2 * FLUSHES + 3, 4 * FLUSHES
    for flushes in (anywhere, during_log, anywhere, during_state, anywhere):
        start = (sys.executable, "-c", OFTEN, flushes)
        with running(
            *start, "train", *OPTIONS, "-o", broken, stdin=PIPE, stdout=PIPE
        ) as process:
            if flushes == anywhere:
                wait_for_flushes(process, moments.randint(FLUSHES, 3 * FLUSHES - 1))
                kill_soon(process, moments)
            else:
                wait_for_flushes(process, 0)
                process.kill()
        assert process.returncode == -signal.SIGKILL
        assert broken.with_suffix(".training").exists()
        assert not broken.exists()
    assert finish(*CLI, "train", *OPTIONS, "-o", broken)[0] == 0
    assert same_weights(whole, broken)
    assert log(whole).equals(log(broken))
    assert not broken.with_suffix(".training").exists()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_worker_is_replaced(rank, tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    options = ("train", *OPTIONS, "--set", "shares=2", "-o")
    assert finish(*TORCHRUN, "-m", "simplicert", *options, whole)[0] == 0
    script = tmp_path / "often.py"
    script.write_text(OFTEN)
    there, stop = EPOCHS // 3, EPOCHS // 2
    start = (*TORCHRUN, "--max-restarts=3", script, stop * FLUSHES)
    with running(
        *start, *options, broken, stdin=PIPE, stdout=PIPE, stderr=PIPE
    ) as launcher:
        wait_for_flushes(launcher, (stop - there) * FLUSHES)
        victim = descendants(launcher.pid)[rank]
        os.kill(victim, signal.SIGKILL)

        def ended():
            assert len(log(broken)) >= there, "it started from the beginning"
            return launcher.poll() is not None

        wait_until(ended)
        err = launcher.stderr.read()
    assert launcher.returncode == 0, err
    assert "SIGKILL" in err or "-9" in err, err
    assert same_weights(whole, broken)
    assert log(whole).equals(log(broken))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at other processes")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_command_that_started_them(number, tmp_path):
    out = tmp_path / "model.safetensors"
    options = ("--epochs", 10**4, "--set", "shares=2", "--processes", 2, "-o", out)
    with running(*CLI, "train", "digits", *options) as process:
        wait_until(lambda: len(log(out)) >= 2, process)
        launched = descendants(process.pid)
        assert len(launched) == 3
        os.kill(process.pid, number)
        process.wait()
        if number == signal.SIGKILL:  # nobody waited for them
            wait_until(lambda: not survivors(launched))
        assert not survivors(launched)
    assert process.returncode == (130 if number == signal.SIGTERM else -9)
    assert out.with_suffix(".training").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits another process's files")
def test_a_full_disk_loses_one_epoch(tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    command = ("train", *OPTIONS, "-o")
    assert finish(*CLI, *command, whole)[0] == 0
    start = (sys.executable, "-c", OFTEN, 3 * FLUSHES)
    with running(
        *start, *command, broken, stdin=PIPE, stdout=PIPE, stderr=PIPE
    ) as process:
        wait_for_flushes(process, 0)
        # From now on the log (3 kB) still fits, and the state (0.3 MB) no more.
        limit = (100_000, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limit)
        _, err = process.communicate("go on")
    assert process.returncode == 2
    assert "broken.training: File too large" in err
    assert "What was saved before is kept: make room" in err
    assert sorted(path.name for path in tmp_path.glob("*") if path.stem != "whole") == [
        "broken.csv",
        "broken.training",
    ]
    assert finish(*CLI, *command, broken)[0] == 0
    assert same_weights(whole, broken)
    assert log(whole).equals(log(broken))
