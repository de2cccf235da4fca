"""The one way to people: what commands print, on whatever they are connected to.

Answers go to standard output by :func:`say`, all else to standard error by
:func:`note`. Neither can end a command in the middle of its work: a reader that has
gone is no error, and what an encoding does not have is escaped.
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from simplicert.errors import InputError

__all__ = ["connected", "escaped", "note", "say"]

LONGEST, LONGEST_WORD = 2000, 400
"""Letters of a note, and of a name in it: more of them help nobody."""


def say(text: str = "", *, end: str = "\n") -> None:
    """Print an answer, to standard output.

    Raises:
        InputError: It cannot be written, for want of room.
    """
    print(escaped(text), end=end, flush=True)  # noqa: T201 (the only place)


def note(text: str) -> None:
    """Print one line beside the answer, to standard error; or to nobody."""
    words = (_shortened(word, LONGEST_WORD) for word in text.split())
    line = _shortened(" ".join(words), LONGEST)
    print(escaped(line), file=sys.stderr, flush=True)  # noqa: T201 (likewise)


def _shortened(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def escaped(text: str) -> str:
    r"""What a terminal would obey, rather than show, as Python writes it.

    Example:
        >>> escaped("\x1b]0;owned\x07.png")
        '\\x1b]0;owned\\x07.png'
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in "\n\t\u00a0"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


@contextmanager
def connected() -> Iterator[None]:
    """Standard streams that can be written to, for as long as a command runs.

    Closed ones lead nowhere, so that no other file gets their number; what libraries
    warn of is a note.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # the lowest number that is free is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    before = sys.stdout, sys.stderr
    out = _Stream(sys.stdout or os.fdopen(1, "w", closefd=False), "standard output")
    err = _Stream(sys.stderr or os.fdopen(2, "w", closefd=False), None)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    with warnings.catch_warnings():
        warnings.showwarning = _note_warning
        try:
            yield
        finally:
            with suppress(InputError):
                sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before


class _Stream:
    """A stream that takes everything, whether or not it still leads anywhere.

    Args:
        stream: The true one.
        name: What people miss where it is full; ``None`` if they do not.
    """

    def __init__(self, stream: Any, name: str | None) -> None:
        self._stream, self._name = stream, name
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            with suppress(OSError):  # it is no file; else, what is left goes nowhere
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)
            if self._name and not isinstance(error, BrokenPipeError):
                raise InputError(f"{self._name}: {error.strerror}") from error


def _note_warning(  # noqa: PLR0917 (its protocol)
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001 (likewise)
    line: str | None = None,  # noqa: ARG001 (likewise)
) -> None:
    note(f"warning: {message} ({category.__name__}, {Path(filename).name}:{lineno})")
