"""On a GPU: the same votes again, true float32, and no waiting in the draw loop."""

import numpy as np
import pytest
import torch
from torch import nn

from simplicert.machine.precision import as_recorded
from simplicert.models import build_model
from simplicert.sampling import sample
from simplicert.sampling.engine import _DrawLoop

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no CUDA device"
)

SETTINGS = {"sigma": 0.5, "draws": 3000, "seed": 1, "device": "cuda"}


@pytest.fixture(scope="module")
def colour():
    return np.random.default_rng(0).random((3, 3, 32, 32), dtype=np.float32)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model("resnet20", shape=(3, 32, 32), classes=10)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_votes_at_one_batch_are_the_same_again(network, colour, precision):
    settings = SETTINGS | {"precision": precision, "batch": 2000}
    first, second = (sample(network, colour, **settings) for _ in range(2))
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.counts.sum(axis=1), 3000)


def test_noise_is_the_same_at_any_batch_and_standard_normal():
    class Recorder(nn.Module):
        seen: list[torch.Tensor] = []  # noqa: RUF012 (on the class: it survives copying)

        def forward(self, x):
            self.seen.append(x.clone().contiguous())
            return x.flatten(1)[:, :3]

    grey = np.full((2, 3, 32, 32), 0.5, dtype=np.float32)
    found = []
    for batch in (64, 500, 2000):
        Recorder.seen.clear()
        sample(Recorder(), grey, **SETTINGS, batch=batch)
        found.append((torch.cat(Recorder.seen[1:]) - 0.5) / 0.5)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    assert abs(found[0].mean()) < 0.002  # 18 million values
    assert abs(found[0].var() - 1) < 0.002
    draws = found[0].flatten(1)[:, :100]
    assert len(draws.unique(dim=0)) == 6000


def test_fp32_is_not_tf32():
    layer = nn.Conv2d(64, 64, 3).cuda()
    images = torch.rand(8, 64, 32, 32, device="cuda")
    exact = layer.double()(images.double())
    with torch.inference_mode(), as_recorded(images.device):
        error = (layer.float()(images) - exact).norm() / exact.norm()
    assert error < 1e-5  # in TF32 about 3e-4


def test_the_host_waits_for_no_task(network, colour, monkeypatch):
    draw, tasks = _DrawLoop.draw, []

    def watched(self, chunks, images):
        # The first task loads kernels.
        torch.cuda.set_sync_debug_mode("error" if tasks else "default")
        try:
            tasks.append(draw(self, chunks, images))
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return tasks[-1]

    monkeypatch.setattr(_DrawLoop, "draw", watched)
    sample(network, colour, **SETTINGS, batch=1000)
    assert len(tasks) == 9
