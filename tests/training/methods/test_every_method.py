import pytest
import torch
from pydantic import ValidationError
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from simplicert.training.methods import BUILT_IN, Consistency, Macer, SmoothAdv

IMAGES = torch.rand(12, 1, 6, 6, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(12) % 3
CLASSIFYING = {name: each for name, each in BUILT_IN.items() if not each.denoises}
every_method = pytest.mark.parametrize("method", CLASSIFYING.values(), ids=CLASSIFYING)


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        convolution = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        return nn.Sequential(convolution, nn.Flatten(), nn.Linear(8 * 16, 3)).train()


def loss_of(method, model, *, sigma=0.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return method().loss(
        model, IMAGES, LABELS, sigma=sigma, done=0.5, generator=generator
    )


def gradients(model):
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


@every_method
def test_the_generator_decides(method):
    before = torch.get_rng_state()
    first, _ = loss_of(method, network())
    assert first == loss_of(method, network())[0]
    assert first != loss_of(method, network(), seed=1)[0]
    assert torch.equal(before, torch.get_rng_state())


@every_method
def test_the_network_stays_in_training_mode(method):
    model = network()
    loss, logits = loss_of(method, model)
    assert all(module.training for module in model.modules())
    assert loss.shape == ()
    assert logits.shape == (12, 3)
    assert model[0][1].num_batches_tracked == 1  # one pass that counts, with all copies


@every_method
def test_mixed_precision_is_near_full_precision(method):
    exact, rounded = network(), network()
    expected, _ = loss_of(method, exact)
    expected.backward()
    with torch.autocast("cpu", torch.bfloat16):
        loss, logits = loss_of(method, rounded)
    loss.backward()
    assert loss.dtype == logits.dtype == torch.float32
    # bf16 has 8 bits: 0.4 % a rounding, of logits of about 1.
    assert loss.item() == pytest.approx(expected.item(), rel=0.03)
    agreement = torch.cosine_similarity(gradients(exact), gradients(rounded), dim=0)
    assert agreement > 0.98


@pytest.fixture
def one_process(tmp_path):
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


@every_method
def test_distributed_networks_get_the_same_gradients(method, one_process):
    alone, wrapped = network(), DistributedDataParallel(network())
    passes = []
    wrapped.register_forward_hook(lambda *_: passes.append(1))
    for seed in range(2):  # a pass that was never reduced shows in the next one
        alone.zero_grad()
        wrapped.zero_grad()
        expected, _ = loss_of(method, alone, seed=seed)
        expected.backward()
        loss, _ = loss_of(method, wrapped, seed=seed)
        loss.backward()
        assert loss == expected
        assert torch.equal(gradients(alone), gradients(wrapped))
    assert len(passes) == 2  # it wants a backward pass after each


@every_method
def test_passes_are_counted(method):
    model, seen = network(), []
    model.register_forward_hook(lambda _model, args, _logits: seen.append(len(args[0])))
    loss_of(method, model)
    assert sum(seen) == method().passes * len(IMAGES)


@every_method
def test_it_learns(method):
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02)
    right = []
    for seed in range(120):
        optimiser.zero_grad()
        loss, logits = loss_of(method, model, sigma=0.25, seed=seed)
        loss.backward()
        optimiser.step()
        right.append((logits.argmax(dim=1) == LABELS).double().mean().item())
    # Not the loss: that of MACER rises as images become right.
    assert sum(right[-20:]) / 20 > sum(right[:5]) / 5 + 0.25


BAD = [
    (Macer, "draws", 0),
    (Macer, "draws", 1.5),
    (Macer, "beta", 0.0),
    (Macer, "beta", float("inf")),
    (Macer, "gamma", 0.0),
    (Macer, "gamma", 15.0),
    (Macer, "weight", -1.0),
    (Macer, "start", 1.0),
    (SmoothAdv, "draws", 0),
    (SmoothAdv, "steps", 0),
    (SmoothAdv, "epsilon", -0.1),
    (SmoothAdv, "epsilon", float("nan")),
    (SmoothAdv, "warmup", -0.1),
    (Consistency, "draws", 1),
    (Consistency, "weight", -1.0),
    (Consistency, "entropy_weight", float("inf")),
    (Consistency, "beta", 1.0),
]


@pytest.mark.parametrize(("method", "field", "value"), BAD)
def test_bad_parameters_are_named(method, field, value):
    with pytest.raises(ValidationError, match=rf"(?m)^{field}$"):
        method(**{field: value})
