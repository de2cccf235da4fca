"""Where torch computes: a device, and a number of CPU threads."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from simplicert.arguments import checked_threads
from simplicert.errors import InputError

# In plain RuntimeErrors: on a CPU, in CUDA's libraries, in other runtimes.
_NO_MEMORY = (
    "not enough memory|can't allocate memory|out of memory|ALLOC_FAILED|"
    "Failed to allocate memory|bad_alloc"
)


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""By the names of precisions in recipes and manifests."""


def usable_device(name: str | None) -> torch.device:
    """The device asked for; by default a GPU if there is one.

    Under torchrun ``cuda`` is this process's own.

    Raises:
        InputError: If it cannot be used.
    """
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        if name == "cuda":
            local = int(os.environ.get("LOCAL_RANK", "0"))
            name = f"cuda:{local % max(1, torch.cuda.device_count())}"
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # "meta" has no numbers
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {name!r} cannot be used: {str(error).splitlines()[0]}"
        ) from error
    return device


def is_lack_of_memory(error: Exception) -> bool:
    """Whether an error says so, which torch does in several ways."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or bool(
        re.search(_NO_MEMORY, str(error))
    )


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Use this many CPU threads; 0 or None for as many as there are.

    Raises:
        InputError: More than a machine has; torch would start them.
    """
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(checked_threads(count) if count else before)
        yield
    finally:
        torch.set_num_threads(before)
