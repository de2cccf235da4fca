"""Squares cut out of photographs of any size."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from PIL import Image

from simplicert.errors import InputError, unknown_name

Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
"""How pixels are scaled: Pillow's names, in lower case."""

INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)

LARGEST_SIZE = 1 << 13
"""The largest side of a square; more would be taken for a slip, and all the memory."""

_BILINEAR = Image.Resampling.BILINEAR


@runtime_checkable
class Cut(Protocol):
    """A way to cut a square out of an image."""

    @property
    def size(self) -> int:
        """Side of the square."""

    def __call__(self, image: Image.Image, row: int) -> Image.Image:
        """A square of side ``size``; ``row`` is the image's row in its source."""

    def __str__(self) -> str:
        """What is done, in words: cuts that differ have different ones."""


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

    def __str__(self) -> str:
        """In words."""
        return f"shorter side to 8/7 of {self.size}, centre {self.size}, bilinear"


@dataclass(frozen=True)
class PublishedCut:
    """The centre, as the model's own library cuts it out: to the pixel.

    Attributes:
        size: Side of the square.
        resize: What the shorter side is scaled to first, at least ``size``.
        interpolation: One of ``INTERPOLATIONS``.
        stretch: Whether the longer side is scaled to the same, whatever the shape.
        down: Where an odd margin is divided: up and to the left, as Hugging Face does,
            instead of to the nearest even number, as torchvision and timm do.

    Raises:
        InputError: A number or a name is not one of these.
    """

    size: int
    resize: int
    interpolation: str = "bilinear"
    stretch: bool = False
    down: bool = False

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATIONS:
            raise unknown_name("interpolation", self.interpolation, INTERPOLATIONS)
        if not 1 <= self.size <= self.resize <= LARGEST_SIZE:
            raise InputError(
                f"a square of {self.size} cannot be cut out of an image scaled to "
                f"{self.resize}: sides are in 1 … {LARGEST_SIZE}"
            )

    def __call__(self, image: Image.Image, row: int) -> Image.Image:  # noqa: ARG002
        """The square; the same for every row."""
        short = min(image.size)
        width, height = (
            self.resize if self.stretch else self.resize * side // short
            for side in image.size
        )
        filter_ = Image.Resampling[self.interpolation.upper()]
        resized = image.resize((width, height), filter_)
        left, top = (self._margin(side - self.size) for side in (width, height))
        return resized.crop((left, top, left + self.size, top + self.size))

    def _margin(self, both: int) -> int:
        return both // 2 if self.down else round(both / 2)

    def __str__(self) -> str:
        """In words."""
        scaled = "stretched" if self.stretch else "shorter side"
        down = ", odd margins divided down" if self.down else ""
        return (
            f"{scaled} to {self.resize}, centre {self.size}, {self.interpolation}{down}"
        )


def choose_cut(
    published: Sequence[PublishedCut] = (),
    *,
    size: int | None = None,
    crop: float | None = None,
    interpolation: str | None = None,
    stretch: bool | None = None,
) -> Cut | None:
    """How to cut: as was said, and in what was not said, as the model's publishers do.

    Args:
        published: The ways of the model; the first is the usual one.
        size: Side of the square. Default: that of the model's usual way.
        crop: Part of the scaled shorter side that is kept, in (0, 1].
        interpolation: One of ``INTERPOLATIONS``.
        stretch: Whether to stretch to a square first: of the whole image, unless
            ``crop`` or the model's way says otherwise.

    Returns:
        ``None`` if there is nothing to go by; ``CentreCut`` if there is only a size.

    Raises:
        InputError: There is no size, or something is out of range.

    Example:
        >>> print(choose_cut(size=224, crop=0.9, interpolation="bicubic"))
        shorter side to 248, centre 224, bicubic
    """
    if size is not None and not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"size must be in 1 … {LARGEST_SIZE}, got {size}")
    choices = {"interpolation": interpolation, "stretch": stretch}
    said: dict[str, Any] = {k: v for k, v in choices.items() if v is not None}
    base = next((cut for cut in published if size in {None, cut.size}), None)
    if not said and crop is None and base is None:
        return None if size is None else CentreCut(size)
    side = size if base is None else base.size
    if side is None:
        raise InputError(
            "crop, interpolation and stretch say how images are cut to a size, which "
            "is not known: give the size, too"
        )
    if stretch and crop is None and (base is None or not base.stretch):
        crop = 1.0  # the whole image
    if crop is not None and not side / LARGEST_SIZE <= crop <= 1:
        raise InputError(
            f"crop must be in [{side / LARGEST_SIZE:.2g}, 1], got {crop!r}"
        )
    if crop is not None or base is None:
        # A product such as 0.7 * 320 / 0.7 must not fall below a whole number.
        scaled = math.floor(side / (crop or 7 / 8) + 1e-9)
        base = replace(base or PublishedCut(side, side), resize=scaled)
    return replace(base, **said)


def read_cut(words: str) -> Cut:
    """The cut that says these words of itself.

    Raises:
        InputError: None does.

    Example:
        >>> read_cut("stretched to 384, centre 384, bicubic")
        PublishedCut(size=384, resize=384, interpolation='bicubic', stretch=True, ...)
    """
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    *_, interpolation = re.sub(", odd.*", "", words).split(" ")
    cuts: list[Cut] = []
    if len(numbers) == 4:
        cuts = [CentreCut(numbers[-1])]
    elif len(numbers) == 2 and interpolation in INTERPOLATIONS:
        cuts = [
            PublishedCut(numbers[1], numbers[0], interpolation, stretch, down)
            for stretch in (False, True)
            for down in (False, True)
        ]
    found = [cut for cut in cuts if str(cut) == words]
    if not found:
        raise InputError(f"no images are cut like this: {words!r}")
    return found[0]


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

    def __str__(self) -> str:
        """In words."""
        return f"a random part to {self.size}, bilinear, seed {self.seed}"
