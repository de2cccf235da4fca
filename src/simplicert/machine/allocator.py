"""Keep freed activations in the process."""

import ctypes
import sys
from functools import cache

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


@cache
def keep_freed_memory() -> bool:
    """Tell glibc not to hand large freed buffers back to the kernel.

    By default every activation of every batch is mapped, zeroed page by page and
    unmapped again, which costs a CPU forward pass up to two thirds of its speed
    (``benchmarks/sampling.py``). Affects the whole process. Does nothing where the
    C library is not glibc.

    Returns:
        Whether the allocator took the settings.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    wanted = {_MMAP_THRESHOLD: 1 << 30, _TRIM_THRESHOLD: 1 << 30, _TOP_PAD: 64 << 20}
    return all(bool(mallopt(name, value)) for name, value in wanted.items())
