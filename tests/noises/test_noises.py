"""Noises are what their proofs say: laws of unit variance, from a generator."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from scipy.stats import uniform as flat

from simplicert.errors import InputError
from simplicert.noises import NOISES, Noise
from simplicert.noises.uniform import HALF_SIDE
from simplicert.sampling.noisy import Chunk, NoisyInputs, check_noise

LAWS = {
    "gaussian": norm.cdf,
    "uniform": flat(loc=-(3**0.5), scale=2 * 3**0.5).cdf,
}
every_noise = pytest.mark.parametrize(
    "noise", NOISES.built_in.values(), ids=lambda noise: noise.name
)


def drawn(noise, values=200_000, seed=0):
    found = torch.full((values,), torch.nan)
    noise.fill(found, torch.Generator().manual_seed(seed))
    return found.double().numpy()


def test_every_noise_has_a_law_here():
    assert set(LAWS) == set(NOISES.built_in)


@every_noise
def test_the_law_is_that_of_the_proof(noise):
    assert kstest(drawn(noise), LAWS[noise.name]).pvalue > 1e-3
    check_noise(noise)


def test_the_cube_is_no_smaller_than_radii_are_computed_for():
    assert 3.0**0.5 <= HALF_SIDE < 3.0**0.5 * (1 + 2**-22)
    values = drawn(NOISES.find("uniform"))
    assert np.abs(values).max() <= HALF_SIDE
    assert np.abs(values).max() > 0.9999 * HALF_SIDE


@every_noise
@pytest.mark.parametrize("shape", [(5,), (3, 7), (1, 4, 4), (3, 16, 16), (2, 3, 4, 5)])
def test_inputs_of_any_shape_get_the_same_noise_however_it_is_divided(noise, shape):
    inputs = [torch.rand(shape, generator=torch.Generator().manual_seed(1))]
    chunks = [Chunk(row=0, draws=20, seed=seed) for seed in range(6)]

    def filled(capacity):
        buffer = NoisyInputs(
            shape,
            noise=noise,
            capacity=capacity,
            sigma=0.5,
            dtype=torch.float32,
            device=torch.device("cpu"),
        )
        found = []
        step = capacity // 20
        for start in range(0, len(chunks), step):
            count = buffer.fill(chunks[start : start + step], inputs)
            found.append(buffer.inputs[:count].clone())
        return torch.cat(found)

    whole = filled(120)
    assert whole.shape == (120, *shape)
    assert torch.equal(whole, filled(20))
    assert torch.equal(whole, filled(60))
    away = ((whole - inputs[0]) / 0.5).double()
    assert abs(float(away.std()) - 1) < 0.15


def test_facts_are_equal_where_noise_is():
    gaussian = NOISES.find("gaussian")
    assert gaussian.facts == Noise("gaussian", "l2")
    assert gaussian.facts.fill is None
    assert str(gaussian) == "gaussian noise, l2 balls"
    with pytest.raises(InputError, match="did you mean 'gaussian'"):
        NOISES.find("gausian")
