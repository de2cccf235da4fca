"""Images that are stored encoded (JPEG, PNG): decoded when they are read."""

import errno
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from simplicert.data.cuts import Cut, RandomCut, read_cut
from simplicert.data.dataset import Dataset
from simplicert.errors import InputError
from simplicert.files import is_the_systems


@runtime_checkable
class Fetch(Protocol):
    """Gets the stored bytes of an image; None if there are none. Can be pickled."""

    def __call__(self, row: int) -> bytes | None:
        """The bytes of this row of the source."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedImages:
    """A source of encoded images, before any is decoded.

    Attributes:
        name: Name of the dataset.
        split: Part of it.
        class_names: One name a class.
        labels: One class an image, or None.
        rows: Number of images.
        fetch: Gets an image's bytes.
        locate: Says where an image is stored, for messages. Can be pickled.
        fingerprint: Computes the digest of all files.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    labels: Int64[np.ndarray, " images"] | None
    rows: int
    fetch: Fetch
    locate: Callable[[int], str]
    fingerprint: Callable[[], str]


def decoded(
    source: EncodedImages,
    *,
    cut: Cut | None,
    always: bool,
    corrupt: Literal["refuse", "skip"],
) -> Dataset:
    """The dataset that decodes a source's images when they are read.

    Args:
        source: The encoded images.
        cut: How to cut every image, in colour, to a square. None takes the images as
            they are: all must have the first one's shape.
        always: Cut them even if the first is such a square already.
        corrupt: ``"refuse"``: reading an image that cannot be decoded is an error.
            ``"skip"``: every image is decoded now, once, and those are left out.

    Raises:
        InputError: If no image can be decoded.
    """
    decode = Decoder(source.fetch, source.locate, cut if always else None)
    skipped: list[str] = []
    kept: list[int] = []
    for row in range(source.rows if corrupt == "skip" else min(source.rows, 1)):
        try:
            shape = decode.image(row).shape
            kept.append(row)
        except CorruptImageError as error:
            if corrupt == "refuse":
                raise
            skipped.append(str(error))
            continue
        if not decode.shape and cut is not None and shape[1:] != (cut.size, cut.size):
            decode, shape = replace(decode, cut=cut), (3, cut.size, cut.size)
        decode = replace(decode, shape=shape)
    if not decode.shape:
        raise InputError(
            f"{source.name}: none of the {source.rows} images of split "
            f"{source.split!r} can be decoded"
        )
    rows = np.array(kept) if corrupt == "skip" else np.arange(source.rows)
    channels, height, width = decode.shape
    return Dataset(
        name=source.name,
        split=source.split,
        shape=(channels, height, width),
        class_names=source.class_names,
        labels=None if source.labels is None else source.labels[rows],
        indices=rows.astype(np.int64),
        reader=decode,
        fingerprint=source.fingerprint,
        skipped=tuple(skipped),
        cut=None if decode.cut is None else str(decode.cut),
    )


class CorruptImageError(InputError):
    """An image that cannot be decoded."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """Reads encoded images as arrays in [0, 1].

    Attributes:
        fetch: Gets an image's bytes.
        locate: Says where an image is stored.
        cut: How to cut squares, in colour, or None for images as they are.
        shape: What every image must be; empty while that is not known.
    """

    fetch: Fetch
    locate: Callable[[int], str]
    cut: Cut | None
    shape: tuple[int, ...] = ()

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float32[np.ndarray, "rows channels height width"]:
        """Images of these rows."""
        images = np.stack([self.image(int(row)) for row in rows])
        return images.astype(np.float32) / 255

    def image(self, row: int) -> UInt8[np.ndarray, "channels height width"]:
        """One image.

        Raises:
            CorruptImageError: If it cannot be decoded.
            InputError: If it is of another shape, or its pixels are not bytes.
        """
        try:
            pixels = self._decoded(row)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # damaged bytes raise almost anything
            if is_the_systems(error) and error.errno != errno.ENOENT:
                raise
            raise CorruptImageError(
                f"{self.locate(row)} cannot be decoded ({error}): it is damaged, cut "
                "short or missing. Replace it, or choose to skip corrupt images"
            ) from error
        if self.shape and pixels.shape != self.shape:
            raise InputError(
                f"{self.locate(row)} has shape {pixels.shape}, others have "
                f"{self.shape}: give a size to cut all images to"
            )
        return pixels

    def _decoded(self, row: int) -> UInt8[np.ndarray, "channels height width"]:
        content = self.fetch(row)
        if not content:
            raise CorruptImageError(f"{self.locate(row)} is empty")
        with Image.open(io.BytesIO(content)) as image:
            if image.mode[0] in "IF":
                raise InputError(
                    f"{self.locate(row)} has pixels of 16 bits or more (Pillow's mode "
                    f"{image.mode!r}), whose range is unknown: convert it to 8"
                )
            if self.cut is None:
                return _pixels(image)
            return _pixels(self.cut(image.convert("RGB"), row))


def with_cut(dataset: Dataset, words: str | None) -> Dataset:
    """The same dataset, cut as a run says that it was, if its images are encoded."""
    reader = dataset.reader
    if words in {None, dataset.cut} or not isinstance(reader, Decoder):
        return dataset
    cut = read_cut(str(words))
    shape = (3, cut.size, cut.size)
    reader = replace(reader, cut=cut, shape=shape)
    return replace(dataset, reader=reader, shape=shape, cut=words)


def with_random_cuts(dataset: Dataset, *, seed: int) -> Dataset:
    """The same dataset, cut at random instead of at the centre; see ``RandomCut``.

    Raises:
        InputError: If its images are not cut at all.
    """
    reader = dataset.reader
    if not isinstance(reader, Decoder) or reader.cut is None:
        raise InputError(
            f"dataset {dataset.name!r} is not read as squares cut out of encoded "
            "images, so they cannot be cut at random: give a size"
        )
    cut = RandomCut(reader.cut.size, seed)
    return replace(dataset, reader=replace(reader, cut=cut), cut=str(cut))


def _pixels(image: Image.Image) -> UInt8[np.ndarray, "channels height width"]:
    if image.mode in {"1", "L"}:
        return np.asarray(image.convert("L"))[None]
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
