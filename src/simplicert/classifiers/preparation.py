"""What a model's own library does to an image, learnt by showing it images.

Whatever a processor's settings are called and however they are meant: constants come
from what black and white become, the cut from where a ramp's pixels end up. Then one
random image must come out of ours as out of theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image

from simplicert.data.cuts import INTERPOLATIONS, PublishedCut
from simplicert.errors import InputError
from simplicert.models.normalise import Normalise
from simplicert.plugins import shown_as_theirs

Prepare = Callable[[Image.Image], Any]
"""A photograph → channels × height × width, as the network gets it."""

Constants = tuple[Sequence[float], Sequence[float]]
"""Mean and std, one a channel."""

_SHOWN = (640, 480)
"""Width and height of the photographs that are shown: no square, and larger than what
most networks take."""


_INSTEAD = (
    "Write a function that returns a module for pixels in [0, 1], with what it needs "
    "inside, and name that: file.py:function"
)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What a library does to an image.

    Attributes:
        constants: Mean and std, in pixels of [0, 1].
        shape: Of what comes out; ``None`` if it is that of what goes in.
        cut: How the square is cut out, if it is one, and it could be learnt.
    """

    constants: Constants
    shape: tuple[int, int, int] | None
    cut: PublishedCut | None


def learn(
    prepare: Prepare, *, name: str, channels: int = 3, stated: Constants | None = None
) -> Preparation:
    """What ``prepare`` does, checked on a random image.

    Args:
        prepare: The library's own.
        name: Of the model, for messages.
        channels: Of an image.
        stated: What the library says that the constants are. They are taken if they
            are right, since what is learnt has been rounded once more.

    Raises:
        InputError: It is not what a cut and one mean and std a channel can do.
    """
    theirs = _Shown(prepare, name, channels)
    black, white = (theirs(theirs.flat(value)) for value in (0, 255))
    low, high = black[:, :1, :1], white[:, :1, :1]
    if not (_close(black, low) and _close(white, high) and (low != high).all()):
        raise theirs.unlike("flat images do not stay flat, or black becomes white")
    std = 1 / (high - low)
    mean = 0.0 - low * std
    fixed = theirs(theirs.flat(0, (480, 640))).shape == black.shape
    fixed = fixed and theirs(theirs.flat(0, (500, 500))).shape == black.shape
    height, width = black.shape[1:]
    cut, photographed = None, True
    if fixed and height == width:
        cut, photographed = _cut(lambda image: theirs(image) * std + mean, height)
    # An image of the size that all are scaled to, so that no scaling can blur it.
    image = theirs.random((cut.resize, cut.resize) if cut else (width, height))
    ours = image if cut is None else theirs.after(cut, image)
    expected = theirs(image)
    learnt = (mean.ravel().tolist(), std.ravel().tolist())
    for constants in (stated, learnt):
        if constants is not None and _agrees(constants, ours, expected):
            return Preparation(
                constants=constants,
                shape=(channels, height, width) if fixed else None,
                cut=cut if photographed and channels == 3 else None,
            )
    raise theirs.unlike("a random image comes out differently")


class _Shown:
    """The library's own preparation, of arrays and to arrays."""

    def __init__(self, prepare: Prepare, name: str, channels: int) -> None:
        self._prepare, self._name, self._channels = prepare, name, channels

    def __call__(
        self, pixels: UInt8[np.ndarray, "height width channels"]
    ) -> Float[np.ndarray, "channels height2 width2"]:
        """What becomes of an image in colour; where grey is taken, of each channel."""
        if self._channels == 3:
            return self._prepared(pixels)
        parts = [self._prepared(pixels[..., k]) for k in range(pixels.shape[-1])]
        return np.concatenate(parts)

    def _prepared(self, pixels: np.ndarray) -> np.ndarray:
        with shown_as_theirs(f"the image processor of {self._name}", f". {_INSTEAD}"):
            prepared = np.asarray(self._prepare(Image.fromarray(pixels)), dtype=float)
        if prepared.ndim != 3 or len(prepared) != self._channels:
            raise self.unlike(f"one becomes {prepared.shape}")
        return prepared

    def flat(
        self, value: int, size: tuple[int, int] = _SHOWN
    ) -> UInt8[np.ndarray, "height width channels"]:
        return np.full((*size[::-1], self._channels), value, np.uint8)

    def random(
        self, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "height width channels"]:
        shape = (*size[::-1], self._channels)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def after(self, cut: PublishedCut, pixels: np.ndarray) -> np.ndarray:
        """What our cut makes of an image that is as it is shown."""
        colour = self._channels == 3
        square = cut(Image.fromarray(pixels if colour else pixels[..., 0]), 0)
        return np.asarray(square).reshape(cut.size, cut.size, self._channels)

    def unlike(self, why: str) -> InputError:
        return InputError(
            f"{self._name}: what its own library does to an image is more than to cut "
            f"a part out and to normalise each channel ({why}). {_INSTEAD}"
        )


def _cut(
    pixels_of: Callable[[np.ndarray], np.ndarray], size: int
) -> tuple[PublishedCut | None, bool]:
    """How squares are cut out, and whether whole photographs show the same.

    Args:
        pixels_of: A photograph → the square that is cut out of it, in [0, 1].
        size: Side of the square.
    """
    width, height = _SHOWN
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    ramps = np.zeros((height, width, 3))
    ramps[..., 0], ramps[..., 1] = across, down[:, None]
    random = np.random.default_rng(0)
    # Rounded at random, a ramp is right on average at every pixel.
    square = pixels_of(np.floor(ramps + random.random(ramps.shape)).astype(np.uint8))
    step_x = _slope(square[0].mean(axis=0)) * (width - 1)
    step_y = _slope(square[1].mean(axis=1)) * (height - 1)
    if min(step_x, step_y) <= 0:
        return None, False
    resize = max(size, round(height / step_y))
    stretch = abs(step_x / step_y - width / height) < abs(step_x / step_y - 1)
    base = PublishedCut(size, resize, stretch=stretch)
    # One not scaled, whose odd margin rounds two ways, and a smaller one, too.
    odd = resize + (3 - resize + size) % 4
    half = (resize + 1) // 2
    photographs = [
        random.integers(0, 256, (*sides, 3), dtype=np.uint8)
        for sides in ((height, width), (odd, resize), (half, half + 1))
    ]
    theirs = [255 * pixels_of(photograph) for photograph in photographs]
    if any(each.shape != square.shape for each in theirs):
        return base, False

    def off(cut: PublishedCut) -> float:
        ours = [np.asarray(cut(Image.fromarray(each), 0)) for each in photographs]
        apart = np.abs(np.stack(ours).transpose(0, 3, 1, 2) - np.stack(theirs))
        return float(apart.mean(axis=(1, 2, 3)).max())

    ways = [
        replace(base, interpolation=interpolation, down=down)
        for interpolation, down in product(INTERPOLATIONS, (False, True))
    ]
    best = min(ways, key=off)
    return best, off(best) < 1  # a level of 255, on average of noise


def _slope(values: Float[np.ndarray, " n"]) -> float:
    """Of the middle, where no filter looks over the edge."""
    edge = len(values) // 8
    middle = values[edge : len(values) - edge]
    return float(np.polyfit(np.arange(len(middle)), middle, 1)[0])


def _agrees(
    constants: Constants,
    pixels: UInt8[np.ndarray, "height width channels"],
    expected: Float[np.ndarray, "channels height width"],
) -> bool:
    mean, std = constants
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    if {len(mean), len(std)} != {len(image)} or image.shape != expected.shape:
        return False
    return _close(Normalise(mean, std)(image.float() / 255).numpy(), expected)


def _close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal but for the rounding of float32."""
    scale = max(1.0, float(np.abs(theirs).max()))
    return bool(np.abs(ours - theirs).max() <= 1e-5 * scale)  # False for NaN
