"""Files that one process holds at a time, on one machine or on a disk that many share.

The system lets go of them when their process ends, however it ends.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simplicert.errors import InputError

PATIENCE_SECONDS = 2.0
"""Before giving up: ``is_held`` holds a file for a moment, to try it."""

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class HeldError(InputError):
    """Another process holds the file."""


@contextmanager
def held(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a file, which is made if it is not there.

    Args:
        path: The file.
        shared: Together with others that hold it so; else alone.

    Raises:
        HeldError: Another process holds it.
        InputError: Its disk has no locks.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + PATIENCE_SECONDS
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while not _take(file, kind, path):
            if time.monotonic() > deadline:
                raise HeldError(f"another process holds {path}")
            time.sleep(0.05)
        yield
    finally:
        os.close(file)


def is_held(path: Path) -> bool:
    """Whether some process holds the file, in whatever way; tried, without waiting."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        # Somebody else's, perhaps, or their disk: a reader can try it as well.
        file = os.open(path, os.O_RDONLY)
    try:
        return not _take(file, fcntl.LOCK_EX, path)
    finally:
        os.close(file)


def _take(file: int, kind: int, path: Path) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise InputError(
            f"{path} cannot be locked, so that two processes could draw the same "
            f"unseen ({error.strerror}): take another disk, or have this one mounted "
            "with locks (Lustre: -o flock)"
        ) from error
    return True
