"""Residual networks: He et al. 2016, for CIFAR (depth 6n + 2) and for ImageNet (50).

The CIFAR networks are those of Cohen et al. 2019: shortcuts that change shape are 1x1
convolutions. ResNet-50 strides in the 3x3 convolution of a bottleneck. Parameters are
named as everybody names them, so that published weights fit (``models.published``).
"""

from torch import Tensor, nn
from torch.nn.functional import relu

from simplicert.errors import InputError
from simplicert.models.normalise import Normalise

_CIFAR10 = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.2010]}
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, width, kernel=3, stride=stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, kernel=3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the next block."""
        out = relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        return relu(out + self.downsample(x), inplace=True)


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 convolutions, and a shortcut."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, width, kernel=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, kernel=3, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _convolution(width, 4 * width, kernel=1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the next block."""
        out = relu(self.bn1(self.conv1(x)), inplace=True)
        out = relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        return relu(out + self.downsample(x), inplace=True)


class ResNet(nn.Module):
    """A stem, stages of blocks, each at half the resolution of the last, and a mean.

    Args:
        stem: First convolution.
        pool: What follows it before the first stage.
        block: Kind of block.
        widths: Width of each stage's blocks; the stem puts out the first.
        depths: Number of blocks of each stage.
        classes: Number of logits.
    """

    def __init__(
        self,
        *,
        stem: nn.Conv2d,
        pool: nn.Module,
        block: type[BasicBlock | Bottleneck],
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        classes: int,
    ) -> None:
        super().__init__()
        self.conv1 = stem
        self.bn1 = nn.BatchNorm2d(stem.out_channels)
        self.pool = pool
        channels = stem.out_channels
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
            blocks = []
            for index in range(depth):
                stride = 2 if stage > 1 and index == 0 else 1
                blocks.append(block(channels, width, stride))
                channels = block.expansion * width
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.stages = len(depths)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        x = self.pool(relu(self.bn1(self.conv1(x)), inplace=True))
        for stage in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{stage}")(x)
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


def cifar_resnet(*, depth: int, shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """A ResNet for small images; ``depth`` is 20, 32, 44, 56 or 110."""
    channels, _, _ = shape
    grey = {"mean": [0.5] * channels, "std": [0.5] * channels}
    network = ResNet(
        stem=_convolution(channels, 16, kernel=3),
        pool=nn.Identity(),
        block=BasicBlock,
        widths=(16, 32, 64),
        depths=((depth - 2) // 6,) * 3,
        classes=classes,
    )
    return nn.Sequential(Normalise(**(_CIFAR10 if channels == 3 else grey)), network)


def resnet50(*, shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """ResNet-50, for photographs of 224x224."""
    channels, _, _ = shape
    if channels != 3:
        raise InputError(f"resnet50 is for images of 3 channels, not of shape {shape}")
    network = ResNet(
        stem=_convolution(channels, 64, kernel=7, stride=2),
        pool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        block=Bottleneck,
        widths=(64, 128, 256, 512),
        depths=(3, 4, 6, 3),
        classes=classes,
    )
    return nn.Sequential(Normalise(**_IMAGENET), network)


def _convolution(
    channels: int, width: int, *, kernel: int, stride: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(
        channels, width, kernel, stride=stride, padding=kernel // 2, bias=False
    )


def _shortcut(channels: int, width: int, stride: int) -> nn.Module:
    if stride == 1 and channels == width:
        return nn.Identity()
    convolution = _convolution(channels, width, kernel=1, stride=stride)
    return nn.Sequential(convolution, nn.BatchNorm2d(width))
