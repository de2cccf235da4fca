"""Small datasets decoded once, so that each pass over them is free."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from simplicert.data.dataset import Dataset
from simplicert.data.encoded import Decoder


def keep_in_memory(dataset: Dataset, *, limit: int = 1 << 30) -> Dataset:
    """The same dataset with its encoded images decoded now, a byte a value.

    Left as it is if it is not encoded, or would take more than ``limit`` bytes.

    Raises:
        InputError: If an image cannot be decoded.
    """
    reader = dataset.reader
    if not isinstance(reader, Decoder):
        return dataset
    if len(dataset) * np.prod(dataset.shape) > limit:
        return dataset
    rows = np.unique(dataset.indices)
    pixels = np.stack([reader.image(int(row)) for row in rows])
    return replace(dataset, reader=_Decoded(rows, pixels))


@dataclass(frozen=True, eq=False)
class _Decoded:
    rows: Int64[np.ndarray, " images"]  # rising
    pixels: UInt8[np.ndarray, "images channels height width"]

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float32[np.ndarray, "rows channels height width"]:
        pixels = self.pixels[np.searchsorted(self.rows, rows)]
        return pixels.astype(np.float32) / 255
