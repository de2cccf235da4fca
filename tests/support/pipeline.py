"""A stand-in for the image processors of the libraries: Pillow and NumPy only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


@dataclass
class Pipeline:
    """A photograph → what the network gets, with settings and twists."""

    size: Any = 20
    resize: int = 25
    filter: int = Image.Resampling.BILINEAR
    stretch: bool = False
    pad: bool = False
    mean: Any = MEAN
    std: Any = STD
    times: int = 1
    twist: Any = None  # of the pixels in [0, 1], before they are normalised

    def __call__(self, image):
        if self.size is not None:
            short = min(image.size)
            side = [
                self.resize if self.stretch else int(self.resize * each / short)
                for each in image.size
            ]
            image = image.resize(side, self.filter)
            left, top = (round((each - self.size) / 2) for each in side)
            image = image.crop((left, top, left + self.size, top + self.size))
        if self.pad:
            image = image.resize((self.size, self.size - 4))
            image = image.crop((0, -2, self.size, self.size - 2))
        pixels = np.atleast_3d(np.asarray(image)).astype(np.float32) / 255
        if self.twist:
            pixels = self.twist(pixels)
        pixels = (pixels - np.float32(self.mean)) / np.float32(self.std)
        for _ in range(self.times - 1):
            pixels = pixels / np.float32(self.std)
        return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))
