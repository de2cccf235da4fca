import numpy as np
import pytest
import torch
from scipy.special import ndtri, softmax
from scipy.stats import norm
from torch.nn.functional import cross_entropy

from simplicert.training.methods import Macer

IMAGE = torch.zeros(1, 1, 1, 1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def macer_loss(model, images, labels, *, sigma=0.5, done=0.0, seed=0, **parameters):
    loss, _ = Macer(**parameters).loss(
        model, images, labels, sigma=sigma, done=done, generator=generator(seed)
    )
    return loss


def test_by_hand(answers):
    # One draw, probabilities 0.8 and 0.2, beta 1. Cross-entropy: -ln 0.8 = 0.2231.
    # Margin: 2 * ndtri(0.8) = 1.6832. Loss: 0.2231 + 12 * 0.5 / 2 * (8 - 1.6832).
    model = answers(torch.tensor([[0.8, 0.2]]).log())
    found = macer_loss(model, IMAGE, torch.tensor([0]), draws=1, beta=1.0)
    assert found.item() == pytest.approx(19.1735, abs=1e-3)


def test_the_radius_is_the_distance_to_a_linear_boundary():
    # Logits x and -x with a large beta: hard votes for the sign of x + sigma * noise,
    # whose radius is x itself. So sigma / 2 * (gamma - margin) = sigma * gamma / 2 - x.
    x, sigma, draws = 0.3, 0.5, 200_000
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model[1].weight[:] = torch.tensor([[1.0], [-1.0]])
    common = {"sigma": sigma, "draws": draws, "beta": 1e5}
    image, label = torch.full((1, 1, 1, 1), x), torch.tensor([0])
    with torch.no_grad():
        plain = macer_loss(model, image, label, weight=0.0, **common)
        both = macer_loss(model, image, label, weight=1.0, **common)
    # One standard error of sigma * ndtri(share): 0.5 * 0.446 / sqrt(200,000) / 0.333.
    assert (both - plain).item() == pytest.approx(sigma * 8 / 2 - x, abs=4 * 0.0015)


@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_equals_numpy(toy, batch, noise_of, beta):
    images, labels = batch
    model, draws, sigma = toy(), 5, 0.3
    found = macer_loss(model, images, labels, sigma=sigma, draws=draws, beta=beta)

    copies = images.repeat_interleave(draws, dim=0)
    with torch.no_grad():
        logits = model(copies + sigma * noise_of(copies, 0)).numpy().reshape(6, 5, 3)
    plain = softmax(logits, axis=2).mean(axis=1)
    soft = softmax(beta * logits, axis=2).mean(axis=1)
    expected, right = 0.0, 0
    for own, sharp, label in zip(plain, soft, labels.numpy(), strict=True):
        expected -= np.log(own[label]) / 6
        rest = np.delete(sharp, label)
        if sharp[label] > rest.max():
            right += 1
            margin = norm.ppf(sharp[label]) - norm.ppf(rest.max())
            expected += 12 * sigma / 2 * max(8 - margin, 0) / 6
    assert 0 < right < 6
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("gamma", [8.0, 1.5])
def test_gradient_equals_finite_differences(toy, batch, by_differences, gamma):
    model = toy()

    def value():
        return macer_loss(model, *batch, sigma=0.3, draws=5, beta=2.0, gamma=gamma)

    value().backward()
    found = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    expected = by_differences(model, value)
    # Differences of step 1e-5 are off by about 1e-10 times third derivatives.
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    model.zero_grad()
    macer_loss(model, *batch, sigma=0.3, draws=5, weight=0.0).backward()
    plain = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    assert (found - plain).abs().max() > 0.1  # the radius has its part in it


def test_only_cross_entropy_where_all_are_wrong(answers):
    logits = torch.tensor([[0.0, 2.0, 1.0], [1.0, 3.0, 0.0]])
    model, labels = answers(logits), torch.tensor([0, 2])
    found = macer_loss(model, IMAGE.expand(2, 1, 1, 1), labels, draws=1)
    found.backward()
    assert found.item() == pytest.approx(cross_entropy(logits, labels).item())
    assert model.logits.grad.isfinite().all()


def test_margins_beyond_gamma_add_nothing(answers):
    # Margins: 2 * ndtri(0.9) = 2.563 and 2 * ndtri(0.7) = 1.049.
    model = answers(torch.tensor([[0.9, 0.1], [0.7, 0.3]]).log())
    images, labels = IMAGE.expand(2, 1, 1, 1), torch.tensor([0, 0])
    common = {"draws": 1, "beta": 1.0, "sigma": 1.0}
    plain = macer_loss(model, images, labels, weight=0.0, **common)
    both = macer_loss(model, images, labels, weight=1.0, gamma=2.0, **common)
    expected = 0.5 * (2 - 2 * ndtri(0.7)) / 2
    assert (both - plain).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 20.0, 1e3, 1e6, 1e30])
@pytest.mark.parametrize("beta", [1.0, 16.0])
@pytest.mark.parametrize("draws", [1, 2])
def test_extreme_logits_have_finite_gradients(answers, scale, beta, draws):
    rows = torch.randn(200 * draws, 10, generator=generator())
    model, labels = answers(scale * rows), torch.arange(200) % 10
    images = IMAGE.expand(200, 1, 1, 1)
    loss = macer_loss(model, images, labels, draws=draws, beta=beta, gamma=14.0)
    loss.backward()
    assert loss.isfinite()
    assert model.logits.grad.isfinite().all()


def test_certainty_is_measured_to_the_end_of_the_hinge(answers):
    # In float32, 1 - 1e-10 is 1. The other class knows better: a margin of 2 * 6.3613.
    logits = torch.tensor([[0.0, float(np.log(1e-10))]])
    model = answers(logits)
    found = macer_loss(
        model, IMAGE, torch.tensor([0]), draws=1, beta=1.0, gamma=14.0, weight=1.0
    )
    found.backward()
    assert found.item() == pytest.approx(0.25 * (14 + 2 * ndtri(1e-10)), rel=1e-4)
    assert model.logits.grad[0, 0] < 0


def test_the_radius_waits_for_its_start(toy, batch):
    losses = [
        macer_loss(toy(), *batch, done=done, start=0.5, draws=2).item()
        for done in (0.0, 0.49, 0.5)
    ]
    assert losses[0] == losses[1] == macer_loss(toy(), *batch, draws=2, weight=0)
    assert losses[2] == macer_loss(toy(), *batch, draws=2)
    assert losses[2] > losses[0] + 1
