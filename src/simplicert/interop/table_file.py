"""Any file that holds a table → the table; what it is, its first bytes say."""

import bz2
import errno
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.files import is_the_systems
from simplicert.interop.table import Table, shown
from simplicert.interop.table_json import expanded, json_table
from simplicert.interop.table_text import decoded, text_table

__all__ = ["read_table"]

_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_BINARY = (b"PAR1", b"PK\x03\x04", b"\x93NUMPY")
_MOST_TEXT = 2**28
"""Bytes: 50,000 images of 1,000 classes. A small packed file may claim any size."""


def read_table(path: Path) -> Table:
    """Read text, CSV, JSON, JSON lines, ``.npy``, ``.npz`` or Parquet, packed or not.

    Raises:
        InputError: The file is none of these, or damaged.
    """
    with path.open("rb") as opened:
        start = opened.read(6)
        opened.seek(0)
        for mark, unpack in _PACKED.items():
            if start.startswith(mark):
                with _damage_said(path), unpack(opened) as unpacked:
                    content = _content(unpacked, path)
                return _from_bytes(content, path)
        if start.startswith(_BINARY):
            return _from_binary(opened, start, path)
        return _from_bytes(_content(opened, path), path)


@contextmanager
def _damage_said(path: Path) -> Iterator[None]:
    """Whatever a library raises of damaged bytes is one line.

    Raises:
        InputError: That, in place of any error but the system's own.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # Of a wrong offset in a file the system says EINVAL.
        if is_the_systems(error) and error.errno != errno.EINVAL:
            raise
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise InputError(f"{path} cannot be read as a table ({reason})") from error


def _content(opened: Any, path: Path) -> bytes:
    content: bytes = opened.read(_MOST_TEXT + 1)
    if len(content) > _MOST_TEXT:
        raise InputError(
            f"{path} holds more than {_MOST_TEXT >> 20} MiB of text: store it as .npy, "
            ".npz or .parquet, or divide it"
        )
    return content


def _from_bytes(content: bytes, path: Path) -> Table:
    if content.startswith(_BINARY):
        return _from_binary(io.BytesIO(content), content[:6], path)
    text, notes = decoded(content, path)
    if text.lstrip()[:1] in ("{", "["):
        table = json_table(text, path)
    else:
        table = text_table(text, path)
    return replace(table, encoding=notes, notes=(*notes, *table.notes))


def _from_binary(opened: IO[bytes], start: bytes, path: Path) -> Table:
    if start.startswith(b"PAR1"):
        with _damage_said(path):
            frame = pd.read_parquet(opened)
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index(names=frame.index.name or "")
        frame.columns = frame.columns.map(str)
        return expanded(frame, path)
    with _damage_said(path):
        loaded = np.load(opened, allow_pickle=False)
        arrays = loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    if isinstance(arrays, dict):
        return _from_archive(arrays, path)
    return Table(path=path, frame=_matrix(arrays, path), named=False)


def _matrix(matrix: np.ndarray, path: Path) -> pd.DataFrame:
    if matrix.ndim != 2:
        raise InputError(
            f"{path} has shape {matrix.shape}, needs two axes: images and classes"
        )
    if matrix.dtype.names:
        raise InputError(f"{path} holds records: store plain numbers, or .csv")
    frame = pd.DataFrame(matrix)
    frame.columns = frame.columns.map(str)
    return frame


def _from_archive(arrays: dict[str, np.ndarray], path: Path) -> Table:
    """Vectors become columns; matrices ``NAME_0 …``, the counts alone ``0 …``."""
    if not all(isinstance(each, np.ndarray) for each in arrays.values()):
        raise InputError(f"{path} is an archive of other files: unpack it")
    many = [name for name, each in arrays.items() if each.ndim == 2]
    if "counts" in many:
        many = ["counts"]
    if not many and not any(each.ndim == 1 for each in arrays.values()):
        raise InputError(
            f"{path} holds {shown(arrays) or 'nothing'}: call the counts `counts`"
        )
    sizes = {len(arrays[name]) for name in many}
    frames, facts, left = [], {}, []
    for name, array in arrays.items():
        if name in many:
            frame = _matrix(array, path)
            if len(many) > 1:
                frame.columns = [f"{name}_{place}" for place in frame.columns]
            frames.append(frame)
        elif array.ndim == 1 and (not many or len(array) in sizes):
            frames.append(pd.DataFrame({name: array}))
        elif array.size == 1:
            facts[name] = frozenset([str(array.item())])
        elif name in ("label", "labels", "index"):
            raise InputError(f"{path}: {name} has shape {array.shape}, not one a row")
        else:
            left.append(name)
    if len({len(frame) for frame in frames}) > 1:
        shapes = ", ".join(f"{name} {each.shape}" for name, each in arrays.items())
        raise InputError(f"{path}: its arrays are not of one row an image: {shapes}")
    return Table(
        path=path,
        frame=pd.concat(frames, axis=1),
        stated=facts,
        notes=(f"arrays left out: {shown(left)}",) if left else (),
    )
