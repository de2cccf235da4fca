"""SIGKILL at any instant loses an epoch at most, and changes no weight."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
from commands import (
    CLI,
    TORCHRUN,
    descendants,
    finish,
    log,
    running,
    same_weights,
    survivors,
)

EPOCHS = 24
OPTIONS = ("digits", "--epochs", EPOCHS, "--set", "batch_size=16")

# The same command, but it saves every epoch, however short.
OFTEN = """
from simplicert.cli import main
from simplicert.training import loop
loop._SAVE_SECONDS = -1
"""
# And every flush of a file says so and takes its time.
SLOWLY = """
import os, time
flush = os.fsync
def slowly(file):
    print("saving", flush=True)
    time.sleep(0.1)
    flush(file)
os.fsync = slowly
"""


def wait_for_epoch(epoch, checkpoint, process):
    deadline = time.monotonic() + 100
    while len(log(checkpoint)) < epoch:
        assert process.poll() is None, "it ended before it was to be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.slow
def test_five_kills_change_neither_weights_nor_log(tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert finish(*CLI, "train", *OPTIONS, "-o", whole)[0] == 0

    moments = random.Random(0)
    epochs = sorted(moments.sample(range(1, EPOCHS - 1), 5))
    for number, epoch in enumerate(epochs):
        slow = number % 2 == 1  # killed during a save
        script = OFTEN + (SLOWLY if slow else "") + "main()"
        start = (sys.executable, "-c", script)
        with running(
            *start, "train", *OPTIONS, "-o", broken, stdout=subprocess.PIPE
        ) as process:
            if slow:
                while len(log(broken)) < epoch:
                    assert process.stdout.readline() == "saving\n"
                for _ in range(moments.randint(1, 2)):  # of the log, or of the state
                    assert process.stdout.readline() == "saving\n"
            else:
                wait_for_epoch(epoch, broken, process)
            time.sleep(moments.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
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
    start = (*TORCHRUN, "--max-restarts=3", "-m", "simplicert")
    command = (*start, "train", *OPTIONS, "--set", "shares=2", "-o")
    assert finish(*command, whole)[0] == 0
    with running(*command, broken, stderr=subprocess.PIPE) as launcher:
        wait_for_epoch(EPOCHS // 3, broken, launcher)
        victim = descendants(launcher.pid)[rank]
        os.kill(victim, signal.SIGKILL)
        while launcher.poll() is None:
            assert len(log(broken)) >= EPOCHS // 3, "it started from the beginning"
            time.sleep(0.01)
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
    options = ("--epochs", 1000, "--set", "shares=2", "--processes", 2, "-o", out)
    with running(*CLI, "train", "digits", *options) as process:
        wait_for_epoch(2, out, process)
        launched = descendants(process.pid)
        assert len(launched) == 3
        os.kill(process.pid, number)
        process.wait(timeout=20)
        assert not survivors(launched, 10 if number == signal.SIGKILL else 0)
    assert out.with_suffix(".training").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits another process's files")
def test_a_full_disk_loses_one_epoch(tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    command = (*CLI, "train", *OPTIONS, "-o")
    assert finish(*command, whole)[0] == 0
    with running(*command, broken, stderr=subprocess.PIPE) as process:
        wait_for_epoch(3, broken, process)
        # From now on the log (3 kB) still fits, and the state (0.3 MB) no more.
        limit = (100_000, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limit)
        _, err = process.communicate(timeout=100)
    assert process.returncode == 2
    assert "broken.training: File too large" in err
    assert "What was saved before is kept: make room" in err
    assert sorted(path.name for path in tmp_path.glob("*") if path.stem != "whole") == [
        "broken.csv",
        "broken.training",
    ]
    assert finish(*command, broken)[0] == 0
    assert same_weights(whole, broken)
    assert log(whole).equals(log(broken))
