"""The draw loop: one noise for any batch, layout and thread count; batches by trial."""

import numpy as np
import pytest
import torch
from clock import Clock
from torch import nn
from torch.backends import cudnn

from simplicert.errors import InputError
from simplicert.machine.layout import layout
from simplicert.models import build_model
from simplicert.noises import FLOAT32, NOISES, gaussian
from simplicert.noises.grid import grid_step
from simplicert.sampling import Sampler, Stream, sample
from simplicert.sampling.batch import SIZES, find_batch, usual_batch
from simplicert.sampling.float32 import Float32Chunk, Float32Inputs, chunk_seeds
from simplicert.sampling.noisy import NoisyInputs, chunk_draws, chunks_of, stages
from simplicert.sampling.steps import on_host
from simplicert.sampling.tally import Tally

CPU = torch.device("cpu")
COLOUR = (3, 32, 32)


def noisy(shape, *, threads=1, dtype=torch.float32, capacity=500, noise="gaussian"):
    """Draws of two images, the first's from its 30th on."""
    images = torch.rand(2, *shape, generator=torch.manual_seed(0))
    old = noise in FLOAT32
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        buffer = (Float32Inputs if old else NoisyInputs)(
            shape,
            noise=FLOAT32[noise] if old else NOISES.find(noise),
            capacity=capacity,
            sigma=0.3,
            dtype=dtype,
            device=CPU,
        )
    finally:
        torch.set_num_threads(before)
    size = chunk_draws(shape)
    if old:
        chunks = [Float32Chunk(row=i // 3, draws=100, seed=i) for i in range(4)]
        chunks.append(Float32Chunk(row=1, draws=37, seed=4))
    else:
        shared = {"seed": 1, "size": size}
        chunks = [
            *chunks_of(0, image=7, first=30, draws=300, **shared),
            *chunks_of(1, image=9, first=0, draws=137, **shared),
        ]
    found = [
        buffer.fill(stage, list(images)).clone()
        for stage in stages(chunks, capacity=capacity)
    ]
    return torch.cat(found), images


def in_memory_order(values, shape):
    """Rows of values as a draw's lie in memory."""
    if layout(shape) is torch.channels_last:
        channels, height, width = shape
        values = values.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
    return values.reshape(-1, *shape)


def test_old_seeds_of_a_run_never_meet_in_what_torch_looks_at():
    # Ten images of a million draws. Were they random, one pair would be equal.
    seeds = [
        seed
        for image in range(10)
        for block in range(100)
        for seed in chunk_seeds(5, image, block, blocks=100, chunks=100)
    ]
    assert len({seed % 2**32 for seed in seeds}) == 100_000
    first, other = (chunk_seeds(s, 3, 0, blocks=9, chunks=2) for s in (5, 6))
    assert first != other


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 12), COLOUR])
def test_noise_is_each_chunk_s_own_in_memory_order(shape):
    found, images = noisy(shape)
    assert found.is_contiguous(memory_format=layout(shape))
    size, step = chunk_draws(shape), grid_step(0.3)
    draw = on_host(gaussian, 0.3 / step)
    for row, (image, first, draws) in enumerate(((7, 30, 300), (9, 0, 137))):
        chunks = range(first // size, -(-(first + draws) // size))
        steps = np.concatenate(
            [
                draw(Stream(seed=1, image=image, chunk=chunk), size * images[0].numel())
                for chunk in chunks
            ]
        )
        noise = in_memory_order(torch.from_numpy(steps * step), shape)
        expected = images[row] + noise[first - chunks[0] * size :][:draws]
        mine = found[300 * row : 300 * row + draws]
        assert torch.equal(mine, expected.float())


@pytest.mark.parametrize("shape", [(1, 8, 8), COLOUR])
def test_noise_of_old_runs_is_drawn_as_it_was(shape):
    found, images = noisy(shape, noise="gaussian-float32")
    for number, start in enumerate(range(0, 437, 100)):
        draws = min(100, 437 - start)
        noise = torch.empty(draws * images[0].numel())
        noise.normal_(generator=torch.Generator().manual_seed(number))
        # A fused multiply and add may round once where this rounds twice.
        expected = images[number // 3] + 0.3 * in_memory_order(noise, shape)
        assert (found[start : start + draws] - expected).abs().max() < 1e-6


@pytest.mark.parametrize("capacity", [100, 137, 250, 1000])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("noise", ["gaussian", "gaussian-float32"])
def test_noise_does_not_depend_on_the_buffer_or_on_threads(threads, capacity, noise):
    reference, _ = noisy(COLOUR, noise=noise)
    found, _ = noisy(COLOUR, threads=threads, capacity=capacity, noise=noise)
    assert torch.equal(found, reference)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.inference_mode()  # as it is drawn; threads of a pool have none of their own
def test_noise_in_low_precision_is_that_in_float32_rounded_once(dtype, threads):
    reference, _ = noisy(COLOUR)
    found, _ = noisy(COLOUR, dtype=dtype, threads=threads)
    assert torch.equal(found, reference.to(dtype))


@pytest.mark.slow
def test_votes_of_colour_images_agree_at_any_batch():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model("resnet20", shape=COLOUR, classes=10)
    images = np.random.default_rng(0).random((2, *COLOUR), dtype=np.float32)
    settings = {"sigma": 0.5, "draws": 200, "block": 100, "seed": 1}
    reference = sample(network, images, **settings, batch=100)
    for batch in (7, 90, 300):
        votes = sample(network, images, **settings, batch=batch)
        assert np.abs(votes.counts - reference.counts).sum() <= 2
        np.testing.assert_allclose(votes.score_sums, reference.score_sums, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_a_compiled_model_votes_alike_and_says_so(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model("small-cnn", shape=(1, 8, 8), classes=10)
    images = np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32)
    settings = {"sigma": 0.5, "draws": 500, "seed": 1}
    eager = sample(network, images, **settings)
    compiled = sample(network, images, **settings, runtime="compiled", out=tmp_path)
    assert np.abs(compiled.counts - eager.counts).sum() <= 2
    with pytest.raises(
        InputError, match="runtime is 'compiled' there and 'eager' here"
    ):
        sample(network, images, **settings, out=tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_only_batches_are_compiled_and_once(images, monkeypatch):
    class First(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :3]

    compiled, build = [], torch.compile

    def backend(graph, inputs):
        compiled.extend(map(len, inputs))
        return graph.forward

    monkeypatch.setattr(
        torch,
        "compile",
        lambda module, *, dynamic, options: build(
            module, backend=backend, dynamic=dynamic
        ),
    )
    settings = {"sigma": 0.5, "draws": 400, "block": 200, "runtime": "compiled"}
    sample(First(), images, **settings, batch=100)
    assert compiled == [100]
    compiled.clear()
    sample(First(), images, **settings, batch=150)
    assert sorted(compiled) == [50, 150]


# Where torch cannot get memory on a CPU, it raises a RuntimeError of these words.
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"),
        MemoryError(),
    ],
)
def test_a_model_that_never_fits_is_named_and_one_that_fits_at_last_runs(images, error):
    class Large(nn.Module):
        limit = 0

        def forward(self, x):
            if len(x) > max(1, self.limit):
                raise error
            if not self.limit and not (x[0] == torch.from_numpy(images[0])).all():
                raise error
            return x.flatten(1)[:, :3]

    model = Large()
    with pytest.raises(InputError, match=r"one noisy image of shape .* does not fit"):
        sample(model, images, sigma=0.5, draws=100)
    model.limit = 30
    assert sample(model, images, sigma=0.5, draws=100).counts.sum() == 300


def test_score_sums_do_not_depend_on_order_or_grouping():
    logits = torch.randn(1000, 10, generator=torch.manual_seed(0)) * 5
    row = torch.arange(1000) % 3

    def tally(order, pieces):
        found = Tally(3, 10, output="logits", device=CPU)
        for piece in order.chunk(pieces):
            found.add(logits[piece], row[piece])
        return tuple(found.columns.values())

    reference = tally(torch.arange(1000), 1)
    shuffled = torch.randperm(1000, generator=torch.manual_seed(1))
    for other in (tally(shuffled, 1), tally(shuffled, 17)):
        assert all(map(torch.equal, reference, other))


# --- the batch -----------------------------------------------------------------------


def test_the_smallest_batch_that_is_about_as_fast_as_any_is_found():
    tried = []

    def speed(size):  # 10 ms a pass, 1 ms a draw; above 500 the cache is too small
        tried.append(size)
        return size / (0.01 + size * (0.001 if size <= 500 else 0.002))

    assert find_batch(speed, usual=50, most=10**6) == 500
    assert tried == [20, 50, 100, 200, 500, 1000, 2000]
    assert find_batch(speed, usual=10, most=40) == 20
    # 490, 498 and 500 draws a second are as good as 476.
    assert (
        find_batch(lambda size: size / (0.1 + size / 500), usual=2000, most=10**6)
        == 1000
    )


def test_a_trial_ends_with_its_time(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("simplicert.sampling.batch.time", clock)

    def speed(size):
        clock.sleep(0.1 * size)
        return float(size)

    assert find_batch(speed, usual=10, most=10**6) == 50
    assert clock.now < 10


def test_long_runs_are_tried_and_short_ones_follow_the_rule(
    network, images, tmp_path, monkeypatch
):
    tried = []

    def find(speed, *, usual, most):
        tried.append((speed(20) > 0, usual, most))
        return 50

    monkeypatch.setattr("simplicert.sampling.sampler.find_batch", find)
    sample(network, images, sigma=0.5, draws=1000)
    assert not tried
    sample(network, images, sigma=0.5, draws=40_000, out=tmp_path)
    assert tried == [(True, 1000, 120_000)]
    assert '"batch": 50' in (tmp_path / "manifest.json").read_text()
    sample(network, images, sigma=0.5, draws=40_000, out=tmp_path)  # as it began
    assert len(tried) == 1


@pytest.mark.parametrize("batch", [1, 50, 1000, 3000])
def test_a_trial_tells_the_speed_of_what_it_drew(images, batch, monkeypatch):
    clock = Clock()
    for module in ("speed", "engine"):
        monkeypatch.setattr(f"simplicert.sampling.{module}.time", clock)

    class Slow(nn.Module):
        def forward(self, x):
            clock.sleep(1e-4 * len(x))
            return x.flatten(1)[:, :3]

    sampler = Sampler(Slow(), images, threads=1)
    plan = sampler.plan(sigma=0.5, draws=1000, batch=batch)
    before = clock.now
    assert sampler.trial(plan, seconds=0.35) == pytest.approx(10_000)
    # One task to warm up, then whole ones until the time is over.
    task = 0.3 if batch == 3000 else 0.1
    assert clock.now - before == pytest.approx(0.35 // task * task + 2 * task)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), COLOUR, (3, 224, 224)])
def test_batches_by_rule_are_whole_chunks(shape, device):
    assert usual_batch(shape, device) % chunk_draws(shape) == 0


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_rule_s_batches_are_tried_ones(device):
    sides = range(1, 600, 7)
    assert {usual_batch((3, side, side), device) for side in sides} <= set(SIZES)


# --- precision -----------------------------------------------------------------------


def test_fp32_is_float32_and_torch_s_settings_are_put_back(images):
    def settings():
        return (
            torch.get_float32_matmul_precision(),
            cudnn.allow_tf32,
            cudnn.benchmark,
            cudnn.deterministic,
            torch.is_autocast_enabled("cpu"),
        )

    seen = set()

    class Watched(nn.Module):
        def forward(self, x):
            seen.add(settings())
            return x.flatten(1)[:, :3]

    matmul = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        with (
            torch.autocast("cpu", dtype=torch.bfloat16),
            cudnn.flags(enabled=True, benchmark=True, allow_tf32=True),
        ):
            sample(Watched(), images, sigma=0.5, draws=100)
            after = settings()
    finally:
        torch.set_float32_matmul_precision(matmul)
    assert seen == {("highest", False, False, True, False)}
    assert after == ("high", True, True, False, True)


def test_precision_that_cannot_be_put_back_is_refused(network, images, monkeypatch):
    def mixed():
        raise RuntimeError("mix of the legacy and new APIs")

    monkeypatch.setattr(torch, "get_float32_matmul_precision", mixed)
    with pytest.raises(InputError, match="cannot set it and put it back"):
        sample(network, images, sigma=0.5, draws=100)
