"""How much memory there is, asked before much of it is taken."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["free_memory"]


def free_memory() -> float:
    """Bytes that can be taken, as far as the system says; infinity if it does not.

    Example:
        >>> free_memory() > 0
        True
    """
    found = [float("inf")]
    with suppress(OSError, ValueError):  # of a container; "max" is no limit
        found.append(float(int(Path("/sys/fs/cgroup/memory.max").read_text())))
    with suppress(OSError, ValueError, AttributeError):  # what is built in
        found.append(float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
    with suppress(OSError, ValueError, KeyError):  # Linux
        fields = dict(
            line.split(":", 1)
            for line in Path("/proc/meminfo").read_text().splitlines()
        )
        found.append(int(fields["MemAvailable"].split()[0]) * 1024.0)
    return min(found)
