"""Sampling: one noise whatever the batch, every draw counted, bad input named."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn

from simplicert.errors import InputError
from simplicert.sampling import sample
from simplicert.votes import RunDirectory, read_run


def noisy_inputs(recorder, images, **options):
    options = {"sigma": 0.5, "draws": 600, "block": 300, "seed": 3} | options
    recorder.seen.clear()
    with patch("simplicert.sampling.recheck.Recheck.settle", return_value=None):
        sample(recorder, images, **options)
    # The probe comes first, of other draws.
    return torch.cat(recorder.seen)[-len(images) * options["draws"] :]


@pytest.mark.parametrize("batch", [1, 50, 64, 100, 299, 300, 600, 1000, 10_000])
def test_noise_is_bit_identical_at_any_batch_size(recorder, images, batch):
    reference = noisy_inputs(recorder, images, batch=100)
    assert torch.equal(noisy_inputs(recorder, images, batch=batch), reference)


@pytest.mark.parametrize("block", [30, 100, 150, 600])
def test_an_image_s_first_draws_are_the_same_however_they_are_divided(
    recorder, images, block
):
    whole = noisy_inputs(recorder, images, batch=600).view(3, 600, 1, 8, 8)
    for draws in (300, 600):
        divided = {"draws": draws, "block": min(block, draws), "batch": 77}
        first = noisy_inputs(recorder, images, **divided).view(3, draws, 1, 8, 8)
        assert torch.equal(first, whole[:, :draws])
    assert whole.min() < 0.0  # it is not clipped
    assert whole.max() > 1.0


def test_noise_is_standard_normal(recorder):
    # 460,800 values: the standard error of the mean is 0.0015, of the variance 0.002.
    grey = np.full((12, 1, 8, 8), 0.5, dtype=np.float32)
    noise = (noisy_inputs(recorder, grey, batch=600) - 0.5) / 0.5
    assert abs(noise.mean()) < 0.008
    assert abs(noise.var() - 1) < 0.012
    blocks = noise.view(24, -1)
    correlation = np.corrcoef(blocks.numpy()) - np.eye(24)
    assert np.abs(correlation).max() < 0.04  # 5 standard errors of 19,200 pairs


@pytest.mark.parametrize("batch", [50, 64, 1000])
def test_votes_agree_at_any_batch_size_but_for_near_ties(network, images, batch):
    reference = sample(network, images, sigma=1.0, draws=2000, seed=1, batch=400)
    votes = sample(network, images, sigma=1.0, draws=2000, seed=1, batch=batch)
    # A vote moves only where two logits agree to floating-point error; such a draw
    # changes two counts by one. None is expected in 6,000 draws.
    assert np.abs(votes.counts - reference.counts).sum() <= 2
    np.testing.assert_allclose(votes.score_sums, reference.score_sums, rtol=1e-6)


def test_votes_are_the_arg_max_and_the_softmax_of_each_draw(recorder, images):
    logits = noisy_inputs(recorder, images).flatten(1)[:, :3].double().view(3, 600, 3)
    votes = sample(recorder, images, sigma=0.5, draws=600, block=300, seed=3)
    counts = nn.functional.one_hot(logits.argmax(dim=2), 3).sum(dim=1)
    np.testing.assert_array_equal(votes.counts, counts)
    scores = logits.softmax(dim=2)
    # Each score is floored to a multiple of 2**-32: at most 600 * 2**-32 below.
    for stored, exact in (
        (votes.score_sums, scores.sum(dim=1).numpy()),
        (votes.score_squares, scores.square().sum(dim=1).numpy()),
    ):
        assert np.all(stored <= exact + 1e-12)
        assert np.all(stored >= exact - 600 * 3 * 2.0**-32)
    assert np.all(votes.score_sums.sum(axis=1) <= votes.draws)


def test_the_seed_decides_and_none_means_a_new_one(network, images):
    def counts(seed):
        return sample(network, images, sigma=1.0, draws=500, seed=seed).counts

    assert np.array_equal(counts(1), counts(1))
    assert not np.array_equal(counts(1), counts(2))
    assert not np.array_equal(counts(None), counts(None))


def test_global_random_state_and_the_model_are_left_alone(network, images):
    network.train()
    before, weights = torch.get_rng_state(), network[1].weight.clone()
    sample(network, images, sigma=1.0, draws=100, seed=1, precision="bf16")
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training
    assert torch.equal(network[1].weight, weights)
    assert network[1].weight.dtype == torch.float32


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_votes_nearly_alike(network, images, precision):
    full = sample(network, images, sigma=0.5, draws=1000, seed=1).counts
    less = sample(
        network, images, sigma=0.5, draws=1000, seed=1, precision=precision
    ).counts
    assert np.abs(full - less).sum() <= 0.05 * full.sum()


def test_a_run_on_disk_equals_one_in_memory(network, images, tmp_path):
    memory = sample(network, images, sigma=1.0, draws=300, block=100, seed=1)
    disk = sample(
        network, images, sigma=1.0, draws=300, block=100, seed=1, out=tmp_path / "run"
    )
    assert memory.digest == disk.digest == read_run(tmp_path / "run").digest


def test_an_interrupted_run_goes_on_and_counts_nothing_twice(
    network, images, tmp_path, monkeypatch
):
    settings = {"sigma": 1.0, "draws": 4000, "block": 50, "batch": 50, "seed": 1}
    whole = sample(network, images, **settings)
    monkeypatch.setattr("simplicert.sampling.engine.PENDING_TASKS", 3)

    class Stop(Exception):
        pass

    def stop(done, total):
        if done > total / 3:
            raise Stop

    with pytest.raises(Stop):
        sample(network, images, **settings, out=tmp_path, progress=stop)
    done = RunDirectory(tmp_path).done()
    assert 0 < done.sum() < done.size  # what was drawn before the error was kept
    seen = []
    resumed = sample(
        network, images, **settings, out=tmp_path, progress=lambda *p: seen.append(p)
    )
    assert resumed.digest == whole.digest
    assert seen[0] == (done.sum() * 50, 12_000)
    again = sample(network, images, **settings, out=tmp_path)  # nothing left to do
    assert again.digest == whole.digest


def test_a_resumed_run_takes_its_seed_from_the_manifest(network, images, tmp_path):
    first = sample(network, images, sigma=1.0, draws=200, out=tmp_path)
    again = sample(network, images, sigma=1.0, draws=200, out=tmp_path)
    assert again.digest == first.digest


def test_a_damaged_part_is_redrawn(network, images, tmp_path):
    settings = {"sigma": 1.0, "draws": 200, "seed": 1, "out": tmp_path}
    first = sample(network, images, **settings)
    [part] = RunDirectory(tmp_path).parts
    part.write_bytes(part.read_bytes()[:-9])
    assert sample(network, images, **settings).digest == first.digest


@pytest.mark.slow
def test_a_second_process_says_so_and_stops(network, images, tmp_path):
    settings = {"sigma": 1.0, "draws": 100, "seed": 1, "out": tmp_path}

    def second(done, total):
        with pytest.raises(InputError, match="another process is drawing into"):
            sample(network, images, **settings)

    sample(network, images, **settings, progress=second)


def test_running_out_of_memory_halves_the_batch(network, images):
    expected = sample(network, images, sigma=1.0, draws=400, seed=1, batch=400)
    sizes = []

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, x):
            sizes.append(len(x))
            if len(x) > 120:
                raise torch.OutOfMemoryError
            return self.inner(x)

    votes = sample(Small(), images, sigma=1.0, draws=400, seed=1, batch=400)
    np.testing.assert_array_equal(votes.counts, expected.counts)
    assert max(sizes[-4:]) == 100


class Broken(nn.Module):
    """Gives NaN for draws whose first pixel is negative."""

    def forward(self, x):
        logits = x.flatten(1)[:, :3].clone()
        logits[logits[:, 0] < 0, 1] = float("nan")
        return logits


def test_nan_logits_stop_the_run_and_name_the_block(images):
    with pytest.raises(InputError, match=r"NaN or infinite .* image 0, block 0"):
        sample(Broken(), images, sigma=0.5, draws=200, block=100, seed=1)


def test_nan_logits_can_be_counted_for_no_class(recorder, images):
    inputs = noisy_inputs(recorder, images).view(3, 600, 64)
    votes = sample(
        Broken(),
        images,
        sigma=0.5,
        draws=600,
        block=300,
        seed=3,
        nonfinite="count",
    )
    np.testing.assert_array_equal(
        votes.counts.sum(axis=1), (inputs[:, :, 0] >= 0).sum(dim=1)
    )
    np.testing.assert_array_equal(votes.draws, 600)
    assert np.all(votes.score_sums.sum(axis=1) <= votes.counts.sum(axis=1))


def test_labels_of_an_array_come_along(network, images):
    votes = sample(network, images, sigma=1.0, draws=100, labels=[3, 1, 9], seed=1)
    np.testing.assert_array_equal(votes.labels, [3, 1, 9])
    assert sample(network, images, sigma=1.0, draws=100, seed=1).labels is None


class Gives(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, x):
        return self.output(x)


@pytest.mark.parametrize(
    "output",
    [
        lambda x: x.mean(),
        lambda x: x.flatten(1)[:, 0],
        lambda x: x.flatten(1)[:, :1],
        lambda x: x,
        lambda x: "cat",
        lambda x: torch.zeros(7, 3),
    ],
    ids=["scalar", "vector", "one class", "image", "text", "other length"],
)
def test_models_that_do_not_return_logits_are_refused(images, output):
    with pytest.raises(InputError, match="must return one row of"):
        sample(Gives(output), images, sigma=0.5, draws=100)


def test_a_number_of_classes_that_changes_is_refused(images):
    def moody(x):
        return x.flatten(1)[:, : 3 if len(x) == 1 else 4]

    with pytest.raises(
        InputError, match=r"one row of 3 logits a draw, .* returned .*\(32, 4\)"
    ):
        sample(Gives(moody), images, sigma=0.5, draws=100)


def test_a_model_for_other_images_is_refused(network):
    with pytest.raises(
        InputError, match=r"raised RuntimeError on images of shape \(1, 3, 8, 8\)"
    ):
        sample(network, np.zeros((2, 3, 8, 8), np.float32), sigma=0.5, draws=100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": 0.0}, "sigma must be a positive, finite number, got 0"),
        ({"sigma": -1.0}, "sigma"),
        ({"sigma": float("inf")}, "sigma must be .* finite number, got inf"),
        ({"sigma": float("nan")}, "sigma"),
        ({"draws": 0}, "draws must be a whole number, at least 1, got 0"),
        ({"draws": 150, "block": 100}, r"draws \(150\) must be a multiple of block"),
        ({"batch": 0}, "batch: .* got 0"),
        ({"block": 0}, "block: .* got 0"),
        ({"seed": -1}, "seed"),
        ({"precision": "fp8"}, "unknown precision 'fp8'"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"threads": 10**9}, "at most 1,024, got 1000000000"),
        ({"nonfinite": "ignore"}, "unknown nonfinite policy"),
        ({"labels": [0, 1]}, "labels must be 3 classes"),
        ({"labels": [0, 1, -1]}, "labels must be 3 classes"),
        ({"labels": [0, 1, 10]}, "labels must lie in 0 … 9"),
    ],
)
def test_bad_arguments_are_named(network, images, changes, message):
    with pytest.raises(InputError, match=message):
        sample(network, images, **({"sigma": 0.5, "draws": 100} | changes))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x * 255, r"image 0 of array has pixels in \[.*outside \[0, 1\]"),
        (lambda x: x - 0.5, "outside"),
        (lambda x: np.where(x == x[2, 0, 0, 0], np.nan, x), "image 2"),
        (lambda x: x[:0], "at least one"),
        (lambda x: x[0, 0, 0], "inputs must be"),
        (lambda x: x.astype(str), "must be numbers"),
    ],
)
def test_images_that_cannot_be_certified_are_refused(network, images, spoil, message):
    with pytest.raises(InputError, match=message):
        sample(network, spoil(images), sigma=0.5, draws=100)


def test_things_that_are_not_models_are_refused(images):
    with pytest.raises(InputError, match="no checkpoint at nowhere"):
        sample("nowhere.safetensors", images, sigma=0.5, draws=100)
