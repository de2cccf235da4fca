"""SIGKILL at any instant loses nothing that was flushed, and counts nothing twice."""

import os
import random
import signal
import sys
from subprocess import PIPE

import pytest
from commands import (
    CLI,
    STOPPING,
    captured,
    descendants,
    finish,
    kill_soon,
    running,
    survivors,
    wait_for_flushes,
    wait_until,
)

from simplicert.votes import RunDirectory, read_run

# Like `simplicert sample`, but it flushes whatever it has, some 200 times.
SCRIPT = f"""{STOPPING}
import numpy as np, torch
from simplicert.sampling import sample
from simplicert.models import build_model
torch.manual_seed(0)
network = build_model("small-cnn", shape=(1, 8, 8), classes=10)
images = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
sample(network, images, sigma=1.0, draws=40_000, block=500, batch=500, seed=1,
              threads=1, out=sys.argv[1], flush=0)
"""
SCRIPT = (sys.executable, "-c", SCRIPT)


@pytest.mark.slow
def test_votes_after_five_kills_equal_those_of_an_unbroken_run(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert finish(*SCRIPT, 0, whole)[0] == 0

    moments, before = random.Random(0), 0
    # Each flush of a part is followed by one of its folder: the kills are at any time
    # in some parts, or during the write of one.
    for flushes in (40, 21, 40, 22, 40):
        with running(*SCRIPT, flushes, broken, stdin=PIPE, stdout=PIPE) as process:
            if flushes == 40:
                wait_for_flushes(process, moments.randint(1, 30))
                kill_soon(process, moments)
            else:
                wait_for_flushes(process, 0)
                process.kill()
        assert process.returncode == -signal.SIGKILL
        done = RunDirectory(broken).done()
        assert before < done.sum() < done.size
        before = done.sum()
    assert finish(*SCRIPT, 0, broken)[0] == 0
    assert read_run(broken).digest == read_run(whole).digest


# Of each of many runs one of its drawers is killed at a random instant, and then all
# are started again. They are forked from what has torch loaded, for it takes seconds.
KILLS = """
import itertools, os, random, signal, sys, time, traceback
from pathlib import Path
import numpy as np, torch
from simplicert.sampling import Sampler
from simplicert.sampling.workers import Place, writer
from simplicert.stopping import until
from simplicert.votes import RunDirectory
torch.set_num_threads(1)
torch.manual_seed(0)
linear = torch.nn.Linear(64, 3)
linear.weight.data *= 3
network = torch.nn.Sequential(torch.nn.Flatten(), linear)
images = np.random.default_rng(0).random((24, 1, 8, 8), dtype=np.float32)
rule = until([0.05, 0.1, 0.2])
sampler = Sampler(network, images, threads=1, flush=0)
plan = sampler.plan(sigma=0.5, draws=2000, seed=1, batch=20, rule=rule)

def draw(out, rank, world):
    process = os.fork()
    if process:
        return process
    job = (rank, world) if world > 1 else None
    place = Place(rank=0, world=1, job=job, launched=False)
    try:
        with writer(out, plan, place=place) as run:
            sampler.draw(run, rule=rule, share=(rank, world))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

def finish(out, world, kill=lambda drawers: None):
    began = time.monotonic()
    drawers = [draw(out, rank, world) for rank in range(world)]
    kill(drawers)
    codes = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in drawers]
    return codes, time.monotonic() - began

folder, kills, moments = Path(sys.argv[1]), int(sys.argv[2]), random.Random(0)
for world in (1, 2, 3):
    whole = folder / f"{world}"
    _, seconds = finish(whole, world)
    expected, killed, same = RunDirectory(whole).read(), 0, 0
    for attempt in itertools.takewhile(lambda _: killed < kills, itertools.count()):
        def kill(drawers):
            time.sleep(moments.uniform(0, 0.8 * seconds))
            os.kill(moments.choice(drawers), signal.SIGKILL)
        out = folder / f"{world}-{attempt}"
        codes, _ = finish(out, world, kill)
        assert finish(out, world)[0] == [0] * world
        votes = RunDirectory(out).read()
        hit = -signal.SIGKILL in codes
        killed += hit
        same += hit and votes.digest == expected.digest
        assert (votes.draws == expected.draws).all()
    print(world, killed, same, expected.digest, flush=True)
"""


@pytest.mark.slow
def test_images_stop_where_they_would_have_whoever_is_killed(tmp_path):
    code, out, err = captured(sys.executable, "-c", KILLS, tmp_path, 4)
    assert code == 0, err
    worlds, killed, same, digests = zip(*map(str.split, out.splitlines()), strict=True)
    assert worlds == ("1", "2", "3")
    assert killed == same == ("4", "4", "4")
    assert len(set(digests)) == 1


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
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)],
)
def test_workers_end_with_the_command_that_started_them(number, exit_code, tmp_path):
    model, run = tmp_path / "slow.py", tmp_path / "run"
    model.write_text(MODEL)
    interrupted = number != signal.SIGKILL
    with running(
        *(*CLI, "sample", f"{model}:Slow", "digits", "--sigma", 1, "--out", run),
        *("--draws", 100_000, "--batch", 100, "--processes", 2),
        *("--flush", 10**6),
        stderr=PIPE,
        # A shell starts what runs in its background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:

        def drawing():
            passes = {int(file.stem): file for file in tmp_path.glob("*.passes")}
            passes.pop(process.pid, None)  # the forecast's
            drawn = [file.stat().st_size for file in passes.values()]
            return len(drawn) >= 2 and min(drawn) >= 60

        wait_until(drawing, process)
        launched = descendants(process.pid)
        assert len(launched) == 3
        os.kill(process.pid, number)
        process.wait()
        if number == signal.SIGKILL:  # nobody waited for them
            wait_until(lambda: not survivors(launched))
        assert not survivors(launched)
        err = process.stderr.read()
    assert process.returncode == exit_code
    assert "Traceback" not in err
    assert err.count("interrupted") == interrupted
    assert RunDirectory(run).done().any()  # what was not flushed before is
