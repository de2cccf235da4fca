import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from scipy.stats import entropy
from torch.nn.functional import cross_entropy

from simplicert.training.methods import Consistency

IMAGE = torch.zeros(1, 1, 1, 1)


def consistency_loss(model, images, labels, *, sigma=0.5, seed=0, **parameters):
    loss, _ = Consistency(**parameters).loss(
        model,
        images,
        labels,
        sigma=sigma,
        done=0.0,
        generator=torch.Generator().manual_seed(seed),
    )
    return loss


def test_by_hand(answers):
    # Draws (0.9, 0.1) and (0.5, 0.5), mean (0.7, 0.3).
    # Cross-entropy: -(ln 0.9 + ln 0.5) / 2 = 0.39925.
    # Divergences: 0.7 ln(0.7 / 0.9) + 0.3 ln(0.3 / 0.1) = 0.15366 and
    # 0.7 ln(0.7 / 0.5) + 0.3 ln(0.3 / 0.5) = 0.08228. Entropy: 0.61086.
    # 0.39925 + 10 * (0.15366 + 0.08228) / 2 + 0.5 * 0.61086 = 1.88438
    model = answers(torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log())
    found = consistency_loss(model, IMAGE, torch.tensor([0]))
    assert found.item() == pytest.approx(1.88438, abs=1e-4)


@pytest.mark.parametrize("draws", [2, 5])
def test_equals_scipy(toy, batch, noise_of, draws):
    images, labels = batch
    model, sigma = toy(), 0.3
    found = consistency_loss(
        model, *batch, sigma=sigma, draws=draws, weight=7.0, entropy_weight=0.3
    )
    copies = images.repeat_interleave(draws, dim=0)
    with torch.no_grad():
        logits = model(copies + sigma * noise_of(copies, 0)).numpy()
    each = softmax(logits.reshape(6, draws, 3), axis=2)
    mean = each.mean(axis=1)
    own = each[np.arange(6), :, labels.numpy()]
    divergence = rel_entr(mean[:, None], each).sum(axis=2).mean()
    expected = -np.log(own).mean() + 7 * divergence + 0.3 * entropy(mean, axis=1).mean()
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_gradient_equals_finite_differences(toy, batch, by_differences):
    model = toy()

    def value():
        return consistency_loss(model, *batch, draws=3)

    value().backward()
    found = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    # Differences of step 1e-5 are off by about 1e-10 times third derivatives.
    expected = by_differences(model, value)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_draws_that_agree_do_not_diverge(toy, batch):
    # At sigma 0 all draws are the same.
    images, labels = batch
    found = consistency_loss(toy(), *batch, sigma=0.0, weight=1e6, entropy_weight=0.0)
    with torch.no_grad():
        expected = cross_entropy(toy()(images), labels)
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    assert consistency_loss(toy(), *batch, weight=1e6, entropy_weight=0.0) > 100


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6, 1e30])
def test_extreme_logits_have_finite_gradients(answers, scale):
    rows = torch.randn(400, 10, generator=torch.Generator().manual_seed(0))
    model, labels = answers(scale * rows), torch.arange(200) % 10
    loss = consistency_loss(model, IMAGE.expand(200, 1, 1, 1), labels)
    loss.backward()
    assert loss.isfinite()
    assert model.logits.grad.isfinite().all()
