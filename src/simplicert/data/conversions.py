"""What Pillow does to an image on the way to bytes in grey or colour, in words."""

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from PIL import ExifTags, Image

# Read by other programs (EPS by Ghostscript, which runs what is in the file), or not
# at all.
_NOT_OURS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
_GREY = {"1", "L"}
_SIXTEEN_BITS = re.compile(r";16|, 65535\)")


@cache
def _forms() -> tuple[str, ...]:
    Image.init()
    return tuple(form for form in Image.OPEN if form not in _NOT_OURS)


@cache
def image_suffixes() -> frozenset[str]:
    """The ends of the names of the files that are read as images, in small letters."""
    forms = _forms()
    extensions = Image.registered_extensions().items()
    return frozenset(suffix for suffix, form in extensions if form in forms)


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """The image in these bytes, which need not be decoded yet.

    Pillow's warnings are about what it reads all the same, or refuses later.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), "r", _forms()) as image:
            yield image


def is_grey(image: Image.Image) -> bool:
    """Whether one value a pixel is all that there is."""
    return image.mode in _GREY


def conversions(image: Image.Image) -> Iterator[str]:
    """What is not kept as it is stored; of the header alone, before decoding."""
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        yield "transparency dropped"
    if image.mode in {"P", "PA"}:
        yield "colours looked up in a palette"
    if image.mode in {"CMYK", "YCbCr", "LAB", "HSV"}:
        yield f"{image.mode} converted to RGB"
    if _SIXTEEN_BITS.search(str(getattr(image, "tile", ""))):
        yield "16 bits reduced to 8"
    if getattr(image, "is_animated", False):
        yield "only the first of several pictures read"
    if len(image.info.get("sizes", ())) > 1:
        yield "only the largest of several sizes read"
    if _turned(image):
        done = "applied" if image.format == "TIFF" else "ignored"  # as Pillow has it
        yield f"the camera's orientation {done}"


def _turned(image: Image.Image) -> bool:
    if image.format != "TIFF" and "exif" not in image.info:
        return False  # a PNG without it would be decoded to look further
    try:
        return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    except Exception:  # noqa: BLE001 (damaged bytes raise almost anything)
        return False


def said(counted: Counter[str], looked_at: int) -> tuple[str, ...]:
    """One line for all that was counted in so many images."""
    if not counted:
        return ()
    each = ", ".join(f"{what} ({number})" for what, number in counted.items())
    return (f"converted, of {looked_at:,} images looked at: {each}",)
