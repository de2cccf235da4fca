"""Several processes on one run.

A worker takes every ``world``-th task of the run, writes its own parts and talks to
nobody, but waits for the first to start it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from simplicert.errors import InputError
from simplicert.votes import Manifest, RunDirectory

START_SECONDS = 600.0
"""How long a worker waits for the first one to start the run."""


def wait_for_run(path: Path | str) -> None:
    """Wait until worker 0 has written the run's manifest.

    Raises:
        InputError: It has not in ten minutes.
    """
    deadline = time.monotonic() + START_SECONDS
    while RunDirectory.manifest_at(path) is None:
        if time.monotonic() > deadline:
            raise InputError(
                f"worker 0 did not start {path} in {START_SECONDS:.0f} s: is the "
                "directory on a disk that all workers share?"
            )
        time.sleep(0.2)


@contextmanager
def sole_writer(path: Path | str, plan: Manifest) -> Iterator[RunDirectory]:
    """Create the run, or continue it, while no other process draws into it.

    Raises:
        InputError: Another process holds it; ``path`` holds another run.
    """
    run = RunDirectory.open_or_create(path, plan)
    try:
        with FileLock(run.path / ".lock", timeout=0):
            run.set_damaged_aside()
            yield run
    except Timeout:
        raise InputError(
            f"another process is drawing into {path}: wait for it, or stop it first"
        ) from None
