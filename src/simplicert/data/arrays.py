"""Inputs that are stored as plain arrays."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64, Real, Shaped


@dataclass(frozen=True, eq=False)
class ArrayReader:
    """Reads rows of an array of images.

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


@dataclass(frozen=True, eq=False)
class ValuesReader:
    """Reads rows of an array as they are.

    Attributes:
        values: The inputs; may be a file that is mapped into memory.
    """

    values: Shaped[np.ndarray, "inputs ..."]

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        """Inputs of these rows."""
        return floating(np.asarray(self.values[rows]))


def floating(values: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The same in float32 where that holds what was stored, else in float64.

    Of whole numbers those of up to 16 bits, or floats of up to 32.
    """
    exact = values.dtype.itemsize > (4 if values.dtype.kind == "f" else 2)
    return values.astype(np.float64 if exact else np.float32, order="C")


def dark(pixels: Real[np.ndarray, "images ..."], white: int = 255) -> tuple[str, ...]:
    """A word about images that are so dark that they may be on another scale."""
    if not pixels.size or pixels.max() >= white / 4:
        return ()
    return (f"no pixel is above {pixels.max():g} of {white}: is {white} its white?",)
