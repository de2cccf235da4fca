"""What a library does to an image is learnt from images, or refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from pipeline import MEAN, STD, Pipeline

from simplicert.classifiers.preparation import learn
from simplicert.data.cuts import INTERPOLATIONS, PublishedCut
from simplicert.errors import InputError
from simplicert.models.normalise import Normalise


def photograph(width=90, height=71):
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize(("size", "resize"), [(20, 20), (20, 25), (64, 73)])
def test_any_cut_is_learnt_to_the_pixel(size, resize, interpolation, stretch):
    filter_ = Image.Resampling[interpolation.upper()]
    library = Pipeline(size, resize, filter_, stretch)
    learnt = learn(library, name="x", stated=(MEAN, STD))
    assert (learnt.cut.size, learnt.cut.resize) == (size, resize)
    assert learnt.cut.interpolation == interpolation
    assert learnt.constants == (MEAN, STD)  # as stated, to the last bit
    assert learnt.shape == (3, size, size)
    ours = np.asarray(learnt.cut(photograph(), 0)).transpose(2, 0, 1)
    found = Normalise(MEAN, STD)(torch.from_numpy(ours.astype(np.float32) / 255))
    torch.testing.assert_close(found, library(photograph()), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("library", "mean", "std"),
    [
        (Pipeline(), MEAN, STD),
        (Pipeline(times=2), MEAN, np.square(STD)),
        (Pipeline(mean=0, std=1), (0, 0, 0), (1, 1, 1)),
        (Pipeline(mean=0.5, std=0.5), [0.5] * 3, [0.5] * 3),
        (Pipeline(mean=0, std=1, twist=lambda x: 255 * x), [0] * 3, [1 / 255] * 3),
        (Pipeline(mean=0, std=1, twist=lambda x: 1 - x), [1] * 3, [-1] * 3),
    ],
)
def test_constants_are_what_it_does_whatever_it_states(library, mean, std):
    for stated in (None, (MEAN, STD), ([0.1], [0.2])):
        learnt = learn(library, name="x", stated=stated)
        np.testing.assert_allclose(learnt.constants, [mean, std], atol=1e-6)


def test_grey_images_are_prepared_too():
    learnt = learn(Pipeline(mean=0.3, std=0.2), name="x", channels=1)
    assert learnt.shape == (1, 20, 20)
    assert learnt.cut is None  # photographs are cut in colour
    np.testing.assert_allclose(learnt.constants, [[0.3], [0.2]], atol=1e-6)


def test_images_that_stay_as_they_are_may_have_any_size():
    learnt = learn(Pipeline(size=None), name="x")
    assert learnt.shape is None
    assert learnt.cut is None


def standardised(pixels):
    return (pixels - pixels.mean()) / (pixels.std() + 1e-3)


@pytest.mark.parametrize(
    "library",
    [
        Pipeline(twist=standardised),
        Pipeline(twist=np.square),
        Pipeline(twist=lambda x: x[..., ::-1]),
        Pipeline(twist=lambda x: x[:, ::-1]),
        Pipeline(twist=lambda x: np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)),
        Pipeline(twist=lambda x: np.roll(x, 3, axis=0)),
        Pipeline(twist=lambda x: np.clip(x, 0.1, 0.9)),
        Pipeline(twist=np.round),
        Pipeline(twist=lambda x: 0 * x),
        Pipeline(std=0.0),
        Pipeline(pad=True),
        lambda image: Pipeline()(image)[None],
        lambda image: Pipeline()(image).reshape(3, -1),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero|invalid value")
def test_what_no_cut_and_no_constants_can_do_is_refused(library):
    with pytest.raises(InputError, match=r"more than to cut .* file\.py:function"):
        learn(library, name="hf:x", stated=(MEAN, STD))


def test_what_the_library_raises_is_shown_as_its_own():
    def broken(image):
        raise KeyError("pixel")

    with pytest.raises(InputError, match="processor of hf:x raised KeyError: 'pixel'"):
        learn(broken, name="hf:x")


@pytest.mark.parametrize("resize", [24, 25, 26, 27, 32])
@pytest.mark.parametrize("down", [False, True])
def test_where_an_odd_margin_is_cut_is_learnt(resize, down):
    cut = PublishedCut(20, resize, "bicubic", down=down)

    def library(image):
        pixels = np.asarray(cut(image, 0)).astype(np.float32).transpose(2, 0, 1)
        return pixels / 255

    assert learn(library, name="x").cut == cut


def centre(image, size=200):
    left, top = (round((side - size) / 2) for side in image.size)
    return image.crop((left, top, left + size, top + size))


def no_larger(image):
    return Pipeline()(image) if min(image.size) > 24 else Pipeline(None)(image)


@pytest.mark.parametrize(
    "library",
    [lambda image: Pipeline(None)(centre(image)), no_larger],
)
def test_a_cut_that_depends_on_the_size_of_the_image_is_not_learnt(library):
    assert learn(library, name="x").cut is None
