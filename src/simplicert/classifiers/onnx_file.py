"""What an ONNX file is made of: its bytes, and the files that it keeps weights in."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from simplicert.errors import InputError

# Which fields of which protobuf message lead to tensors (onnx.proto).
_INSIDE = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        10: "tensor",
        6: "graph",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_FIXED = {1: 8, 5: 4}


def onnx_digest(path: Path) -> str:
    """SHA-256 of the file; and of those that it keeps weights in, if there are any.

    Raises:
        InputError: It is no ONNX file, or names something else than a regular file in
            its own folder.
    """
    content = path.read_bytes()
    try:
        names = sorted(set(_external(content)))
    except (ValueError, IndexError) as error:
        raise InputError(
            f"onnxruntime cannot load {path}: it is no ONNX file, or damaged"
        ) from error
    hashed = hashlib.sha256(content)
    for name in names:
        hashed.update(_file_digest(path, name))
    return hashed.hexdigest()


def _external(content: bytes) -> Iterator[str]:
    """The names of files that tensors are in; ``ValueError``: this is no ONNX."""
    todo = [("model", memoryview(content))]
    while todo:
        kind, message = todo.pop()
        if kind == "entry":  # of a dictionary of texts
            entry = dict(_fields(message))
            if bytes(entry.get(1, b"")) == b"location":
                yield bytes(entry.get(2, b"")).decode()
            continue
        for number, value in _fields(message):
            if number in _INSIDE[kind]:
                todo.append((_INSIDE[kind][number], value))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of each field that is a message or text."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        wire = key & 7
        if wire == 0:
            _, at = _number(message, at)
            continue
        if wire == 2:
            size, at = _number(message, at)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise ValueError(wire)
        if at + size > len(message):
            raise ValueError(size)
        if wire == 2:
            yield key >> 3, message[at : at + size]
        at += size


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if shift > 63:
            raise ValueError(shift)
    return value | message[at] << shift, at + 1


def _file_digest(path: Path, name: str) -> bytes:
    where = f"{path} keeps weights in {name!r}, which must be a file in its folder"
    parts = Path(name).parts
    if not name.isprintable() or not parts or ".." in parts or Path(name).is_absolute():
        raise InputError(f"{where}, named from there: not opened")
    try:
        # Not waiting for who might write to a pipe; what was opened is what is read.
        opened = os.open(path.parent / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise InputError(f"{where}, but is none: not read")
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise InputError(f"{where}: {error.strerror}") from error
