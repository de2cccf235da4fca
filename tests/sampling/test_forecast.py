"""The forecast: cost, reach, and what may not have been meant."""

import numpy as np
import pytest
import torch
from synthetic import manifest
from torch import nn

import simplicert.sampling.forecast as module
from simplicert.certificates.reach import reach
from simplicert.classifiers import NumpyClassifier, TorchClassifier, as_classifier
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError
from simplicert.models.normalise import Normalise
from simplicert.noises import gaussian
from simplicert.procedures import clopper_pearson
from simplicert.sampling import Sampler
from simplicert.sampling.glance import glance
from simplicert.votes import DataSource, NoiseSource
from simplicert.votes.sources import MarginsSource, Probe


def forecast(**options):
    return module.forecast(manifest(), **({"speed": 10.0, "missing": 60} | options))


def reached(alpha):
    plan = manifest()
    return reach(
        clopper_pearson,
        looks=plan.looks,
        noise=gaussian,
        sigma=plan.sigma,
        alpha=alpha,
    )


def test_cost_and_reach_by_hand():
    told = forecast(processes=2)
    assert (told.passes, told.seconds) == (60, 3.0)
    # Thirty unanimous votes: (0.01 / 2) ** (1 / 30) = 0.83813, and sigma is 1/2.
    assert reached(0.01).largest_radius == pytest.approx(0.5 * 0.98675, abs=2e-4)
    assert told.warnings == ()


def test_warnings():
    assert "at least 1332" in reached(1e-200).warning
    assert reached(0.01).warning == ""
    [twice] = forecast(normalisations=2).warnings
    assert "normalise its input twice" in twice
    [never] = forecast(normalisations=0).warnings
    assert "pixels in [0, 1] as they are? If not, give --mean" in never
    assert forecast(normalisations=1).warnings == ()
    assert forecast(remarks=("Is it so?",)).warnings == ("Is it so?",)


def test_margins_that_no_procedure_reads_are_said():
    plan = manifest(margins=MarginsSource(rivals=1, pilot=10))
    assert module.forecast(plan, speed=1.0, missing=1).warnings == ()
    uniform = plan.model_copy(
        update={"noise": NoiseSource(name="uniform", norm="l1", step=2.0**-40)}
    )
    [told] = module.forecast(uniform, speed=1.0, missing=1).warnings
    assert "no procedure of ours certifies margins under uniform noise" in told


def test_how_images_are_cut_is_said():
    cut = str(PublishedCut(28, 32, "bicubic"))
    data = DataSource(name="d", digest="cd", shape=[3, 28, 28], cut=cut)
    told = module.forecast(manifest(data=data), speed=10.0, missing=60)
    assert f"images are cut: {cut}" in told.lines


@pytest.mark.parametrize(
    ("dtype", "precision", "told"),
    [
        (torch.float64, "fp32", ["float64"]),
        (torch.bfloat16, "fp32", ["bfloat16"]),
        (torch.float16, "bf16", ["float16"]),
        (torch.bfloat16, "bf16", []),
        (torch.float32, "fp32", []),
        (torch.float32, "bf16", []),  # as was asked for
    ],
)
def test_weights_that_are_converted_are_said(dtype, precision, told):
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Linear(2, 2).to(dtype))
    found = TorchClassifier(module).warnings(precision=precision)
    assert [each.split("in ")[1].split(",")[0] for each in found] == told


def test_layers_that_normalise_are_counted():
    once = nn.Sequential(Normalise([0.5], [0.5]), nn.BatchNorm2d(1), nn.Flatten())
    assert TorchClassifier(once).normalisations == 1
    twice = nn.Sequential(Normalise([0.5], [0.5]), once)
    assert TorchClassifier(twice).normalisations == 2
    assert TorchClassifier(nn.Flatten()).normalisations == 0
    assert as_classifier(nn.Flatten(), mean=[0.5], std=[0.5]).normalisations == 1
    unseen = NumpyClassifier(lambda x: x, output="logits")
    assert unseen.normalisations is None


@pytest.mark.parametrize("alpha", [0.0, 1.0, float("nan")])
def test_bad_alpha(alpha):
    with pytest.raises(InputError, match="alpha"):
        reached(alpha)


def test_a_long_run_says_hours_disk_and_files():
    assert len(forecast().lines) == 3
    told = forecast(speed=0.001, processes=2, flush=300.0)  # 30,000 s
    assert "measured alone" in told.lines[1]
    # 6 rows of image, block, seconds and 3 columns of 3 classes, 8 bytes each; of 100
    # flushes a process keeps 32 files at most.
    assert module.storage(manifest()) == 6 * (3 + 9) * 8
    assert "17 CPU-hours, at most 1 MiB" in told.lines[-1]
    assert "64 files" in told.lines[-1]


def test_what_does_not_belong_together_is_said():
    labels = np.arange(40) % 4
    swapped = glance(labels, clean=3 - labels, noisy=labels, classes=4)
    told = forecast(glance=swapped)
    assert "first 40 images: 0% right without noise, 100% in one noisy" in told.lines[3]
    assert "another order 100%" in told.warnings[0]


def test_patients_are_no_images():
    labels = np.arange(40) % 4
    told = glance(labels, clean=labels, noisy=labels, classes=4, inputs="inputs")
    assert told.line.startswith("the first 40 inputs: 100% right")
    told = glance(labels, clean=0 * labels, noisy=labels, classes=4, inputs="inputs")
    assert "image" not in told.warning
    assert "size" not in told.warning


def test_answers_at_random_and_a_slow_precision_are_said():
    plan = manifest(probe=Probe(repeatable=False, answers=[0]), precision="bf16")
    told = module.forecast(plan, speed=10.0, missing=60, fp32_speed=90.0)
    assert "cannot be drawn again" in told.warnings[0]
    assert "bf16 is slower here than fp32, which makes about 90" in told.warnings[1]
    assert not module.forecast(plan, speed=99.0, missing=60, fp32_speed=90.0).warnings[
        1:
    ]


def test_the_speed_of_fp32_is_measured_for_another_precision(network, images):
    sampler = Sampler(network, images, precision="bf16")
    plan = sampler.plan(sigma=0.5, draws=100)
    assert sampler.fp32_speed(plan) > 0
    assert Sampler(network, images).fp32_speed(plan.model_copy(
        update={"precision": "fp32"}
    )) is None  # fmt: skip
    assert plan.precision == "bf16"
    assert sampler.precision == "bf16"
