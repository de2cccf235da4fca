"""SIGKILL at any instant loses nothing that was flushed, and counts nothing twice."""

import random
import signal
import subprocess
import sys
import time

import pytest

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
