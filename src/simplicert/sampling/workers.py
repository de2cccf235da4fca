"""Several processes on one run.

A worker takes every ``world``-th task of the run, writes its own parts and talks to
nobody, but waits for the first to start it.
"""

import time
from pathlib import Path

from simplicert.errors import InputError
from simplicert.votes import RunDirectory

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
