"""Folders of WAV files: SPLIT/CLASS/FILE, CLASS/FILE, or one folder without classes."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int64

from simplicert.data.dataset import Dataset
from simplicert.data.form import Form
from simplicert.data.sorted_files import FoundFiles, SortedFiles
from simplicert.errors import InputError
from simplicert.files import MOST, is_the_systems, opened, printable
from simplicert.units import Unit

__all__ = ["FULL_SCALE", "flat_sounds", "sounds"]

FULL_SCALE = Unit(name="full scale", low=-1.0, high=1.0)
"""What sounds are in: 1 is the loudest that their files can hold."""

_WIDEST = 4
_SOUNDS = SortedFiles(
    kind="sounds", one="a sound (.wav)", suffixes=lambda: frozenset({".wav"})
)


@dataclass(frozen=True)
class _Format:
    """What all sounds of a data set have in common."""

    channels: int
    frames: int
    rate: int

    def __str__(self) -> str:
        channels = f"{self.channels} channel{'s' * (self.channels > 1)}"
        return f"{self.frames:,} values of {channels} at {self.rate:,} Hz"


@dataclass(frozen=True, eq=False)
class _Reader:
    files: tuple[Path, ...]
    format: _Format

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows channels time"]:
        return np.stack([self._sound(self.files[row]) for row in rows.tolist()])

    def _sound(self, path: Path) -> Float32[np.ndarray, "channels time"]:
        format_, values = _read(path)
        _check_equal(path, format_, self.files[0], self.format)
        return values


def _open(path: Path, *, split: str) -> Dataset:
    """The sounds of one split; labels number the classes of all splits."""
    return _dataset(_SOUNDS.find(path, split=split))


def _open_flat(path: Path, *, split: str) -> Dataset:
    """The sounds of one folder, without labels."""
    return _dataset(_SOUNDS.find_flat(path, split=split))


def _dataset(found: FoundFiles) -> Dataset:
    first = _read(found.files[0], header=True)[0]
    for file in found.files[1:]:
        _check_equal(file, _read(file, header=True)[0], found.files[0], first)
    return Dataset(
        name=found.name,
        split=found.split,
        shape=(first.channels, first.frames),
        class_names=found.class_names,
        labels=found.labels,
        indices=np.arange(len(found.files)),
        reader=_Reader(found.files, first),
        fingerprint=found.fingerprint,
        notes=(*found.notes, f"sounds are {first}"),
        unit=FULL_SCALE,
        texts=_Names(found.files),
    )


@dataclass(frozen=True)
class _Names:
    files: tuple[Path, ...]

    def __call__(self, row: int) -> str:
        return printable(self.files[row].name)


def _check_equal(path: Path, format_: _Format, other: Path, usual: _Format) -> None:
    if format_ != usual:
        raise InputError(
            f"{printable(path)} has {format_}, and {printable(other.name)} has "
            f"{usual}: inputs are of one shape; cut or fill them to one length first, "
            "at one rate"
        )


def _read(
    path: Path, *, header: bool = False
) -> tuple[_Format, Float32[np.ndarray, "channels time"]]:
    """A sound in [-1, 1], or what its header says alone.

    Raises:
        InputError: It is no whole PCM file of 8, 16, 24 or 32 bits.
    """
    shown = printable(path)
    try:
        with opened(path) as file, wave.open(file, "rb") as sound:
            width, channels = sound.getsampwidth(), sound.getnchannels()
            format_ = _Format(channels, sound.getnframes(), sound.getframerate())
            needed = width * channels * format_.frames
            there = path.stat().st_size
            content = b""
            if not header and needed <= min(there, MOST):
                content = sound.readframes(format_.frames)
    except InputError:
        raise
    except (wave.Error, EOFError, OSError, ValueError, ArithmeticError) as error:
        if is_the_systems(error):
            raise
        raise InputError(
            f"{shown} is no whole WAV file of PCM ({error or 'it ends too early'}): "
            "convert it to 16 bits, or read it in FILE.py:NAME"
        ) from error
    if width > _WIDEST:
        raise InputError(
            f"{shown} has values of {8 * width} bits, and those of 8 to 32 are read: "
            "convert it to 16 bits"
        )
    if (
        not needed
        or needed > min(there, MOST)
        or (not header and len(content) < needed)
    ):
        raise InputError(
            f"{shown} should hold {needed:,} bytes of sound by its header, and has "
            f"{len(content) or there:,} in all: it is empty, cut short or damaged"
        )
    return format_, _values(content, width).reshape(-1, channels).T


def _values(content: bytes, width: int) -> Float32[np.ndarray, " values"]:
    """Little-endian PCM as numbers in [-1, 1): divided by the largest negative."""
    raw = np.frombuffer(content, np.uint8)
    if width == 1:  # the only width without a sign
        return ((raw.astype(np.float32) - 128) / 128).astype(np.float32)
    # In the upper bytes of 32 bits each, so that the sign is in its place.
    padded = np.zeros((len(raw) // width, 4), np.uint8)
    padded[:, 4 - width :] = raw.reshape(-1, width)
    whole = padded.view("<i4")[:, 0]
    return (whole.astype(np.float64) / 2**31).astype(np.float32)


sounds = Form(
    name="a folder of sounds",
    looks_for=_SOUNDS.layout,
    recognises=_SOUNDS.are_sorted,
    open=_open,
    lacks=_SOUNDS.lacks,
)

flat_sounds = Form(
    name="sounds in one folder",
    looks_for="a folder of .wav files, without folders in it",
    recognises=_SOUNDS.are_flat,
    open=_open_flat,
    below=False,
)
