"""Files: opened only where they are files, written whole or left as they were."""

import glob
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TypeGuard

from simplicert.errors import InputError

MOST = 2**30
"""Bytes that are read into memory at once, where nothing else is said."""

MANIFEST, PARTS, REPORTED = "manifest.json", "parts", "reported.parquet"
"""What a run is made of, and an imported log: results never take their places."""

_LONGEST_NAME = 200
"""Bytes that are kept of a name in a longer one; the system's limit is 255."""

_TEMPORARY = ".tmp"
_BYTES = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(128, 256)}
"""How Python stores bytes of a name that are no text, and how they are written."""

_UNLIKE_FILES = {
    stat.S_ISDIR: "directory",
    stat.S_ISFIFO: "pipe",
    stat.S_ISSOCK: "socket",
    stat.S_ISCHR: "device",
    stat.S_ISBLK: "device",
}


def regular(path: Path) -> Path:
    """The same path, of an ordinary file: one that ends, and for which none waits.

    Raises:
        InputError: It is a directory, a pipe, a socket or a device, or no path at all.
        OSError: There is nothing, or nothing that may be seen.
    """
    what = _unlike_a_file(path)
    if what is not None:
        raise InputError(f"{path} is a {what}, and not a file")
    return path


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """An ordinary file, for reading: of any name, which not all libraries can open.

    Raises:
        InputError: As ``regular``.
        OSError: It cannot be opened.
    """
    with regular(path).open("rb") as file:
        yield file


def read_bytes(path: Path, *, most: int = MOST) -> bytes:
    """All of an ordinary file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        InputError: As ``regular``; it is larger.
        OSError: It cannot be read.
    """
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InputError(
            f"{path} is larger than {most:,} bytes, the most that is read of such a "
            "file"
        )
    return content


def printable(path: Path | str) -> str:
    r"""A path as text that can be stored and sent: bytes that are no UTF-8 are escaped.

    Example:
        >>> printable("caf\udce9/run")
        'caf\\xe9/run'
    """
    return str(path).translate(_BYTES).encode(errors="backslashreplace").decode()


def check_name(path: Path) -> None:
    """Refuse to write what cannot be named in other files; before any work.

    Raises:
        InputError: Its name is not UTF-8.
    """
    if printable(path) != str(path):
        raise InputError(
            f"cannot write {printable(path)}: its name is not UTF-8. Choose another"
        )


def check_result(path: Path) -> None:
    """Refuse to write where evidence lies, or what ``check_name`` refuses.

    Raises:
        InputError: It is a run's manifest, an imported log, or among a run's parts; or
            ``check_name``.
    """
    check_name(path)
    with suppress(OSError):
        _unlike_a_file(path)  # or no name at all
    real = Path(os.path.realpath(path))
    folder = real.parent
    if (real.name in (MANIFEST, REPORTED) and os.path.lexists(real)) or (
        folder.name == PARTS and os.path.lexists(folder.with_name(MANIFEST))
    ):
        raise InputError(
            f"cannot write {path}: the evidence of a run lies there, and results never "
            "take its place. Choose another name"
        )


def check_folder(path: Path) -> None:
    """Refuse a directory that cannot be made; before any work.

    Raises:
        InputError: It, or one that it is to be in, is something else, or may not be
            written into; or ``check_result``.
        OSError: It has a name that is none.
    """
    check_result(path)
    for there in (path, *path.absolute().parents):
        with suppress(FileNotFoundError, NotADirectoryError):
            there.lstat()  # a name that is too long is an error
            break
    if not there.is_dir():
        raise InputError(f"{there} is no directory: name one to write into")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"nothing may be written into {there}")


@contextmanager
def replacing(path: Path, *, evidence: bool = False) -> Iterator[Path]:
    """A temporary path, whose file takes the place of ``path`` when the block ends.

    An exception, a crash or a full disk leaves what was there before. A device, which
    nothing can replace, is written as it is.

    Args:
        path: The file.
        evidence: It is a run's own.

    Raises:
        InputError: It is a directory, or a pipe or a socket, which may wait for ever;
            or ``check_result``.
        OSError: It cannot be written; ``filename`` is ``path``.
    """
    check_name(path) if evidence else check_result(path)
    what = None
    with suppress(FileNotFoundError):
        what = _unlike_a_file(path)
    if what == "device":
        yield path
        return
    if what is not None:
        raise InputError(f"cannot write {path}: it is a {what}, and not a file")
    real = Path(os.path.realpath(path))  # a link stays one
    unique = f"{secrets.token_hex(4)}{_TEMPORARY}"
    temporary = real.with_name(f".{short_name(real.name)}.{unique}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(real)
    except OSError as error:
        if is_the_systems(error):
            if str(error.filename or temporary) == str(temporary):
                error.filename = str(path)
            error.strerror = os.strerror(error.errno or 0)  # Arrow's text names it, too
        raise
    finally:
        with suppress(OSError):  # of a disk that may only be read, for one
            temporary.unlink()
    sync_folder(real.parent)


def write_whole(path: Path, content: bytes) -> None:
    """``content`` in a file, by ``replacing``."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def check_suffix(path: Path, suffixes: Iterable[str]) -> None:
    """Refuse a file name that does not say its format; before any work, if called so.

    Raises:
        InputError: It ends in none of ``suffixes``; or ``check_result``.
    """
    check_result(path)
    if path.suffix not in suffixes:
        raise InputError(
            f"cannot write {str(path)!r}: the name must end in one of "
            f"{', '.join(suffixes)}"
        )


def short_name(name: str) -> str:
    """A name with room for more beside it; of other names others."""
    stored = os.fsencode(name)
    if len(stored) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(stored).hexdigest()[:16]
    return f"{stored[:_LONGEST_NAME].decode(errors='ignore')}-{digest}"


@contextmanager
def errors_name(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """What the system refuses is said of ``path``, which people know.

    Args:
        path: What is written in here.
        temporary: Where it is until it is whole.
    """
    try:
        yield
    except OSError as error:
        ours = str(temporary or path)
        if is_the_systems(error) and str(error.filename or ours).startswith(ours):
            error.filename, error.filename2 = str(path), None
        raise


def clear_leftovers(path: Path) -> None:
    """Remove what ``replacing`` left of this file where it was killed."""
    hexadecimals = "?" * 8
    for file in path.parent.glob(
        f".{glob.escape(short_name(path.name))}.{hexadecimals}{_TEMPORARY}"
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


def _unlike_a_file(path: Path) -> str | None:
    """What is there, if it is no ordinary file."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:  # a character that no name can have
        raise InputError(f"{str(path)!r} is no file's name") from error
    return next((what for is_, what in _UNLIKE_FILES.items() if is_(mode)), None)
