"""Commands as processes of their own, and what they leave behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file

CLI = (sys.executable, "-m", "simplicert")
TORCHRUN = (
    *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
    "--nproc-per-node=2",
)
TWO = (*TORCHRUN, "-m", "simplicert")
TIMED = ["images_per_second", "seconds"]

# Before a script, whose first argument it takes: says how many flushes of files are
# left, and stops in the last. However slow its killer is, it has not ended before.
STOPPING = """
import os, sys
left, flush = int(sys.argv.pop(1)), os.fsync
if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0":
    left = 0
def fsync(file):
    global left
    left -= 1
    print(left, flush=True)
    if left == 0:
        sys.stdin.read(1)
    flush(file)
os.fsync = fsync
"""


@contextmanager
def running(*command, **options):
    """A command in a process; it and all that it started are killed in the end."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # or a restart can hang
    }
    with subprocess.Popen(
        [str(part) for part in command], env=environment, text=True, **options
    ) as process:
        try:
            yield process
        finally:
            for pid in [*descendants(process.pid), process.pid]:
                if process.poll() is None:
                    os.kill(pid, signal.SIGKILL)


def finish(*command):
    """Its exit code and stderr."""
    code, _, err = captured(*command)
    return code, err


def captured(*command):
    """Its exit code, stdout and stderr."""
    with running(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate()
    return process.returncode, out, err


def wait_until(happened, process=None):
    """Look until it has, or the process has ended; only pytest's timeout limits it."""
    while not happened():
        assert process is None or process.poll() is None, "it ended too early"
        time.sleep(0.02)


def wait_for_flushes(process, left):
    """Until that many are left of those after which it is ``STOPPING``."""
    for line in process.stdout:
        if int(line) == left:
            return
    raise AssertionError("it ended before it was to be killed")


def kill_soon(process, moments):
    """SIGKILL at a random instant."""
    time.sleep(moments.uniform(0, 0.1))
    process.kill()


def descendants(pid):
    """Processes that it started, and those that they did."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    own = children.read_text().split() if children.exists() else []
    return [found for child in own for found in (int(child), *descendants(child))]


def survivors(pids):
    """Those that still run."""
    found = []
    for pid in pids:
        # One that only waits to be reaped has no command any more.
        with suppress(OSError):
            found += [pid] if Path(f"/proc/{pid}/cmdline").read_bytes() else []
    return found


def log(checkpoint):
    """The rows beside it, but for times."""
    path = checkpoint.with_suffix(".csv")
    return pd.read_csv(path).drop(columns=TIMED) if path.exists() else pd.DataFrame()


def same_weights(one, other):
    """Whether two checkpoints are equal, bit for bit."""
    ours, theirs = load_file(one), load_file(other)
    assert ours.keys() == theirs.keys()
    return all(torch.equal(ours[key], theirs[key]) for key in ours)
