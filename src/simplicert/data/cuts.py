"""Squares cut out of photographs of any size."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image

_BILINEAR = Image.Resampling.BILINEAR


@runtime_checkable
class Cut(Protocol):
    """A way to cut a square out of an image."""

    size: int

    def __call__(self, image: Image.Image, row: int) -> Image.Image:
        """A square of side ``size``; ``row`` is the image's row in its source."""


@dataclass
class CentreCut:
    """The centre, after scaling the shorter side to 8/7 of the square's (256 for 224).

    ImageNet accuracies are usually measured on this.
    """

    size: int

    def __call__(self, image: Image.Image, row: int) -> Image.Image:  # noqa: ARG002
        """The square; the same for every row."""
        scale = self.size * 8 / 7 / min(image.size)
        width, height = (max(self.size, round(side * scale)) for side in image.size)
        left, top = (width - self.size) // 2, (height - self.size) // 2
        resized = image.resize((width, height), _BILINEAR)
        return resized.crop((left, top, left + self.size, top + self.size))


@dataclass
class RandomCut:
    """A random part, scaled: 8 % to all of the area, sides from 3:4 to 4:3.

    The augmentation of Szegedy et al. 2015 that ImageNet networks are trained with.
    Seed and row decide which part.
    """

    size: int
    seed: int

    def __call__(self, image: Image.Image, row: int) -> Image.Image:
        """The square."""
        generator = np.random.default_rng((self.seed, row))
        box = (0.0, 0.0, float(image.width), float(image.height))
        for _ in range(10):  # a part that does not fit is drawn again
            area = image.width * image.height * generator.uniform(0.08, 1.0)
            ratio = math.exp(generator.uniform(math.log(3 / 4), math.log(4 / 3)))
            width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
            if width <= image.width and height <= image.height:
                left = generator.uniform(0, image.width - width)
                top = generator.uniform(0, image.height - height)
                box = (left, top, left + width, top + height)
                break
        return image.resize((self.size, self.size), _BILINEAR, box=box)
