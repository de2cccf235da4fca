"""Who computes a step's shares decides nothing, and what they are the recipe alone."""

import numpy as np
import pytest
import torch
from torch import nn

from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.models.catalogue import ARCHITECTURES
from simplicert.training import load_recipe, train
from simplicert.training.epoch import shares_of_epoch
from simplicert.training.processes import Processes
from simplicert.training.seeds import piece_seed
from simplicert.training.statistics import Statistics

DIGITS = load_dataset("digits", split="train").select(np.arange(200))


def recipe(**overrides):
    return load_recipe("digits", **{"epochs": 2, "batch_size": 64} | overrides)


def weights(**overrides):
    model, _ = train(DIGITS, recipe(**overrides))
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def shares(images, *, rank=0, world=1, epoch=0, **overrides):
    return shares_of_epoch(
        images, recipe(**overrides), epoch=epoch, processes=Processes(rank, world)
    )


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("images", [200, 192, 64, 63])
def test_shares_divide_the_images_of_every_step(count, images):
    found = shares(images, shares=count)
    positions = np.concatenate([share.positions for share in found])
    assert sorted(positions) == list(range(images))
    for step in range(found[-1].step + 1):
        of_step = [share for share in found if share.step == step]
        sizes = [len(share.positions) for share in of_step]
        assert [share.number for share in of_step] == list(range(count))
        assert sum(sizes) == min(64, images - 64 * step)
        assert max(sizes) - min(sizes) <= 1
        assert [share.weight * sum(sizes) for share in of_step] == pytest.approx(sizes)
        assert [share.last for share in of_step] == [False] * (count - 1) + [True]


@pytest.mark.parametrize("world", [2, 4])
def test_processes_take_the_shares_in_turn(world):
    alone = {(s.step, s.number): s.positions for s in shares(200, shares=4)}
    for rank in range(world):
        own = shares(200, shares=4, rank=rank, world=world)
        assert [s.number for s in own[: 4 // world]] == list(range(rank, 4, world))
        assert [s.last for s in own[: 4 // world]][-1]
        assert sum(s.last for s in own) == 4
        for share in own:
            found = alone.pop((share.step, share.number))
            assert np.array_equal(found, share.positions)
    assert not alone


def test_epochs_differ_in_order():
    first, second = (shares(200, epoch=epoch)[0].positions for epoch in (0, 1))
    assert sorted(first) != sorted(second)


def test_a_rest_of_fewer_images_than_shares_is_left_out():
    found = shares(64 + 3, shares=4)
    assert {share.step for share in found} == {0}
    with pytest.raises(InputError, match="3 images are not enough for 4 shares"):
        shares(3, shares=4)


def test_processes_that_cannot_divide_the_shares_are_refused():
    with pytest.raises(InputError, match=r"2 processes cannot divide 3 .*shares = 2"):
        shares(200, shares=3, world=2)


def test_pieces_have_seeds_of_their_own():
    pieces = [(e, s, n) for e in range(9) for s in range(9) for n in range(9)]
    keys = [*pieces, *((e, s) for e, s, _ in pieces), *((e,) for e in range(9))]
    seeds = {piece_seed(0, *key) for key in keys}
    assert len(seeds) == len(set(keys))


# Without noise the shares' sum is the gradient of the whole batch: the same weights but
# for the order of 64 summands, after 8 steps; float32 has 7 digits.
@pytest.mark.parametrize("count", [2, 3, 4])
def test_gradients_add_up_to_the_batch_s(count):
    whole = weights(sigma=0.0)
    divided = weights(sigma=0.0, shares=count)
    torch.testing.assert_close(divided, whole, rtol=0, atol=2e-6)
    assert (whole - weights(sigma=0.0, seed=1)).abs().max() > 1e-2


class Recorder(nn.Module):
    """Answers with constant logits, and keeps what it was shown."""

    def __init__(self, *, shape, classes):  # noqa: ARG002 (an architecture)
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(classes))
        self.shown = []

    def forward(self, images):
        self.shown.append(images)
        return self.bias.expand(len(images), -1)


def test_every_share_has_noise_of_its_own(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "recorder", Recorder)
    fields = {"architecture": "recorder", "sigma": 100.0, "shares": 2}
    model, _ = train(DIGITS, recipe(**fields))
    shown = [images[:4] for images in model.shown]
    assert len(shown) == 2 * 4 * 2  # epochs, steps and shares
    for number, noisy in enumerate(shown):
        for other in shown[:number]:
            # Of the same noise, images in [0, 1] would differ by 1 at most.
            assert (noisy - other).abs().max() > 10


def test_batch_norm_moves_once_a_step_to_the_mean_over_shares():
    norm = nn.BatchNorm2d(3)
    torch.manual_seed(0)
    first, second = torch.randn(2, 50, 3, 4, 4) + torch.tensor([[[[[1]]]], [[[[2]]]]])
    statistics = Statistics(norm, 2, Processes())
    for images, last in ((first, False), (second, True)):
        norm(images)
        statistics.end_share(last=last)
    mean = torch.stack([first, second]).mean(dim=(0, 1, 3, 4))
    torch.testing.assert_close(norm.running_mean, 0.1 * mean)
    spread = (first.var(dim=(0, 2, 3)) + second.var(dim=(0, 2, 3))) / 2
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * spread)
    assert norm.num_batches_tracked == 1


def test_batch_norm_of_one_share_is_left_alone():
    ours, theirs = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    statistics = Statistics(ours, 1, Processes())
    images = torch.randn(9, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    for norm in (ours, theirs):
        norm(images)
    statistics.end_share(last=True)
    assert torch.equal(ours.running_mean, theirs.running_mean)
    assert ours.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("images", "options", "seen"),
    [
        (65, {}, 64),  # a last step of one image, of which batch norm has no variance
        (66, {}, 66),
        (67, {"shares": 2}, 64),
        (68, {"shares": 2}, 68),
        (1, {}, 1),
        (5, {"batch_size": 1}, 5),  # as asked
    ],
)
def test_a_last_step_too_small_for_batch_norm_is_left_out(images, options, seen):
    assert sum(len(share.positions) for share in shares(images, **options)) == seen
