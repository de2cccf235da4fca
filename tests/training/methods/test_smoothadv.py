import numpy as np
import pytest
import torch
from torch import nn

from simplicert.training.methods import SmoothAdv


def smoothadv_loss(model, images, labels, *, sigma=0.5, done=0.0, seed=0, **parameters):
    loss, _ = SmoothAdv(**parameters).loss(
        model,
        images,
        labels,
        sigma=sigma,
        done=done,
        generator=torch.Generator().manual_seed(seed),
    )
    return loss


def linear(weights, bias=(0.0, 0.0)):
    """Two classes, in float64."""
    weights = torch.tensor(weights, dtype=torch.float64)
    layer = nn.Linear(weights.shape[1], 2).double()
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = weights, torch.tensor(bias)
    return nn.Sequential(nn.Flatten(), layer)


class Watched(nn.Module):
    """A network that remembers what it was shown, and in which mode."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.shown = []

    def forward(self, images):
        self.shown.append((images.detach().clone(), self.training))
        return self.network(images)


def with_batch_norm():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Conv2d(1, 4, 2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4, 3),
        )


def test_by_hand():
    # Logits 2x and -2x, x = 0.8, label 0, no noise: the worst point of [0.3, 1.3] is
    # 0.3, where the loss is ln(1 + exp(-4 * 0.3)) = 0.26328.
    model = linear([[2.0], [-2.0]])
    image = torch.full((1, 1, 1, 1), 0.8).double()
    found = smoothadv_loss(model, image, torch.tensor([0]), sigma=0.0, epsilon=0.5)
    assert found.item() == pytest.approx(0.26328, abs=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_linear_classifier_is_attacked_straight_at_its_boundary(
    batch, noise_of, steps
):
    # The logits' difference falls fastest along the difference of the weights, w, so
    # the worst point is x - epsilon * w / |w|, whatever the noise.
    images, labels = batch[0], batch[1] % 2
    weights = np.array([[1.0, -2.0, 0.5, 3.0], [0.5, 1.0, 1.0, -1.0]])
    found = smoothadv_loss(
        linear(weights, (0.3, -0.2)), images, labels, draws=3, steps=steps, epsilon=0.7
    )
    noise = noise_of(images.repeat_interleave(3, dim=0), 0).numpy().reshape(6, 3, 4)
    noisy = images.numpy().reshape(6, 1, 4) + 0.5 * noise
    sign = np.where(labels.numpy() == 0, 1.0, -1.0)[:, None]
    w = weights[0] - weights[1]
    advantage = sign * (noisy @ w + 0.5) - 0.7 * np.linalg.norm(w)
    expected = np.log1p(np.exp(-advantage)).mean()
    # Torch's projection ends 1e-7 inside the ball, on the safe side.
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_gradient_equals_finite_differences(batch, by_differences):
    # The attack finds a linear classifier's exact maximum, whose gradient is that at
    # the point where it lies (Danskin), so the moving point changes nothing.
    images, labels = batch[0], batch[1] % 2
    model = linear([[1.0, -2.0, 0.5, 3.0], [0.5, 1.0, 1.0, -1.0]])

    def value():
        return smoothadv_loss(model, images, labels, draws=3, epsilon=0.7)

    value().backward()
    found = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    # Differences of step 1e-5 are off by about 1e-10 times third derivatives.
    expected = by_differences(model, value)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 2.0])
def test_images_move_by_at_most_epsilon_and_the_noise_stays(toy, batch, epsilon):
    model = Watched(toy())
    smoothadv_loss(model, *batch, draws=3, steps=4, epsilon=epsilon)
    shown = torch.stack([images for images, _ in model.shown])
    assert shown.shape == (5, 18, 1, 2, 2)
    moved = (shown - shown[0]).reshape(5, 6, 3, 4)  # the attack starts at the image
    assert torch.equal(shown[0], shown[0] + 0 * epsilon)
    # The same noise in all passes: draws of an image move together.
    torch.testing.assert_close(moved, moved[:, :, :1].expand_as(moved))
    length = moved.norm(dim=3)
    assert length.max() <= epsilon + 1e-12
    if epsilon:
        assert length[-1].min() > 0.5 * epsilon


def test_the_mean_probability_is_attacked_not_each_draw(toy, batch, noise_of):
    # The gradient of log(mean of softmax), not of mean(log of softmax).
    images, labels = batch
    model = Watched(toy())
    smoothadv_loss(model, images, labels, sigma=1.0, draws=3, steps=1, epsilon=0.1)
    (before, _), (after, _) = model.shown
    moved = (after - before).reshape(6, 3, 4)[:, 0]

    copies = images.repeat_interleave(3, dim=0)
    free = images.clone().requires_grad_()
    logits = toy()(free.repeat_interleave(3, dim=0) + noise_of(copies, 0))
    mean = logits.softmax(dim=1).reshape(6, 3, 3).mean(dim=1)
    mean[range(6), labels].log().sum().backward()
    expected = -0.1 * nn.functional.normalize(free.grad.flatten(1))
    torch.testing.assert_close(moved, expected, rtol=1e-5, atol=1e-8)


def test_attacks_raise_the_loss(toy, batch):
    losses = [
        smoothadv_loss(toy(), *batch, draws=8, steps=10, epsilon=epsilon).item()
        for epsilon in (0.0, 0.1, 0.3, 1.0)
    ]
    assert losses == sorted(losses)
    assert losses[-1] > losses[0] + 0.5


def test_attacks_leave_the_network_alone():
    model = Watched(with_batch_norm()).train()
    norm, images = model.network[1], torch.rand(8, 1, 2, 2)
    before = [weight.detach().clone() for weight in model.parameters()]
    loss = smoothadv_loss(model, images, torch.arange(8) % 3, steps=3)
    # The attack's passes are in eval mode; training's own, the last, is not.
    assert [training for _, training in model.shown] == [False, False, False, True]
    assert all(module.training for module in model.modules())
    assert norm.num_batches_tracked == 1
    assert all(weight.grad is None for weight in model.parameters())
    assert all(map(torch.equal, before, model.parameters()))
    loss.backward()
    # And gradients are those of the last pass alone.
    once = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    logits = model.network(model.shown[-1][0])
    nn.functional.cross_entropy(
        logits, torch.arange(8).repeat_interleave(2) % 3
    ).backward()
    for weight, expected in zip(model.parameters(), once, strict=True):
        torch.testing.assert_close(weight.grad, expected)


def test_epsilon_warms_up(toy, batch):
    losses = {
        done: smoothadv_loss(toy(), *batch, done=done, warmup=0.5, epsilon=0.4).item()
        for done in (0.0, 0.25, 0.5, 0.9)
    }
    expected = {
        epsilon: smoothadv_loss(toy(), *batch, epsilon=epsilon).item()
        for epsilon in (0.0, 0.2, 0.4)
    }
    assert losses[0.0] == expected[0.0]
    assert losses[0.25] == pytest.approx(expected[0.2])
    assert losses[0.5] == losses[0.9] == expected[0.4]


def test_no_gradient_no_step(answers, batch):
    class Constant(nn.Module):
        def forward(self, images):
            return 0 * images.flatten(1)[:, :3] + torch.tensor([0.0, 1.0, 2.0])

    loss = smoothadv_loss(Constant(), *batch)
    assert loss.isfinite()
