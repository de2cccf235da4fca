"""Files that are whole, or as they were."""

import glob
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

from simplicert.errors import InputError

_TEMPORARY = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path, whose file takes the place of ``path`` when the block ends.

    An exception, a crash or a full disk leaves what was there before. What nothing can
    replace, such as a pipe, is written as it is.

    Raises:
        OSError: It cannot be written; ``filename`` is ``path``.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()  # a link stays one
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if is_the_systems(error) and error.filename in {None, str(temporary)}:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """``content`` in a file, by ``replacing``."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def check_suffix(path: Path, suffixes: Iterable[str]) -> None:
    """Refuse a file name that does not say its format; before any work, if called so.

    Raises:
        InputError: It ends in none of ``suffixes``.
    """
    if path.suffix not in suffixes:
        raise InputError(
            f"cannot write {str(path)!r}: the name must end in one of "
            f"{', '.join(suffixes)}"
        )


def clear_leftovers(path: Path) -> None:
    """Remove what ``replacing`` left of this file where it was killed."""
    hexadecimals = "?" * 8
    for file in path.parent.glob(
        f".{glob.escape(path.name)}.{hexadecimals}{_TEMPORARY}"
    ):
        file.unlink(missing_ok=True)


def is_the_systems(error: Exception) -> TypeGuard[OSError]:
    """Whether it is the system's trouble (permissions, open files), not a file's.

    Of damaged bytes libraries raise an ``OSError``, too, but without a number.
    """
    return isinstance(error, OSError) and error.errno is not None


def sync_folder(folder: Path) -> None:
    """Make a rename durable, where the filesystem can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
