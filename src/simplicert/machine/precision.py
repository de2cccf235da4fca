"""Compute as the manifest says."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch
from torch.backends import cudnn

from simplicert.errors import InputError

_SETTING = RLock()
"""The settings are the process's: one thread at a time has them as it needs."""


@contextmanager
def as_recorded(device: torch.device) -> Iterator[None]:
    """Forward passes in here have the manifest's precision, and always the same one.

    Left alone, torch rounds what it convolves in float32 on a GPU to TF32, which has
    10 bits where float32 has 23, and cuDNN may choose how to compute by timing it. Its
    settings are put back afterwards.

    Raises:
        InputError: They are such that they cannot be put back.
    """
    with _SETTING:
        try:
            matmul, _ = torch.get_float32_matmul_precision(), cudnn.allow_tf32
        except RuntimeError as error:
            raise InputError(
                "the precision of torch's float32 operations was set one by one "
                "(fp32_precision), so that sampling cannot set it and put it back: use "
                "torch.set_float32_matmul_precision and torch.backends.cudnn.allow_tf32"
            ) from error
        settings = {"benchmark": False, "deterministic": True, "allow_tf32": False}
        try:
            if matmul != "highest":
                torch.set_float32_matmul_precision("highest")
            with (
                torch.autocast(device.type, enabled=False),
                cudnn.flags(enabled=cudnn.enabled, **settings),
            ):
                yield
        finally:
            if matmul != "highest":
                torch.set_float32_matmul_precision(matmul)
