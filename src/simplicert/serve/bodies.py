"""What somebody sent → inputs, or one line about what is wrong with it."""

import base64
import binascii
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.lib import format as npy

from simplicert.data import Dataset
from simplicert.data.conversions import opened
from simplicert.data.cuts import Cut
from simplicert.data.encoded import CorruptImageError, Decoder
from simplicert.data.given import as_dataset, check_range
from simplicert.data.units import measured_in
from simplicert.errors import InputError
from simplicert.structured import parse_json
from simplicert.units import PIXELS, Unit

__all__ = ["ARRAYS", "IMAGES", "JSON", "Bodies", "UnknownBodyError", "kept_as"]

JSON, ARRAYS = "application/json", "application/x-npy"
IMAGES: Mapping[str, bytes] = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
"""What is read as an image, and how it begins."""

_MOST_PIXELS = 1 << 25
"""Of an image that is cut: decoded it takes 100 MB."""

_A_NUMBER = 32
"""Bytes of a number in JSON, at most, with what is around it."""

_LEAST = 1 << 16
_A_PHOTOGRAPH = 1 << 23

_NPY_VERSIONS: Mapping[tuple[int, int], Callable[..., Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


class UnknownBodyError(InputError):
    """A body of a kind that is not read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bodies:
    """Reads inputs of one shape.

    Attributes:
        like: A data set of such inputs, as they come.
        unit: What they are measured in then.
        cut: How photographs are cut to it, if they are.
        most: Inputs of a request.
    """

    like: Dataset
    unit: Unit = PIXELS
    cut: Cut | None = None
    most: int = 64

    @property
    def takes_images(self) -> bool:
        """Whether pictures can be inputs: grey or coloured ones, of pixels 0 to 1.

        Of a classifier that takes other values nobody knows what a pixel is to it.
        """
        shape = self.like.shape
        return len(shape) == 3 and shape[0] in {1, 3} and self._takes_pixels

    @cached_property
    def _takes_pixels(self) -> bool:
        if self._come_as != PIXELS:
            return False
        examples = self.like.read(np.arange(len(self.like)))
        return bool(PIXELS.contains(examples).all())

    @property
    def _come_as(self) -> Unit:
        """What the values in a body are: the unit's numbers, if it converts none."""
        return self.like.unit if self.unit.is_converted else self.unit

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of body that are read."""
        return (JSON, ARRAYS, *(IMAGES if self.takes_images else ()))

    @property
    def most_bytes(self) -> int:
        """Of a body: what so many inputs take as JSON, or as photographs."""
        values = self.most * math.prod(self.like.shape) * _A_NUMBER
        photographs = _A_PHOTOGRAPH if self.takes_images else 0
        return max(_LEAST, values, photographs)

    def read(self, content: bytes, kind: str) -> Float[np.ndarray, "inputs ..."]:
        """The inputs in a body, as they came; in the range of their unit.

        Args:
            content: The body.
            kind: What its header says that it is.

        Raises:
            UnknownBodyError: That is none of ``kinds``.
            InputError: It is not such inputs; says what it is.
        """
        kind = kind.partition(";")[0].strip().lower()
        if kind not in self.kinds:
            raise UnknownBodyError(
                f"a body of type {kind[:60] or 'unknown'!r} is not read: send "
                f"{', '.join(self.kinds)}, and say which in Content-Type"
            )
        if not content:
            raise InputError("the body is empty: it must hold an input")
        if kind == JSON:
            return self._checked(self._from_json(content))
        if kind == ARRAYS:
            return self._checked(self._from_npy(content))
        return self._checked(self._pictures([content]))

    def _from_json(self, content: bytes) -> np.ndarray:
        fields = parse_json(content, "the body")
        if not isinstance(fields, dict) or len(fields) != 1:
            raise InputError(
                'the body must be an object with "input", "inputs"'
                + (', "image" or "images"' if self.takes_images else "")
                + ", and nothing else"
            )
        [(name, given)] = fields.items()
        if name in {"image", "images"} and self.takes_images:
            several = given if name == "images" else [given]
            if not isinstance(several, list):
                raise InputError('"images" must be a list of images in base64')
            self._check_number(len(several))
            return self._pictures([_from_base64(each) for each in several])
        if name not in {"input", "inputs"}:
            raise InputError(f"the body has {name[:40]!r}, which is not known here")
        several = given if name == "inputs" else [given]
        if not isinstance(several, list):
            raise InputError('"inputs" must be a list of inputs')
        self._check_number(len(several))
        try:
            array = np.array(several)
        except ValueError:
            raise InputError(
                "the inputs are lists of unequal lengths: all must have shape "
                f"{self.like.shape}"
            ) from None
        if array.dtype.kind not in "iuf":
            raise InputError("the inputs must be nested lists of numbers, nothing else")
        return array.astype(np.float64)

    def _from_npy(self, content: bytes) -> np.ndarray:
        file = io.BytesIO(content)
        try:
            version = npy.read_magic(file)
            shape, fortran, dtype = _NPY_VERSIONS[version](file)
        except KeyError:
            raise InputError("the array is of a version of npy that is not read") from (
                None
            )
        except Exception as error:  # damaged bytes raise almost anything
            raise InputError(
                f"the body is no array as numpy.save writes it: {error}"
            ) from (error)
        if dtype.hasobject or dtype.kind not in "iuf":
            raise InputError(f"the array has numbers of type {dtype}: send float32")
        if min(shape, default=0) < 0:
            raise InputError(f"the array's header says {shape}, which is no shape")
        values = content[file.tell() :]
        if len(values) != math.prod(shape) * dtype.itemsize:
            raise InputError(
                f"the array's header says {shape} of {dtype}, and {len(values):,} "
                "bytes follow: it is cut short, or too long"
            )
        flat = np.frombuffer(values, dtype)
        array = flat.reshape(shape, order="F" if fortran else "C")
        if array.shape == self.like.shape:
            return array[None]
        return array

    def _pictures(self, several: list[bytes]) -> np.ndarray:
        """Decoded pictures, of which none is larger than it needs to be."""

        def locate(row: int) -> str:
            return f"image {row}"

        channels, *size = self.like.shape
        for row, content in enumerate(several):
            if not content.startswith((*IMAGES.values(),)):
                raise InputError(f"{locate(row)} is neither PNG nor JPEG")
            width, height = _size_of(content, locate(row))
            if self.cut is None and [height, width] != size:
                raise InputError(
                    f"{locate(row)} has {width} × {height} pixels, and inputs here "
                    f"have {size[1]} × {size[0]}: scale it as the model wants it"
                )
            if width * height > _MOST_PIXELS:
                raise InputError(
                    f"{locate(row)} has {width} × {height} pixels, more than "
                    f"{_MOST_PIXELS:,}: scale it down"
                )
            whole = [height, width] == size
            decode = Decoder(
                lambda at: several[at],
                locate,
                None if whole else self.cut,
                shape=self.like.shape,
                colour=channels == 3,
            )
            try:
                decoded = decode(np.array([row]))
            except CorruptImageError:
                raise _damaged(locate(row)) from None
            if row == 0:
                found = np.empty((len(several), *self.like.shape), np.float32)
            found[row] = decoded[0]
        return found

    def _check_number(self, inputs: int) -> None:
        if not 1 <= inputs <= self.most:
            raise InputError(
                f"a request has 1 to {self.most} inputs, and this one {inputs}"
            )

    def _checked(self, array: np.ndarray) -> np.ndarray:
        shape = self.like.shape
        if array.shape[1:] != shape:
            raise InputError(
                f"inputs here have shape {shape}, and these are of shape "
                f"{array.shape[1:]}: see what the model takes"
            )
        self._check_number(len(array))
        if array.dtype == np.uint8 and not self._takes_pixels:
            array = array.astype(np.float32)  # bytes are no pixels then, but numbers
        given = replace(
            as_dataset(array, None, name="the request"),
            unit=self._come_as,
            features=self.like.features,
        )
        rows = np.arange(len(array))
        dataset = measured_in(given, self.unit)
        check_range(dataset.read(rows), dataset, rows)
        exact = given.read(rows)
        kept = exact.astype(kept_as(self.like.shape), copy=False)
        if not np.array_equal(kept, exact):
            raise InputError(
                "these inputs have more digits than float32 holds, in which images are "
                "kept: send numbers of float32, so that those are certified that came"
            )
        return kept

    def numbers(self, values: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n ..."]:
        """The same inputs in the unit."""
        return self.unit.numbers(values)


def kept_as(shape: Sequence[int]) -> type[np.floating]:
    """In which precision inputs are kept: images in float32, as data sets have them."""
    return np.float32 if len(shape) == 3 else np.float64


def _from_base64(text: object) -> bytes:
    if not isinstance(text, str):
        raise InputError("an image in JSON is a text in base64")
    text = text.partition("base64,")[2] if text.startswith("data:image/") else text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            "an image in JSON is a text in base64, and this is none"
        ) from (None)


def _size_of(content: bytes, where: str) -> tuple[int, int]:
    try:
        with opened(content) as image:
            return image.size
    except Exception:  # noqa: BLE001 (damaged bytes raise almost anything)
        raise _damaged(where) from None


def _damaged(where: str) -> InputError:
    return InputError(
        f"{where} cannot be decoded: it is damaged, cut short, or has pixels of 16 bits"
    )
