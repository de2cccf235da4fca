import pytest
import torch

from simplicert.errors import InputError
from simplicert.models import build_model
from simplicert.models.normalise import Normalise


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 9, 11)])
def test_the_small_network_takes_any_small_image(shape):
    model = build_model("small-cnn", shape=shape, classes=7)
    assert model(torch.rand(3, *shape)).shape == (3, 7)


def test_normalisation_is_inside_and_saved_but_not_trained():
    model = build_model("small-cnn", shape=(3, 8, 8), classes=2)
    assert {"0.mean", "0.std"} <= model.state_dict().keys()
    assert "0.mean" not in dict(model.named_parameters())


def test_normalise_is_per_channel():
    layer = Normalise([0.0, 0.5], [1.0, 0.25])
    out = layer(torch.ones(1, 2, 1, 1)).flatten()
    assert out.tolist() == [1.0, 2.0]


def test_an_unknown_architecture_is_refused():
    with pytest.raises(InputError, match="did you mean 'small-cnn'"):
        build_model("small-cn", shape=(1, 8, 8), classes=2)
