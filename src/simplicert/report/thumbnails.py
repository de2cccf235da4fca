"""Many small pictures as one: a sprite sheet that the page cuts up again."""

import base64
import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from simplicert.errors import InputError

__all__ = ["LARGEST_SIDE", "sprite_sheet"]

LARGEST_SIDE = 64
"""Larger pictures are reduced to this many pixels: 1,000 of them stay under 3 MB."""

LOSSLESS_SIDE = 32
"""Up to here a pixel is visible, so that compression would be too."""


def sprite_sheet(
    images: Float[np.ndarray, "images channels height width"],
) -> tuple[str, int]:
    """A ``data:`` URI of all images side by side, and how many there are in a row.

    Three channels are shown in colour; any other number as the grey of their mean.

    Raises:
        InputError: Images that are not finite.
    """
    if not np.isfinite(images).all():
        raise InputError("the pictures hold values that are not finite")
    tiles = np.stack([_tile(image) for image in images])
    count, height, width, _ = tiles.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = np.zeros((rows * columns, height, width, 3), dtype=np.uint8)
    padded[:count] = tiles
    sheet = padded.reshape(rows, columns, height, width, 3)
    joined = sheet.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    file = io.BytesIO()
    lossless = max(images.shape[2:]) <= LOSSLESS_SIDE
    Image.fromarray(joined).save(file, "WEBP", lossless=lossless, quality=85)
    return (
        f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}",
        columns,
    )


def _tile(
    image: Float[np.ndarray, "channels height width"],
) -> UInt8[np.ndarray, "side side 3"]:
    coloured = image if len(image) == 3 else image.mean(axis=0, keepdims=True)
    pixels = np.rint(255.0 * np.clip(coloured, 0.0, 1.0)).astype(np.uint8)
    picture = Image.fromarray(
        np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0).copy()
    )
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)
