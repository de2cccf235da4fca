"""Images that are stored encoded (JPEG, PNG): decoded when they are read."""

import errno
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from simplicert.data.conversions import conversions, is_grey, opened, said
from simplicert.data.cuts import LARGEST_SIZE, Cut, PublishedCut, RandomCut, read_cut
from simplicert.data.dataset import Dataset
from simplicert.errors import InputError
from simplicert.files import is_the_systems

_MOST_PIXELS = 4 * LARGEST_SIZE**2  # of an image scaled to be cut
# The headers of so many images are read, of large ones fewer, in so many runs of
# neighbours: of Parquet files a row group is read for each run.
_MOST_LOOKED_AT, _LEAST_LOOKED_AT, _BYTES_LOOKED_AT, _RUNS = 2000, 100, 64 << 20, 10
_ADDRESS = re.compile(r" ?<[^<>]* at 0x[0-9a-f]+>")


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
        notes: What was left out or supposed in finding them.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    labels: Int64[np.ndarray, " images"] | None
    rows: int
    fetch: Fetch
    locate: Callable[[int], str]
    fingerprint: Callable[[], str]
    notes: tuple[str, ...] = ()


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
            they are: all must have the shape of the first, and are read in colour if
            one of those looked at is in colour.
        always: Cut them even if the first is such a square already.
        corrupt: ``"refuse"``: reading an image that cannot be decoded is an error.
            ``"skip"``: every image is decoded now, once, and those are left out.

    Raises:
        InputError: If no image can be decoded.
    """
    decode = Decoder(source.fetch, source.locate, cut if always else None)
    decode, notes = _looked_at(decode, source.rows, all_of_them=corrupt == "skip")
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
        first = f". The first: {skipped[0]}" if skipped else ""
        raise InputError(
            f"{source.name}: none of the {source.rows} images of split "
            f"{source.split!r} can be decoded{first}"
        )
    if isinstance(cut, PublishedCut) and decode.cut is None and cut.resize > cut.size:
        notes += (
            f"images are squares of {cut.size} already, so they are not cut; with the "
            f"option size they are: {cut}",
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
        notes=(*source.notes, *notes),
        cut=None if decode.cut is None else str(decode.cut),
    )


def _looked_at(
    decode: "Decoder", rows: int, *, all_of_them: bool
) -> tuple["Decoder", tuple[str, ...]]:
    """The decoder that reads all in colour if one is, and what it will convert.

    Only headers are read, all of them or in runs of neighbours all over the rows. What
    cannot be opened says so when it is decoded.
    """
    looked = np.arange(rows) if all_of_them else _spread(decode, rows)
    counted: Counter[str] = Counter()
    grey = coloured = 0
    for row in looked.tolist():
        with suppress(InputError), decode.opened(row) as image:
            counted.update(conversions(image))
            grey += is_grey(image)
            coloured += not is_grey(image)
    if grey and (coloured or decode.cut is not None):
        counted["grey read in colour"] = grey
    colour = coloured > 0
    return replace(decode, colour=colour), said(counted, grey + coloured)


def _spread(decode: "Decoder", rows: int) -> Int64[np.ndarray, " looked"]:
    wanted = _LEAST_LOOKED_AT
    with suppress(Exception):  # whatever it is, it is said when it is decoded
        each = len(decode.fetch(0) or b"?")
        wanted = min(max(_BYTES_LOOKED_AT // each, wanted), _MOST_LOOKED_AT)
    if rows <= wanted:
        return np.arange(rows)
    run = np.arange(wanted // _RUNS)
    starts = np.linspace(0, rows - len(run), _RUNS).astype(np.int64)
    return np.unique(starts[:, None] + run)


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
        colour: Whether grey images become coloured ones.
    """

    fetch: Fetch
    locate: Callable[[int], str]
    cut: Cut | None
    shape: tuple[int, ...] = ()
    colour: bool = False

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
        with self.opened(row) as image:
            pixels = self._pixels(image, row)
        if self.shape and pixels.shape != self.shape:
            remedy = "give a size to cut all images to"
            if pixels.shape[1:] == self.shape[1:]:  # too late to read all in colour
                remedy = "make all images grey, or all coloured"
            raise InputError(
                f"{self.locate(row)} has shape {pixels.shape}, others have "
                f"{self.shape}: {remedy}"
            )
        return pixels

    @contextmanager
    def opened(self, row: int) -> Iterator[Image.Image]:
        """One image that is not decoded yet; names it in what its bytes raise.

        Raises:
            CorruptImageError: If it cannot be decoded, here or by the caller.
            InputError: If its pixels are not bytes.
        """
        try:
            content = self.fetch(row)
            if not content:
                raise CorruptImageError(f"{self.locate(row)} is empty")
            with opened(content) as image:
                if image.mode[0] in "IF":
                    raise InputError(
                        f"{self.locate(row)} has pixels of 16 bits or more (Pillow's "
                        f"mode {image.mode!r}), whose range is unknown: convert it to 8"
                    )
                yield image
        except (InputError, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise CorruptImageError(
                f"{self.locate(row)} cannot be decoded here ({error}): "
                "scale it down, or choose to skip corrupt images"
            ) from error
        except Exception as error:  # damaged bytes raise almost anything
            if is_the_systems(error) and error.errno != errno.ENOENT:
                raise
            what = _ADDRESS.sub("", str(error))  # the same words every time
            raise CorruptImageError(
                f"{self.locate(row)} cannot be decoded ({what}): it is damaged, cut "
                "short or missing. Replace it, or choose to skip corrupt images"
            ) from error

    def _pixels(
        self, image: Image.Image, row: int
    ) -> UInt8[np.ndarray, "channels height width"]:
        if self.cut is not None:
            longer, shorter = max(image.size), min(image.size)
            if 2 * self.cut.size**2 * longer > _MOST_PIXELS * shorter:
                raise CorruptImageError(
                    f"{self.locate(row)} has {image.width} × {image.height} pixels, "
                    f"too long and narrow to be scaled to squares of {self.cut.size}: "
                    "cut it first, or choose to skip corrupt images"
                )
            image = self.cut(image.convert("RGB"), row)
        if is_grey(image) and not self.colour:
            return np.asarray(image.convert("L"))[None]
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


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
