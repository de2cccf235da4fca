"""Launched processes end with the one that launched them, however it ends.

Their standard input, which they inherit from each other, is a pipe. Only that process
holds its other end, which the system closes even after SIGKILL.
"""

import os
import signal
import time
from threading import Thread

from simplicert.machine.refusal import was_launched_here

GRACE_SECONDS = 40.0
"""To write what they have, which the launcher gives its workers 30 of."""


def end_with_parent() -> None:
    """From now on; does nothing in a process that was not launched here."""
    if was_launched_here():
        Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    while os.read(0, 1):
        pass
    # The processes that read its images, too. Their launcher has a group of its own.
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)
