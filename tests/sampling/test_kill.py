"""SIGKILL at any instant loses nothing that was flushed, and counts nothing twice."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from commands import CLI, descendants, running, survivors

from simplicert.votes import RunDirectory, read_run

# Like `simplicert sample`, but flushes often and says when it begins to draw.
SCRIPT = """
import sys, numpy as np, torch
from simplicert.sampling import sample
from simplicert.models import build_model
torch.manual_seed(0)
network = build_model("small-cnn", shape=(1, 8, 8), classes=10)
images = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
told = []
def progress(done, total):
    if not told:
        print("drawing", flush=True)
    told.append(done)
sample(network, images, sigma=1.0, draws=40_000, block=500, batch=500, seed=1,
              threads=1, out=sys.argv[1], flush=0.02, progress=progress)
"""


def start(run):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(run)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process


@pytest.mark.slow
def test_votes_after_five_kills_equal_those_of_an_unbroken_run(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    began = time.monotonic()
    with start(whole) as process:
        assert process.stdout.readline() == "drawing\n"
        setup = time.monotonic() - began
        assert process.wait() == 0
    drawing = time.monotonic() - began - setup

    moments, partial = random.Random(0), 0
    for _ in range(5):
        with start(broken) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, drawing / 4))
            process.send_signal(signal.SIGKILL)
        done = RunDirectory(broken).done()
        partial += bool(done.any() and not done.all())
    assert partial >= 2, "the kills hit no run half-way: the test proves nothing"
    with start(broken) as process:
        assert process.wait() == 0
    assert read_run(broken).digest == read_run(whole).digest


# Too slow to end by itself. Leaves a byte a pass, in a file of each process.
MODEL = """
import os, time, torch
from pathlib import Path
class Slow(torch.nn.Module):
    def forward(self, x):
        with Path(__file__).with_name(f"{os.getpid()}.passes").open("a") as file:
            file.write(".")
        time.sleep(0.02)
        return x.flatten(1)[:, :10]
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at other processes")
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
)
def test_workers_end_with_the_command_that_started_them(number, exit_code, tmp_path):
    model, run = tmp_path / "slow.py", tmp_path / "run"
    model.write_text(MODEL)
    interrupted = number == signal.SIGINT
    with running(
        *(*CLI, "sample", f"{model}:Slow", "digits", "--sigma", 1, "--out", run),
        *("--draws", 100_000, "--batch", 100, "--processes", 2),
        *("--flush", 1000 if interrupted else 0.2),
        stderr=subprocess.PIPE,
        # A shell starts what runs in its background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        drawn, flushed = [], False
        deadline = time.monotonic() + 100
        while len(drawn) < 2 or min(drawn) < 60 or flushed == interrupted:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            passes = {int(file.stem): file for file in tmp_path.glob("*.passes")}
            passes.pop(process.pid, None)  # the forecast's
            drawn = [file.stat().st_size for file in passes.values()]
            flushed = any(run.glob("parts/*.parquet"))
        launched = descendants(process.pid)
        assert len(launched) == 3
        os.kill(process.pid, number)
        process.wait(timeout=20)
        assert not survivors(launched, 10 if number == signal.SIGKILL else 0)
        err = process.stderr.read()
    assert process.returncode == exit_code
    assert "Traceback" not in err
    assert err.count("interrupted") == interrupted
    assert RunDirectory(run).done().any()  # when interrupted, it is flushed
