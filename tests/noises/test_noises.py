"""Noises are what their proofs say: exact laws of unit variance, of random bits."""

from fractions import Fraction
from importlib import import_module

import mpmath
import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from scipy.stats import uniform as flat

from simplicert.errors import InputError
from simplicert.noises import FLOAT32, NOISES, Noise, displacement, gaussian, in_float32
from simplicert.noises.gaussian import _CELLS, Cells
from simplicert.noises.grid import grid_step
from simplicert.noises.uniform import half_side
from simplicert.sampling.noisy import NoisyInputs, check_noise, chunks_of
from simplicert.sampling.philox import philox, words_at
from simplicert.sampling.seeds import Stream
from simplicert.sampling.steps import on_device, on_host

CPU = torch.device("cpu")
LAWS = {
    "gaussian": norm.cdf,
    "uniform": flat(loc=-(3**0.5), scale=2 * 3**0.5).cdf,
}
every_noise = pytest.mark.parametrize(
    "noise", NOISES.built_in.values(), ids=lambda noise: noise.name
)
every_scale = pytest.mark.parametrize(
    "scale", [2.0**40, 1.37 * 2.0**40, 1.99 * 2.0**40]
)


def drawn(noise, how, scale, values=300_000):
    streams = [Stream(seed=5, image=3, chunk=chunk) for chunk in range(3)]
    if how == "host":
        draw = on_host(noise, scale)
        return np.concatenate([draw(stream, values // 3) for stream in streams])
    return on_device(noise, scale, CPU)(streams, values // 3).numpy()


def test_every_noise_has_a_law_here():
    assert set(LAWS) == set(NOISES.built_in)


@every_noise
@every_scale
@pytest.mark.parametrize("how", ["host", "device"])
def test_the_law_is_that_of_the_proof(noise, scale, how):
    values = drawn(noise, how, scale) / scale
    assert kstest(values, LAWS[noise.name]).pvalue > 1e-3
    # Its own low digits are as likely as any others.
    digits = drawn(noise, how, scale) % 4096
    assert kstest((digits + 0.5) / 4096, "uniform").pvalue > 1e-3


@every_noise
def test_a_chunk_on_a_device_is_the_same_in_any_company(noise):
    draw = on_device(noise, 1.5 * 2.0**40, CPU)
    streams = [Stream(seed=2**63, image=2**40, chunk=chunk) for chunk in (0, 7, 9)]
    together = draw(streams, 5000)
    for stream, part in zip(streams, together.view(3, -1), strict=True):
        assert torch.equal(draw([stream], 5000), part)


def test_no_generator_is_asked_for_more_words_than_a_small_gpu_has_threads(monkeypatch):
    # Else which thread gives which word depends on the GPU, and so does the noise.
    asked, random = [], torch.Tensor.random_

    def watched(tensor, *args, **how):
        asked.append(tensor.numel())
        return random(tensor, *args, **how)

    monkeypatch.setattr(torch.Tensor, "random_", watched)
    draw = on_device(gaussian, 2.0**40, CPU)
    draw([Stream(seed=5, image=3, chunk=chunk) for chunk in range(2)], 100_000)
    assert sum(asked) == 200_000
    assert max(asked) <= 128 * 256


class TestGaussianIsExact:
    """Cells and what remains make up the law of floor(sigma Z / q), to 60 digits."""

    @staticmethod
    def mass(step, scale):
        """Of a step and its mirror image, in 2**-49, by an independent library."""
        low, high = (mpmath.mpf(step + i) / mpmath.mpf(scale) for i in (0, 1))
        return (mpmath.ncdf(-low) - mpmath.ncdf(-high)) * 2 * mpmath.mpf(2) ** 49

    @every_scale
    @mpmath.workdps(110)
    def test_a_step_has_its_mass(self, scale):
        cells = Cells(scale)
        random = np.random.default_rng(0)
        cell = np.concatenate([np.arange(4), random.integers(4, _CELLS, 60)])
        steps = (cell << 33) + random.integers(0, 2**33, len(cell))
        for step in [0, 2**33 - 1, 2**33, *steps.tolist()]:
            base, weight = (
                float(each[step >> 33]) for each in (cells.base, cells.weights)
            )
            share = mpmath.mpf(str(cells.share(step)))
            ours = base + share * mpmath.mpf(cells.unit) * weight
            theirs = self.mass(step, scale)
            assert (
                abs(ours - theirs)
                < mpmath.mpf(10) ** -45 * theirs + mpmath.mpf(10) ** -60
            )

    @every_scale
    def test_what_remains_is_a_probability_everywhere(self, scale):
        cells = Cells(scale)
        # The density falls, so that a cell's ends are its extremes.
        for cell in [*range(0, 1500, 7), *range(1500, _CELLS, 97)]:
            first, last = cells.share(cell << 33), cells.share((cell + 1 << 33) - 1)
            assert 0 <= last <= first <= 1

    @every_scale
    def test_tables_hold_whole_parts(self, scale):
        cells = Cells(scale)
        for parts in (cells.base, cells.weights):
            assert (parts >= 0).all()
            assert parts.sum() <= 2**16
            table = cells.table(parts)
            found = np.bincount(table[table >= 0] >> 33, minlength=_CELLS)
            np.testing.assert_array_equal(found, parts)
            assert (table[table < 0] == -(2**63)).all()
        assert cells.base.sum() > 0.99 * 2**16  # else it is slow

    def test_words_are_read_as_described(self):
        scale = 1.5 * 2.0**40
        cells = Cells(scale)
        law = gaussian.on_grid(scale, np, np.asarray)
        last = int(cells.base.sum())
        # Cell 0 at its step 5; the same below 0; cell 1's first step; no cell.
        words = [5 << 31, 5 << 31 | 1 << 16, int(cells.base[0]), last]
        steps, missing = law.quick(np.array(words))
        assert missing.tolist() == [False, False, False, True]
        assert steps[:3].tolist() == [5, -6, 2**33]

    def test_floats_decide_as_sixty_digits_would(self, monkeypatch):
        scale = 1.1 * 2.0**40
        law = gaussian.on_grid(scale, np, np.asarray)
        words = np.random.default_rng(1).integers(-(2**63), 2**63, (3, 3000))
        steps, accepted = law.careful(words.copy())
        monkeypatch.setattr(import_module("simplicert.noises.gaussian"), "_DOUBT", 2.0)
        again, exactly = law.careful(words)
        np.testing.assert_array_equal(steps, again)
        np.testing.assert_array_equal(accepted, exactly)
        assert 0.5 < accepted.mean() < 0.9

    @pytest.mark.parametrize("off", [-3, -2, -1, 0, 1, 2])
    def test_the_last_of_128_bits_decides(self, off):
        # The number next to the share is below it or not; float64 cannot tell.
        scale = 2.0**40
        law = gaussian.on_grid(scale, np, np.asarray)
        cells = Cells(scale)
        first = 0
        step = int(law.careful(np.zeros((3, 1), dtype=np.int64))[0][0])
        assert step == int(cells.table(cells.weights)[first])
        share = Fraction(cells.share(step))
        number = int(share * 2**128) + off
        high, low = divmod(number, 2**64)
        words = np.array([[first], [high], [low]], dtype=np.uint64).view(np.int64)
        _, accepted = law.careful(words)
        assert accepted[0] == (number < share * 2**128)


class TestUniformIsExact:
    @every_scale
    def test_the_cube_is_no_smaller_than_radii_are_computed_for(self, scale):
        half = half_side(scale)
        assert half**2 >= 3 * Fraction(scale) ** 2 > (half - 1) ** 2

    def test_every_step_has_as_many_words(self):
        law = NOISES.find("uniform").on_grid(1.0, np, np.asarray)  # half a side is 2
        words = np.arange(-(2**12), 2**12, dtype=np.int64)
        steps, missing = law.quick(words)
        assert not missing.any()
        assert dict(
            zip(*np.unique(steps, return_counts=True), strict=True)
        ) == dict.fromkeys((-2, -1, 0, 1), 2**11)
        large = NOISES.find("uniform").on_grid(2.0**40, np, np.asarray)
        sides = 2 * half_side(2.0**40)
        most = 2**63 // sides * sides  # what is above would make some steps likelier
        _, missing = large.quick(
            np.array([2 * most - 1, 2 * most], dtype=np.uint64).view(np.int64)
        )
        assert missing.tolist() == [False, True]

    @pytest.mark.parametrize("xp", [np, torch])
    def test_a_cube_of_a_power_of_two_steps_takes_every_word(self, xp):
        scale = 3**-0.5 * 2.0**41  # from -1 to 1
        assert half_side(scale) == 2**41
        law = NOISES.find("uniform").on_grid(scale, xp, xp.asarray)
        steps, missing = law.quick(xp.asarray([0, -1, 2**63 - 1, -(2**63)]))
        assert not missing.any()
        assert steps.tolist() == [-(2**41), 2**41 - 1, 2**41 - 1, -(2**41)]


def test_philox_gives_the_published_answers():
    # Random123 1.09, kat_vectors, philox4x32 10.
    ones = 2**32 - 1
    for counter, key, answer in (
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ones] * 4, [ones] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ):
        tensors = ([torch.tensor([each]) for each in part] for part in (counter, key))
        assert [int(each) for each in philox(*tensors)] == answer


def test_words_of_a_place_are_its_own():
    keys, places = torch.tensor([5, 5, 6, 5]), torch.tensor([1, 2, 1, 1])
    found = words_at(keys, places, torch.tensor([0, 0, 0, 1]))
    assert found.shape == (3, 4)
    assert len(found.unique()) == 12
    assert torch.equal(found[:, :1], words_at(keys[:1], places[:1], torch.tensor([0])))


def test_streams_are_functions_of_their_numbers():
    stream = Stream(seed=2**64 - 1, image=2**62, chunk=3)
    ours = stream.bits().random_raw(6)
    # The same by hand, as one key of 128 bits and one counter of 256.
    theirs = np.random.Philox(key=2**64 - 1 + (2**62 << 64), counter=3 << 192)
    np.testing.assert_array_equal(ours, theirs.random_raw(6))
    others = [
        Stream(seed=1, image=2**62, chunk=3),
        Stream(seed=2**64 - 1, image=2**62 + 1, chunk=3),
        Stream(seed=2**64 - 1, image=2**62, chunk=4),
        Stream(seed=2**64 - 1, image=2**62, chunk=3, purpose=1),
    ]
    seen = {tuple(each.bits().random_raw(6)) for each in [stream, *others]}
    assert len(seen) == 5
    assert len({each.seeds() for each in [stream, *others]}) == 5


def test_two_seeds_that_once_gave_one_noise_no_longer_do():
    # The old start of a run was 32 bits of its seed's hash, equal for these two.
    first, second = (
        Stream(seed=seed, image=0, chunk=0).bits().random_raw(9)
        for seed in (14375, 53572)
    )
    assert not np.isin(first, second).any()


@every_noise
@pytest.mark.parametrize("shape", [(5,), (3, 7), (1, 4, 4), (3, 16, 16), (2, 3, 4, 5)])
def test_inputs_of_any_shape_get_the_same_noise_however_it_is_divided(noise, shape):
    inputs = [torch.rand(shape, generator=torch.Generator().manual_seed(1))]

    def filled(*pieces):
        buffer = NoisyInputs(
            shape,
            noise=noise,
            capacity=120,
            sigma=0.5,
            dtype=torch.float32,
            device=CPU,
        )
        found, first = [], 0
        for draws in pieces:
            chunks = chunks_of(0, seed=4, image=2, first=first, draws=draws, size=20)
            found.append(buffer.fill(chunks, inputs).clone())
            first += draws
        return torch.cat(found)

    whole = filled(120)
    assert whole.shape == (120, *shape)
    for pieces in ([20] * 6, [60, 60], [1, 2, 3, 50, 64], [119, 1], [7] * 17 + [1]):
        assert torch.equal(whole, filled(*pieces))
    away = ((whole - inputs[0]) / 0.5).double()
    assert abs(float(away.std()) - 1) < 0.15


class TestTheSum:
    """Input and noise are added exactly, and rounded once."""

    @staticmethod
    def noisy(values, sigma, dtype=torch.float32, noise=gaussian):
        buffer = NoisyInputs(
            values.shape,
            noise=noise,
            capacity=10,
            sigma=sigma,
            dtype=dtype,
            device=CPU,
        )
        chunks = chunks_of(0, seed=1, image=0, first=0, draws=10, size=10)
        stream = chunks[0].stream
        steps = on_host(noise, sigma / grid_step(sigma))(stream, 10 * values.numel())
        return buffer.fill(chunks, [values]), steps.reshape(10, *values.shape)

    @pytest.mark.parametrize("sigma", [0.12, 0.25, 0.5, 1.0])
    def test_is_that_of_real_numbers_rounded_once(self, sigma):
        levels = torch.arange(256, dtype=torch.float32) / 255
        found, steps = self.noisy(levels, sigma)
        step = Fraction(grid_step(sigma))
        for i in range(0, 256, 17):
            x = Fraction(float(levels[i]))
            assert (x / step).denominator == 1  # 8-bit inputs are on the grid
            for draw in range(10):
                exact = x + int(steps[draw, i]) * step
                # Python rounds a fraction correctly, to float64; twice is no matter
                # but where it is half-way, which 17 spare digits make unlikely.
                assert float(found[draw, i]) == float(np.float32(float(exact)))

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_low_precision_is_float32_rounded(self, dtype):
        levels = torch.rand(300)
        exact, _ = self.noisy(levels, 0.5)
        found, _ = self.noisy(levels, 0.5, dtype=dtype)
        assert torch.equal(found, exact.to(dtype))

    def test_inputs_between_steps_are_moved_by_half_of_one_at_most(self):
        tiny = torch.tensor([1e-12, 3e-13, 1e-30, 0.3])
        sigma, step = 0.9, grid_step(0.9)
        found, steps = self.noisy(tiny, sigma)
        moved = (tiny.double() / step).round() * step
        assert (moved - tiny.double()).abs().max() <= step / 2
        exact = moved.numpy() + steps * step
        np.testing.assert_array_equal(found.numpy(), exact.astype(np.float32))
        both = float((moved - tiny.double()).norm()) * 2
        assert both <= displacement("l2", values=4, step=step)


def test_displacement_of_every_norm():
    # By hand: sigma 1 has the step 2**-40.
    q = 2.0**-40
    for norm_, times in (("l1", 100.0), ("l2", 10.0), ("linf", 1.0), ("none", 0.0)):
        found = displacement(norm_, values=100, step=grid_step(1.0))
        assert times * q <= found <= 1.01 * times * q


def test_facts_are_equal_where_noise_is():
    assert NOISES.find("gaussian") is gaussian
    assert gaussian.facts == Noise("gaussian", "l2")
    assert gaussian.facts.on_grid is None
    assert str(gaussian) == "gaussian noise, l2 balls"
    with pytest.raises(InputError, match="did you mean 'gaussian'"):
        NOISES.find("gausian")


def test_noise_of_others_is_floating_point():
    for noise in NOISES.built_in.values():
        theirs = in_float32(noise)
        assert theirs == FLOAT32[f"{noise.name}-float32"]
        assert theirs.law == noise.name
        assert "floating point" in theirs.assumes
        assert noise.assumes is None
    assert in_float32(Noise("poisson", "l1")) == Noise("poisson", "l1")
    with pytest.raises(InputError, match="use gaussian, which is added exactly"):
        NOISES.find(FLOAT32["gaussian-float32"])


class TestFromOutside:
    def test_is_drawn_in_floats_and_says_so(self):
        mine = NOISES.find(
            Noise(
                "mine",
                "l2",
                lambda values, generator: generator.standard_normal(out=values),
            )
        )
        check_noise(mine)
        assert "floating-point" in mine.assumes
        values = drawn(mine, "host", 2.0**40) / 2.0**40
        assert kstest(values, norm.cdf).pvalue > 1e-3
        np.testing.assert_array_equal(values, drawn(mine, "device", 2.0**40) / 2.0**40)

    @pytest.mark.parametrize("how", ["host", "device"])
    def test_is_asked_for_a_row_a_draw(self, how, monkeypatch):
        # On a sphere the values of a draw hang together, and no others.
        def on_a_sphere(values, generator):
            generator.standard_normal(out=values)
            values /= np.linalg.norm(values, axis=1, keepdims=True)
            values *= values.shape[1] ** 0.5

        mine = NOISES.find(Noise("sphere", "l2", on_a_sphere))
        if how == "device":
            law = on_device(mine, 2.0**40, CPU, values=48)
            monkeypatch.setattr(
                "simplicert.sampling.noisy.on_host",
                lambda *_, **__: lambda stream, count: law([stream], count).numpy(),
            )
        buffer = NoisyInputs(
            (3, 4, 4),
            noise=mine,
            capacity=40,
            sigma=1.0,
            dtype=torch.float32,
            device=CPU,
        )
        chunks = chunks_of(0, seed=1, image=0, first=0, draws=40, size=20)
        found = buffer.fill(chunks, [torch.zeros(3, 4, 4)]).reshape(40, -1)
        lengths = found.double().norm(dim=1)
        assert (lengths - 48**0.5).abs().max() < 1e-5

    def test_says_nothing_of_its_own_law(self):
        def fill(values, generator):
            generator.standard_normal(out=values)

        with pytest.raises(InputError, match="only Simplicert's own"):
            NOISES.find(Noise("mine", "l2", fill, on_grid=gaussian.on_grid))
        plain = NOISES.find(Noise("mine", "l2", fill))
        for claims in ({"stands_for": "gaussian"}, {"assumes": ""}):
            assert NOISES.find(Noise("mine", "l2", fill, **claims)).facts == plain.facts
        with pytest.raises(InputError, match="use gaussian, which is added exactly"):
            NOISES.find(Noise("gaussian-float32", "l2", fill))

    @pytest.mark.parametrize("left", [np.nan, np.inf, None])
    def test_is_looked_at_whenever_it_is_drawn(self, left):
        def until_it_counts(values, generator):
            if len(values) == 500 or left is not None:  # as the door has it
                generator.standard_normal(out=values)
            if len(values) != 500 and left is not None:
                values[3, 0] = left

        mine = NOISES.find(Noise("mine", "l2", until_it_counts))
        check_noise(mine)
        with pytest.raises(InputError, match="'mine' leaves values that are not"):
            drawn(mine, "host", 2.0**40, values=300)

    @pytest.mark.parametrize(
        ("fill", "complaint"),
        [
            (lambda v, g: None, "not finite"),
            (lambda v, g: np.copyto(v, g.normal(0.2, 1, v.shape)), "the mean 0.2"),
            (lambda v, g: np.copyto(v, g.normal(0, 1.2, v.shape)), "deviation 1.[12]"),
            (
                lambda v, g: np.copyto(
                    v, np.random.default_rng().normal(0, 1, v.shape)
                ),
                "differs",
            ),
        ],
    )
    def test_is_tried_at_the_door(self, fill, complaint):
        with pytest.raises(InputError, match=complaint):
            check_noise(Noise("mine", "l2", fill))
