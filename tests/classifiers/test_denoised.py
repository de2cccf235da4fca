"""A classifier behind a denoiser."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import simplicert as sc
from simplicert.classifiers import (
    NumpyClassifier,
    TorchClassifier,
    as_classifier,
    denoised,
)
from simplicert.classifiers.diffusion import OneStep, load_pipeline, matching_step
from simplicert.errors import InputError
from simplicert.models import Metadata, build_model, save_checkpoint
from simplicert.models.normalise import Normalise

CPU = torch.device("cpu")


class Corners(nn.Module):
    """Its logits are the pixels of the first row."""

    def forward(self, images):
        return images[:, 0, 0, :]


class Halved(nn.Module):
    """A denoiser with a weight."""

    def __init__(self, share=0.5):
        super().__init__()
        self.share = nn.Parameter(torch.tensor(share))

    def forward(self, images):
        return images * self.share


class Says(nn.Module):
    """A UNet in diffusers' layout that answers one number, and keeps what it saw."""

    def __init__(self, answer, *, variance=False, **config):
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))
        self.variance, self.config, self.seen = variance, config, []

    def forward(self, images, step):
        self.seen.append((images, step))
        answer = torch.full_like(images, self.answer.item())
        if self.variance:
            answer = torch.cat([answer, answer + 7], dim=1)
        return SimpleNamespace(sample=answer)


def pipeline(unet, kept=(0.9, 0.5, 0.2), **config):
    scheduler = SimpleNamespace(alphas_cumprod=torch.tensor(kept), config=config)
    return SimpleNamespace(unet=unet, scheduler=scheduler)


def forward(classifier, images, *, runtime="eager"):
    ready = classifier.ready(
        images.shape[1:], precision="fp32", device=CPU, runtime=runtime
    )
    with torch.inference_mode():
        return ready(images)


@pytest.fixture
def images():
    return torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a checkpoint of an architecture, and gives its network."""

    def write(architecture, *, name, shape=(1, 8, 8), sigma=0.5, seed=0):
        names = () if architecture.startswith("denoiser") else ("a", "b", "c")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build_model(architecture, shape=shape, classes=3)
            for weight in model.parameters():
                nn.init.normal_(weight, std=0.05)
        metadata = Metadata(
            architecture=architecture,
            shape=shape,
            class_names=names,
            dataset="mine",
            dataset_digest="ab",
            sigma=sigma,
            recipe={},
            accuracy={},
            versions={},
        )
        save_checkpoint(tmp_path / name, model, metadata)
        return tmp_path / name, model.eval()

    return write


# The mathematics of a diffusion model's step, by hand: at kept = 1/2 the noise of the
# model's own range is as large as the signal, so sigma is half of that, 1/2. A pixel of
# 3/4 is 1/2 there, and is given as 1/2 * sqrt(1/2).
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("epsilon", ((0.5 - 0.3) + 1) / 2),
        ("sample", (0.3 + 1) / 2),
        ("v_prediction", (0.25 - 0.3 * 0.5**0.5 + 1) / 2),
    ],
)
@pytest.mark.parametrize("variance", [False, True])
def test_a_step_by_hand(answers, expected, variance):
    unet = Says(0.3, variance=variance)
    step = OneStep(unet, step=1, kept=0.5, answers=answers, clip=None)
    image = torch.full((1, 3, 2, 2), 0.75)
    torch.testing.assert_close(step(image), torch.full((1, 3, 2, 2), expected))
    given, number = unet.seen[-1]
    torch.testing.assert_close(given, torch.full((1, 3, 2, 2), 0.5 * 0.5**0.5))
    assert number == 1
    found = denoised(
        TorchClassifier(Corners()), pipeline(unet, prediction_type=answers), sigma=0.5
    )
    assert found.denoiser.facts == "step 1 of 3, where sigma is 0.5"
    torch.testing.assert_close(forward(found, image), torch.full((1, 2), expected))


def test_what_is_given_is_not_clipped_and_what_comes_out_is_as_its_scheduler_says():
    unet = Says(0.0)
    step = OneStep(unet, step=1, kept=0.5, answers="epsilon", clip=None)
    assert step(torch.full((1, 1, 2, 2), 3.0)).max() == pytest.approx(3.0)
    assert unet.seen[-1][0].max() == pytest.approx(5 * 0.5**0.5)
    bounded = OneStep(unet, step=1, kept=0.5, answers="epsilon", clip=1.0)
    assert bounded(torch.full((1, 1, 2, 2), 3.0)).max() == 1.0
    clips = pipeline(unet, clip_sample=True, clip_sample_range=1.5)
    model = denoised(TorchClassifier(Corners()), clips, sigma=0.5)
    assert forward(model, torch.full((1, 1, 2, 2), 3.0)).max() == 1.25


def test_a_model_that_knows_the_noise_gives_back_the_image():
    clean = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(2))

    class Knows(nn.Module):
        def forward(self, *_):
            return noise

    # (1 - 0.8) / 0.8 = 1/4 = (2 * 1/4)²
    step = OneStep(Knows(), step=0, kept=0.8, answers="epsilon", clip=None)
    torch.testing.assert_close(step(clean + 0.25 * noise), clean)


@pytest.mark.parametrize("sigma", [0.1, 1.01])
def test_a_noise_outside_the_schedule_is_refused(sigma):
    kept = np.array([0.9, 0.5, 0.2])  # of sigma 1/6, 1/2 and 1
    with pytest.raises(InputError, match=r"sigma 0\.167 to 1 .* none of its steps has"):
        matching_step(kept, sigma=sigma)


@pytest.mark.parametrize("kept", [[], [1.5, 0.5], [0.0], [float("nan")]])
def test_what_is_no_schedule_is_refused(kept):
    with pytest.raises(InputError, match="alphas_cumprod"):
        matching_step(np.array(kept), sigma=0.5)


@pytest.mark.parametrize(
    ("made", "sigma", "says"),
    [
        (pipeline(Says(0.1)), None, "give sigma in pixels"),
        (pipeline(Says(0.1)), 5.0, "none of its steps has 5"),
        (pipeline(Says(0.1), prediction_type="flow"), 0.5, "predicts 'flow'"),
        (pipeline(Says(0.1, num_class_embeds=10)), 0.5, "wants a class"),
        (pipeline(Says(0.1, cross_attention_dim=8)), 0.5, "wants a text"),
        (SimpleNamespace(unet=Says(0.1), scheduler=object()), 0.5, "no alphas_cumprod"),
        (SimpleNamespace(unet=len, scheduler=object()), 0.5, "no torch module"),
        (pipeline(Says(0.1), kept=(0.5, 0.0)), 9.0, "none of its steps has 9"),
        ("nothing.safetensors", None, "no checkpoint"),
        ("nothing", None, "unknown denoiser 'nothing'"),
        (len, None, "is no denoiser"),
    ],
)
def test_what_is_no_denoiser_is_refused(made, sigma, says):
    with pytest.raises(InputError, match=says):
        denoised(TorchClassifier(Corners()), made, sigma=sigma)


@pytest.mark.parametrize(
    ("config", "shape", "says"),
    [
        ({"sample_size": 8}, (3, 6, 6), "for images of 8 × 8"),
        ({"sample_size": (6, 8)}, (3, 6, 6), "for images of 6 × 8"),
        ({"in_channels": 1}, (3, 6, 6), "takes images of 1 channels"),
    ],
)
def test_a_diffusion_model_of_other_images_is_refused(config, shape, says):
    model = denoised(
        TorchClassifier(Corners()), pipeline(Says(0.1, **config)), sigma=0.5
    )
    with pytest.raises(InputError, match=says):
        forward(model, torch.rand(1, *shape))


@pytest.mark.parametrize(
    "model",
    [
        Corners(),
        TorchClassifier(lambda images: images[:, 0, 0, :], name="f"),
        NumpyClassifier(lambda images: images[:, 0, 0, :], output="logits"),
    ],
    ids=["module", "function", "numpy"],
)
def test_any_classifier_sees_what_the_denoiser_makes(model, images):
    plain, denoiser = as_classifier(model), Halved().train()
    found = as_classifier(model, denoiser=denoiser)
    torch.testing.assert_close(forward(found, images), images[:, 0, 0, :] / 2)
    assert found.name == f"{plain.name} denoised by Halved"
    assert denoiser.training  # it is as it was
    assert denoiser.share.requires_grad
    digests = {
        plain.digest,
        found.digest,
        as_classifier(model, denoiser=Halved(0.6)).digest,
    }
    assert len(digests) == 3
    assert as_classifier(model, denoiser=Halved()).digest == found.digest
    with torch.no_grad():
        denoiser.share += 0.1
    assert found.has_changed()
    with pytest.raises(InputError, match="has changed"):
        forward(found, images)


def test_the_step_is_part_of_the_digest():
    model = TorchClassifier(Corners())
    made = pipeline(Says(0.1))
    found = {denoised(model, made, sigma=sigma).digest for sigma in (0.2, 0.5, 0.52)}
    assert len(found) == 2


def test_constants_are_behind_the_denoiser(images):
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    found = as_classifier(Corners(), mean=mean, std=std, denoiser=Halved())
    expected = Normalise(mean, std)(images / 2)[:, 0, 0, :]
    torch.testing.assert_close(forward(found, images), expected)
    assert found.normalisations == 1
    behind = as_classifier(Corners(), denoiser=Halved())
    with pytest.raises(InputError, match="belong behind it"):
        as_classifier(behind, mean=mean, std=std)
    with pytest.raises(InputError, match="a denoiser before it already"):
        denoised(behind, Halved())


def test_an_output_that_was_chosen_stays_chosen(images):
    class Two(nn.Module):
        def forward(self, images):
            return {"a": images[:, 0, 0, :], "b": images[:, 1, 1, :]}

    found = as_classifier(Two(), output="logits:name=b", denoiser=Halved())
    torch.testing.assert_close(
        found.read(lambda x: Two()(x / 2))(images), images[:, 1, 1, :] / 2
    )
    assert found.name.endswith("denoised by Halved:logits:name=b")


@pytest.mark.parametrize("model", [Corners(), lambda images: images[:, 0, 0, :]])
def test_a_denoiser_must_keep_the_shape(model, images):
    classifier = TorchClassifier(model, name="it")
    found = denoised(classifier, nn.AvgPool2d(2))
    with pytest.raises(InputError, match="AvgPool2d must return images of the shape"):
        forward(found, images)


@pytest.mark.parametrize("model", [Corners(), lambda images: images[:, 0, 0, :]])
def test_a_denoiser_must_not_look_at_the_batch(model, images):
    norm = nn.BatchNorm2d(3, track_running_stats=False)
    found = denoised(TorchClassifier(model, name="it"), norm)
    with pytest.raises(InputError, match="normalises by the statistics of the batch"):
        forward(found, images)


def test_the_two_run_by_a_runtime_as_one(images):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        denoiser = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(108, 3))
    found = as_classifier(classifier, denoiser=denoiser)
    with torch.inference_mode():
        expected = classifier(denoiser.eval()(images))
    for runtime in ("eager", "folded"):
        answers = forward(found, images, runtime=runtime)
        torch.testing.assert_close(answers, expected)


@pytest.mark.slow
def test_the_two_are_exported_as_one(checkpoint):
    pytest.importorskip("openvino")
    path, denoiser = checkpoint("denoiser6", name="d.safetensors")
    classifier = build_model("small-cnn", shape=(1, 8, 8), classes=3).eval()
    found = as_classifier(classifier, denoiser=path)
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        expected = classifier(denoiser(images))
    by = forward(found, images, runtime="openvino")
    torch.testing.assert_close(by, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_script_and_files_of_yours_are_denoisers(tmp_path, monkeypatch, images):
    torch.jit.script(Halved()).save(tmp_path / "halved.pt")
    (tmp_path / "mine.py").write_text(
        "import torch\ndef denoiser():\n    return torch.nn.AvgPool2d(3, 1, 1)\n"
    )
    script = as_classifier(Corners(), denoiser=tmp_path / "halved.pt")
    torch.testing.assert_close(forward(script, images), images[:, 0, 0, :] / 2)
    mine = as_classifier(Corners(), denoiser=f"{tmp_path}/mine.py:denoiser")
    expected = nn.AvgPool2d(3, 1, 1)(images)[:, 0, 0, :]
    torch.testing.assert_close(forward(mine, images), expected)
    assert mine.name == f"Corners denoised by {tmp_path}/mine.py:denoiser"


def test_each_checkpoint_in_its_place(checkpoint):
    classifier, _ = checkpoint("small-cnn", name="c.safetensors")
    denoiser, _ = checkpoint("denoiser6", name="d.safetensors", sigma=0.25)
    with pytest.raises(InputError, match=r"d.safetensors is a denoiser .*--denoiser"):
        as_classifier(denoiser)
    with pytest.raises(
        InputError, match=r"c.safetensors is a classifier .*method.name"
    ):
        as_classifier(classifier, denoiser=classifier)
    found = as_classifier(classifier, denoiser=denoiser)
    assert found.training_sigma == 0.25  # not the classifier's
    moved = denoiser.rename(denoiser.with_name("moved.safetensors"))
    assert as_classifier(classifier, denoiser=moved).digest == found.digest
    denoiser = moved
    with pytest.raises(InputError, match="even height and width"):
        forward(as_classifier(Corners(), denoiser=denoiser), torch.rand(1, 1, 8, 7))
    with pytest.raises(InputError, match="takes images of 1 channels"):
        forward(as_classifier(Corners(), denoiser=denoiser), torch.rand(1, 3, 8, 8))


def test_a_denoiser_takes_other_sizes_than_it_was_trained_on(checkpoint):
    path, denoiser = checkpoint("denoiser6", name="d.safetensors")
    images = torch.rand(2, 1, 12, 20, generator=torch.Generator().manual_seed(4))
    found = as_classifier(Corners(), denoiser=path)
    with torch.inference_mode():
        expected = denoiser(images)[:, 0, 0, :]
    torch.testing.assert_close(forward(found, images), expected)


def test_a_run_says_what_was_before(images):
    votes = sc.sample(
        as_classifier(Corners(), denoiser=pipeline(Says(0.1)), sigma=0.5),
        images.numpy(),
        sigma=0.5,
        draws=100,
        seed=0,
    )
    told = votes.manifest.model.denoiser
    assert told.name == "SimpleNamespace"
    assert str(told).endswith("at step 1 of 3, where sigma is 0.5")
    assert votes.manifest.model.training_sigma == 0.5


def test_diffusers_folders(tmp_path, monkeypatch):
    diffusers = pytest.importorskip("diffusers")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = diffusers.UNet2DModel(
            sample_size=8,
            in_channels=1,
            out_channels=1,
            layers_per_block=1,
            block_out_channels=(8,),
            norm_num_groups=4,
            down_block_types=("DownBlock2D",),
            up_block_types=("UpBlock2D",),
        )
    scheduler = diffusers.DDPMScheduler(clip_sample=False)
    diffusers.DDPMPipeline(unet, scheduler).save_pretrained(tmp_path / "both")
    unet.save_pretrained(tmp_path / "flat")
    scheduler.save_pretrained(tmp_path / "flat")
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(5))
    found = [
        as_classifier(Corners(), denoiser=f"diffusers:{tmp_path}/{each}", sigma=0.25)
        for each in ("both", "flat")
    ]
    assert found[0].digest == found[1].digest  # wherever it lies
    assert found[0].denoiser.facts == "step 144 of 1000, where sigma is 0.2497"
    kept = scheduler.alphas_cumprod[144]
    given = kept.sqrt() * (2 * images - 1)
    with torch.inference_mode():
        noise = unet.eval()(given, 144).sample
    expected = ((given - (1 - kept).sqrt() * noise) / kept.sqrt() + 1) / 2
    torch.testing.assert_close(forward(found[1], images), expected[:, 0, 0, :])


def test_diffusers_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(InputError, match="pip install diffusers"):
        load_pipeline("somewhere")
