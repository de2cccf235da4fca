"""Many small pictures as one: a sprite sheet that the page cuts up again."""

import base64
import io
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageOps

from simplicert.errors import InputError

__all__ = ["LARGEST_SIDE", "sprite_sheet"]

LARGEST_SIDE = 64
"""Larger pictures are reduced to this many pixels: 1,000 of them stay under 3 MB."""

LOSSLESS_SIDE = 32
"""Up to here pixels are seen one by one, and so would be what compression does."""

AT_ONCE = 100
"""Full-size pictures in memory at the same time."""


def sprite_sheet(
    pictures: Callable[[np.ndarray], np.ndarray], indices: Int[np.ndarray, " images"]
) -> tuple[str, int]:
    """A ``data:`` URI of all pictures side by side, and how many there are in a row.

    Each gets a square. Three channels are shown in colour; any other number as the
    grey of their mean.

    Args:
        pictures: Dataset indices → images × channels × height × width, in [0, 1].
        indices: Which, and in which order.

    Raises:
        InputError: Pictures that are not finite, or of another shape.
    """
    parts = np.array_split(indices, math.ceil(len(indices) / AT_ONCE))
    tiles = np.stack(
        [_tile(image) for part in parts for image in _read(pictures, part)]
    )
    count, side = tiles.shape[:2]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = np.zeros((rows * columns, side, side, 3), dtype=np.uint8)
    padded[:count] = tiles
    grid = padded.reshape(rows, columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    sheet = Image.fromarray(grid.reshape(rows * side, columns * side, 3))
    file = io.BytesIO()
    sheet.save(file, "WEBP", lossless=side <= LOSSLESS_SIDE, quality=85)
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"data:image/webp;base64,{encoded}", columns


def _read(
    pictures: Callable[[np.ndarray], np.ndarray], indices: Int[np.ndarray, " images"]
) -> np.ndarray:
    images = pictures(indices)
    if images.ndim != 4 or len(images) != len(indices):
        raise InputError(
            f"pictures must be images × channels × height × width, one for each of "
            f"{len(indices)} images, got shape {images.shape}"
        )
    if not np.isfinite(images).all():
        raise InputError("the pictures hold values that are not finite")
    return images


def _tile(
    image: Float[np.ndarray, "channels height width"],
) -> UInt8[np.ndarray, "side side 3"]:
    coloured = image if len(image) == 3 else image.mean(axis=0)[None].repeat(3, axis=0)
    pixels = np.rint(255.0 * np.clip(coloured, 0.0, 1.0)).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    side = min(LARGEST_SIDE, max(picture.size))
    return np.asarray(ImageOps.pad(picture, (side, side)))
