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
from typing import NoReturn

from simplicert.errors import InputError

PATIENCE_SECONDS = 2.0
"""Before giving up: ``is_held`` holds a file for a moment, to try it."""

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class Claims:
    """Numbers that one process has at a time, until it gives them back or ends.

    Byte n of a file is number n: its lock is the claim, and its value counts how often
    it was given back, modulo 256. Who finds it as it was when it looked at what the
    number stands for knows that nobody has had it since.

    Args:
        path: The file, which is made if it is not there. A process opens it once.
        most: How many numbers there are.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most = path, most
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def take(self, number: int) -> bool:
        """Have a number until it is given back, if nobody else does."""
        try:
            # A range of bytes, which flock has not.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            _refuse(error, self._path)
        return True

    def give_back(self, number: int) -> None:
        """Let others have it, who see that it was had."""
        count = self.counts()[number]
        os.pwrite(self._file, bytes([(count + 1) % 256]), number)
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def counts(self) -> bytes:
        """How often each number was given back."""
        return os.pread(self._file, self._most, 0).ljust(self._most, b"\0")

    def close(self) -> None:
        """Give back all that are had, uncounted."""
        os.close(self._file)


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
        _refuse(error, path)
    return True


def _refuse(error: OSError, path: Path) -> NoReturn:
    """Say of a disk without locks that it has none."""
    if error.errno not in _NO_LOCKS:
        raise error
    raise InputError(
        f"{path} cannot be locked, so that two processes could draw the same unseen "
        f"({error.strerror}): take another disk, or have this one mounted with locks "
        "(Lustre: -o flock)"
    ) from error
