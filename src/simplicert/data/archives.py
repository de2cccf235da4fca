"""Archives of arrays (``.npz``): each array looked at before it is unpacked."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from simplicert.data.room import check_room
from simplicert.errors import InputError
from simplicert.files import is_the_systems, opened

__all__ = ["array_of", "opened_archive"]


@contextmanager
def opened_archive(path: Path, advice: str) -> Iterator[Any]:
    """The archive; what damaged bytes raise while it is read is one line.

    Raises:
        InputError: It cannot be read; ``advice`` ends the line.
    """
    try:
        # A pickle inside could run code: allow_pickle stays False, its default.
        with opened(path) as file, np.load(file) as archive:
            yield archive
    except (MemoryError, InputError):
        raise
    except Exception as error:  # damaged bytes raise almost anything
        if is_the_systems(error):
            raise
        raise InputError(
            f"{path} cannot be read as plain arrays ({error}): {advice}"
        ) from error


def array_of(path: Path, archive: Any, key: str) -> np.ndarray:
    """One array, after its header was held against what is there and fits in here.

    Raises:
        InputError: It does not, or holds neither numbers nor text.
    """
    member = archive.zip.getinfo(key if key in archive.zip.namelist() else f"{key}.npy")
    with archive.zip.open(member) as file:
        old = npy.read_magic(file) == (1, 0)
        read = npy.read_array_header_1_0 if old else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        header = file.tell()
    if dtype.kind not in "biufUS":
        raise InputError(
            f"{path}: {key} holds {_kind_of(dtype)}: save arrays of numbers with "
            "np.savez"
        )
    needed = math.prod(shape) * dtype.itemsize
    if needed > member.file_size - header:
        raise InputError(
            f"{path}: {key} should have shape {shape} by its header, {needed:,} bytes, "
            f"and has {member.file_size - header:,}: it is cut short or damaged"
        )
    check_room(f"{path}: {key} of shape {shape}", needed)
    array: np.ndarray = archive[key]
    return array


def _kind_of(dtype: np.dtype[Any]) -> str:
    return "pickled objects" if dtype.hasobject else f"{dtype}, no real numbers"
