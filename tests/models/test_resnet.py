import pytest
import torch

from simplicert.errors import InputError
from simplicert.models import build_model


@pytest.mark.parametrize(
    ("name", "parameters"),
    # Known counts: 272,474 and 1,730,714 with convolutions as shortcuts (the widely
    # quoted 269,722 and 1,727,962, plus 2,752), and torchvision's 25,557,032.
    [("resnet20", 272_474), ("resnet110", 1_730_714), ("resnet50", 25_557_032)],
)
def test_the_networks_are_the_published_ones(name, parameters):
    size, classes = (64, 1000) if name == "resnet50" else (32, 10)
    model = build_model(name, shape=(3, size, size), classes=classes)
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    assert model.eval()(torch.rand(2, 3, size, size)).shape == (2, classes)


@pytest.mark.parametrize("name", ["resnet20", "resnet32", "resnet44", "resnet56"])
def test_depth_counts_convolutions_and_the_linear_layer(name):
    model = build_model(name, shape=(1, 28, 28), classes=3)
    layers = [
        key
        for key, module in model.named_modules()
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)
        and "downsample" not in key
    ]
    assert len(layers) == int(name.removeprefix("resnet"))
    assert model.eval()(torch.rand(2, 1, 28, 28)).shape == (2, 3)


def test_a_stage_halves_the_resolution():
    model = build_model("resnet20", shape=(3, 32, 32), classes=10).eval()
    network = model[1]
    sizes = []
    for stage in (network.layer1, network.layer2, network.layer3):
        stage.register_forward_hook(lambda _, __, out: sizes.append(out.shape[1:]))
    model(torch.rand(1, 3, 32, 32))
    assert sizes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]


def test_normalisation_has_the_constants_of_the_data():
    cifar = build_model("resnet20", shape=(3, 32, 32), classes=10).state_dict()
    assert cifar["0.mean"].flatten().tolist() == pytest.approx([0.4914, 0.4822, 0.4465])
    photographs = build_model("resnet50", shape=(3, 64, 64), classes=10).state_dict()
    assert photographs["0.std"].flatten().tolist() == pytest.approx(
        [0.229, 0.224, 0.225]
    )


def test_resnet50_is_for_colour():
    with pytest.raises(InputError, match="3 channels"):
        build_model("resnet50", shape=(1, 224, 224), classes=10)
