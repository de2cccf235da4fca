"""The examples' own proofs, held against attacks."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture(scope="module")
def example():
    path = Path(__file__).parents[1] / "examples" / "verify_digits.py"
    spec = importlib.util.spec_from_file_location("verify_digits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    ).double()


@pytest.mark.parametrize(("norm", "dual"), [(2, 2), (np.inf, 1)])
def test_no_attack_finds_another_class_where_none_is_proved(
    example, network, norm, dual
):
    random = np.random.default_rng(1)
    layers = example.affine(network, (1, 4, 4))
    proved = 0
    for x in random.random((6, 16)):
        with torch.no_grad():
            logits = network(torch.tensor(x).reshape(1, 1, 4, 4))[0].numpy()
        top = int(logits.argmax())
        ball = {"x": x, "dual": dual}
        # At a point the bounds are the network itself.
        others = np.delete(logits[top] - logits, top)
        at_once = example.is_proved(layers, top, **ball, radius=0.0)
        assert at_once == bool((others > example.MARGIN).all())
        radius = max(
            (
                r
                for r in np.linspace(0, 1, 41)
                if example.is_proved(layers, top, **ball, radius=r)
            ),
            default=0.0,
        )
        proved += radius > 0
        moves = random.normal(size=(4000, 16))
        if norm == np.inf:
            moves = np.sign(moves)
        moves *= radius / np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
        with torch.no_grad():
            found = network(torch.tensor(x + moves).reshape(-1, 1, 4, 4)).argmax(1)
        assert (found == top).all()
    assert proved >= 4
