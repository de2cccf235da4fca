"""Training commands as processes of their own, and what they leave behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
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


def finish(*command, timeout=100):
    """Its exit code and stderr."""
    with running(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=timeout)
    return process.returncode, err


def descendants(pid):
    """Processes that it started, and those that they did."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    own = children.read_text().split() if children.exists() else []
    return [found for child in own for found in (int(child), *descendants(child))]


def survivors(pids, seconds):
    """Those that still run after so long; sooner, if none does."""
    deadline = time.monotonic() + seconds
    while True:
        # One that only waits to be reaped has no command any more.
        commands = [Path(f"/proc/{pid}/cmdline") for pid in pids]
        found = [file for file in commands if file.exists() and file.read_bytes()]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def log(checkpoint):
    """The rows beside it, but for times."""
    path = checkpoint.with_suffix(".csv")
    return pd.read_csv(path).drop(columns=TIMED) if path.exists() else pd.DataFrame()


def same_weights(one, other):
    """Whether two checkpoints are equal, bit for bit."""
    ours, theirs = load_file(one), load_file(other)
    assert ours.keys() == theirs.keys()
    return all(torch.equal(ours[key], theirs[key]) for key in ours)
