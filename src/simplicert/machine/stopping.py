"""One way to stop, whoever asks for it.

A time limit, ``scancel``, an evicted pod and a closed terminal send other signals than
Ctrl-C does. All of them mean: write what there is, and end.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""The exit code of a command that was stopped."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SAME_STOP_SECONDS = 2.0
"""A worker hears of one stop from Slurm or a terminal, and from its launcher again."""


@contextmanager
def stops_like_ctrl_c(*, to_the_end: bool = False) -> Iterator[None]:
    """In here every such signal is a ``KeyboardInterrupt``; the next ends at once.

    What the process was started to ignore, as by ``nohup``, it ignores.

    Args:
        to_the_end: The process ends after it; it takes a moment, in which a signal
            changes nothing about what was done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of signals
        return
    first: float | None = None

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if first is None:
            first = now
            raise KeyboardInterrupt
        if now - first > SAME_STOP_SECONDS:
            os._exit(INTERRUPTED)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_IGN if to_the_end else before[number])
