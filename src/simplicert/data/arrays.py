"""Images that are stored as plain arrays."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, Real


@dataclass(frozen=True, eq=False)
class ArrayReader:
    """Reads rows of an array.

    Attributes:
        pixels: The images.
        white: The value that stands for 1.
    """

    pixels: Real[np.ndarray, "images channels height width"]
    white: int = 255

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float32[np.ndarray, "rows channels height width"]:
        """Images of these rows, in [0, 1]."""
        images: np.ndarray = self.pixels[rows].astype(np.float32) / self.white
        return images


def dark(pixels: Real[np.ndarray, "images ..."], white: int = 255) -> tuple[str, ...]:
    """A word about images that are so dark that they may be on another scale."""
    if not pixels.size or pixels.max() >= white / 4:
        return ()
    return (f"no pixel is above {pixels.max():g} of {white}: is {white} its white?",)
