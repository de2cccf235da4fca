"""On a GPU: the same votes again, true float32, exact noise, and none in its way."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from scipy.stats import uniform as flat
from torch import nn

from simplicert.errors import InputError
from simplicert.machine.precision import as_recorded
from simplicert.models import build_model
from simplicert.noises import NOISES, gaussian
from simplicert.noises.grid import grid_step
from simplicert.sampling import Stream, sample
from simplicert.sampling.noisy import NoisyInputs, chunks_of
from simplicert.sampling.steps import on_device

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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runtime", "precision"),
    [("folded", "fp32"), ("compiled", "fp32"), ("compiled", "bf16")],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_other_runtimes_vote_alike_and_the_same_again(
    network, colour, runtime, precision
):
    settings = SETTINGS | {"precision": precision, "batch": 1000}
    eager = sample(network, colour, **settings)
    first, second = (
        sample(network, colour, **settings, runtime=runtime) for _ in range(2)
    )
    assert first.digest == second.digest
    # Of 9,000 draws; bf16 has near-ties in one of a hundred.
    moved = np.abs(first.counts - eager.counts).sum()
    assert moved <= (4 if precision == "fp32" else 360)


def test_what_runs_on_the_cpu_is_refused(network, colour):
    with pytest.raises(InputError, match="runs on the CPU, not on cuda"):
        sample(network, colour, **SETTINGS, runtime="onnxruntime")


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
        with patch("simplicert.sampling.recheck.Recheck.settle", return_value=None):
            sample(Recorder(), grey, **SETTINGS, batch=batch)
        # The probe comes first, of other draws.
        found.append((torch.cat(Recorder.seen)[-6000:] - 0.5) / 0.5)
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


def test_noise_is_made_while_the_model_is_busy():
    """Noise waits for itself alone: not for passes that were asked before it."""
    shape, device = (3, 32, 32), torch.device("cuda")
    noisy = NoisyInputs(
        shape,
        noise=gaussian,
        capacity=2000,
        sigma=0.5,
        dtype=torch.float32,
        device=device,
    )

    def fill(first):
        chunks = chunks_of(0, seed=1, image=0, first=first, draws=2000, size=50)
        return noisy.fill(chunks, [torch.full(shape, 0.5)])

    kept = fill(0).clone(), fill(2000).clone()  # kernels are loaded
    torch.cuda.synchronize()
    first = fill(0)
    torch.cuda._sleep(2_000_000_000)  # a slow model, about a second
    found = [first.clone()]  # which reads its input at the end
    over = torch.cuda.current_stream().record_event()
    found.append(fill(2000).clone())
    assert not over.query()
    assert all(map(torch.equal, found, kept))


@pytest.mark.parametrize(
    "noise", NOISES.built_in.values(), ids=lambda noise: noise.name
)
def test_the_law_and_the_sum_are_exact_there_too(noise):
    scale = 1.5 * 2.0**40
    draw = on_device(noise, scale, torch.device("cuda"))
    streams = [Stream(seed=3, image=1, chunk=chunk) for chunk in range(4)]
    steps = draw(streams, 1 << 20).cpu().numpy()
    law = {"gaussian": norm.cdf, "uniform": flat(-(3**0.5), 2 * 3**0.5).cdf}
    assert kstest(steps[::7] / scale, law[noise.name]).pvalue > 1e-3
    alone = torch.cat([draw([stream], 1 << 20) for stream in streams])
    np.testing.assert_array_equal(steps, alone.cpu().numpy())

    noisy = NoisyInputs(
        (300,),
        noise=noise,
        capacity=200,
        sigma=0.7,
        dtype=torch.float32,
        device=torch.device("cuda"),
    )
    levels = torch.arange(300, dtype=torch.float32) / 255
    chunks = chunks_of(0, seed=3, image=1, first=30, draws=150, size=100)
    found = noisy.fill(chunks, [levels]).cpu().numpy()
    step = grid_step(0.7)
    draw = on_device(noise, 0.7 / step, torch.device("cuda"))
    steps = draw([chunk.stream for chunk in chunks], 100 * 300).cpu().numpy()
    exact = levels.double().numpy() + steps.reshape(-1, 300)[30:180] * step
    np.testing.assert_array_equal(found, exact.astype(np.float32))
