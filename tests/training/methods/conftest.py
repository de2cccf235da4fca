import pytest
import torch
from torch import nn


class Answers(nn.Module):
    """Gives the logits it was made with, whatever the images."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(torch.as_tensor(logits))

    def forward(self, images):
        assert len(images) == len(self.logits)
        return self.logits


@pytest.fixture
def answers():
    return Answers


@pytest.fixture
def toy():
    """Makes networks with smooth activations, in float64."""

    def make(*, classes=3, seed=7):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = (nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, classes))
        with torch.no_grad():
            layers[2].weight *= 4  # or all classes would be about as probable
        return nn.Sequential(nn.Flatten(), *layers).double()

    return make


@pytest.fixture
def batch():
    """Six images of four pixels, their labels, and what is the same in all calls."""
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(6, 1, 2, 2, generator=generator).double()
    return images, torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.fixture
def noise_of():
    """The noise that a method draws for ``copies``, with the generator of a seed."""

    def draw(copies, seed):
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(copies.shape, generator=generator)

    return draw


@pytest.fixture
def by_differences():
    """Gradient of ``value()`` in the parameters of a model, by central differences."""

    def gradient(model, value, step=1e-5):
        found = []
        for entries in (parameter.data.view(-1) for parameter in model.parameters()):
            for i, before in enumerate(entries.tolist()):
                sides = []
                for side in (step, -step):
                    entries[i] = before + side
                    sides.append(value().item())
                entries[i] = before
                found.append((sides[0] - sides[1]) / (2 * step))
        return torch.tensor(found, dtype=torch.float64)

    return gradient
