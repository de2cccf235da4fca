"""Several processes on one job, which PyTorch's elastic launcher starts and restarts.

It is torchrun, here or under Slurm and Kubernetes; there is no other.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from simplicert.errors import InputError
from simplicert.machine.refusal import FILE as REFUSAL_FILE

MOST_WORKERS = 1024
"""On one machine."""

RESTARTS = 3
"""How often the workers are started again after one was lost."""


def share_of_this_process() -> tuple[int, int] | None:
    """``(rank, world)`` under torchrun, ``None`` elsewhere."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def threads_each(workers: int, threads: int | None) -> int | None:
    """Threads a worker: as asked, or the CPU divided among several.

    Raises:
        InputError: ``workers`` is not positive.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(
            f"processes must be at least 1 and at most {MOST_WORKERS}, got {workers}"
        )
    if threads is None and workers > 1:
        return max(1, torch.get_num_threads() // workers)
    return threads


def launch_workers(arguments: Sequence[str], *, workers: int, threads: int) -> None:
    """Run ``simplicert ARGUMENTS`` in several processes until all have finished.

    They never outlive this process. Where it is stopped they write what they have, and
    it waits for them; also where it is killed they do, if they can in some seconds.

    Raises:
        InputError: A worker refused its input, which it says here; or workers failed
            more often than they are restarted.
    """
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        # Without it a restart can hang on its own old rendezvous (pytorch #135712).
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        # Both warn of processes that are gone, of which the first says why it went.
        "LOGLEVEL": os.environ.get("LOGLEVEL", "ERROR"),
        "TORCH_CPP_LOG_LEVEL": os.environ.get("TORCH_CPP_LOG_LEVEL", "ERROR"),
    }
    command = [
        *(sys.executable, "-m", "simplicert.machine.launcher", "--standalone"),
        *(f"--nproc-per-node={workers}", f"--max-restarts={RESTARTS}"),
        *("-m", "simplicert", *arguments),
    ]
    with TemporaryDirectory(prefix="simplicert-") as folder:
        refusal = Path(folder, "refusal")
        environment[REFUSAL_FILE] = str(refusal)
        exit_code = _run(command, environment)
        if refusal.exists():
            raise InputError(refusal.read_text("utf-8"))
    if exit_code != 0:
        raise InputError(
            f"the workers stopped with exit code {exit_code}; their messages "
            "are above. What they flushed is kept: the same command goes on from there"
        )


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of a command that is stopped as this process is."""
    # In a session of its own a terminal's Ctrl-C reaches it once, from here; closed in
    # the end, its input is the lifeline.
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, start_new_session=True
    ) as launcher:
        try:
            return launcher.wait()
        except KeyboardInterrupt:
            launcher.terminate()
            launcher.wait()
            raise
