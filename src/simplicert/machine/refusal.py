"""What several workers refuse is said once, by the process that launched them."""

import os
import time
from contextlib import suppress
from pathlib import Path

FILE = "SIMPLICERT_REFUSAL"
"""Environment variable of launched workers: a file for the first one's message."""

WAIT_SECONDS = 60.0
"""For another's message, which comes at once unless the machine is very busy."""


def was_launched_here() -> bool:
    """Whether ``launch_workers`` started this process."""
    return FILE in os.environ


def has_refused() -> bool:
    """Whether a worker of this launch refused; restarted, all would do so again."""
    return was_launched_here() and Path(os.environ[FILE]).exists()


def others_refuse() -> bool:
    """Whether another worker refuses: this one may have missed it before it said so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while was_launched_here() and time.monotonic() < deadline:
        if has_refused():
            return True
        time.sleep(0.1)
    return False


def hand_over(message: str) -> None:
    """Leave the message to the launcher, if no other worker has left one."""
    path = Path(os.environ[FILE])
    with (
        suppress(FileExistsError),
        path.open("x", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(message)
