"""Networks, images and manifests for tests of sampling and classifiers."""

import numpy as np
import pytest
import torch
from synthetic import manifest
from torch import nn

from simplicert.models import build_model


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model("small-cnn", shape=(1, 8, 8), classes=10)


class Recorder(nn.Module):
    """Keeps every noisy input; its logits are the first three pixels."""

    seen: list[torch.Tensor] = []  # noqa: RUF012 (on the class: it survives copying)

    def forward(self, x):
        self.seen.append(x.clone().contiguous())
        return x.flatten(1)[:, :3]


@pytest.fixture
def recorder():
    Recorder.seen.clear()
    return Recorder()


@pytest.fixture
def manifest_of():
    """Manifests with some fields changed."""
    return lambda **changes: manifest(labels=None, **changes)
