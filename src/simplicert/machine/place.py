"""A process's place among those that torchrun started."""

import os


def share_of_this_process() -> tuple[int, int] | None:
    """``(rank, world)`` under torchrun, ``None`` elsewhere."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
