"""Denoisers: networks that map noisy images to images, to stand before a classifier."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, relu

from simplicert.errors import InputError

_FACTOR = 2
_WIDTH = 64

# Of pixels: the noise is found in these. In whole ones the squared error bends so
# steeply that gradient descent diverges at the rates that suit the layers before.
_PART = 0.1


class Block(nn.Module):
    """Two 3x3 convolutions, added to what they are given; fresh, they add nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the next block."""
        out = relu(self.bn1(self.conv1(x)), inplace=True)
        return relu(x + self.bn2(self.conv2(out)), inplace=True)


class Denoiser(nn.Module):
    """A convolutional network that finds the noise, which is subtracted.

    In the manner of FFDNet, for one strength of noise: every 2x2 pixels become one with
    four times the channels, 3x3 convolutions at that quarter of the work find the
    noise, and it is put back into pixels. So it takes images of any even height and
    width, whatever it was trained on. Unlike FFDNet's, its layers are residual blocks,
    with which gradient descent without Adam gets anywhere. Fresh, it finds no noise and
    returns what it is given.

    Args:
        channels: Of an image.
        blocks: Of two convolutions each, between the first and the last.

    References:
        Zhang, Zuo and Zhang 2018, arXiv:1710.04026; batch normalisation and the
        subtraction as in Zhang et al. 2017, arXiv:1608.03981.
    """

    def __init__(self, channels: int, *, blocks: int) -> None:
        super().__init__()
        ends = channels * _FACTOR**2
        self.first = nn.Sequential(
            nn.Conv2d(ends, _WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(_WIDTH),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(Block(_WIDTH) for _ in range(blocks)))
        self.last = nn.Conv2d(_WIDTH, ends, 3, padding=1, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, images: Tensor) -> Tensor:
        """The images without the noise that was found; they are not clipped."""
        features = self.blocks(self.first(pixel_unshuffle(images, _FACTOR)))
        return images - _PART * pixel_shuffle(self.last(features), _FACTOR)


def denoiser(*, layers: int, shape: tuple[int, ...], classes: int) -> Denoiser:
    """A denoiser of images of this shape; ``classes`` means nothing to it."""
    del classes
    channels, *sides = shape
    check_sides(sides)
    return Denoiser(channels, blocks=(layers - 2) // 2)


def check_sides(sides: Sequence[int]) -> None:
    """Refuse images whose pixels do not come in 2x2.

    Raises:
        InputError: As said.
    """
    if any(side % _FACTOR for side in sides):
        raise InputError(
            f"the denoiser takes images of even height and width, not {tuple(sides)}: "
            "cut or pad them"
        )
