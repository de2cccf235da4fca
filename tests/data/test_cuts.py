import numpy as np
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.data.cuts import (
    CentreCut,
    PublishedCut,
    RandomCut,
    choose_cut,
    read_cut,
)
from simplicert.data.encoded import with_cut, with_random_cuts
from simplicert.data.memory import keep_in_memory
from simplicert.errors import InputError

EVERYTHING = np.arange(4)


@pytest.fixture
def folder(tmp_path):
    """Four photographs whose red rises to the right, and green downwards."""
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    pixels = np.zeros((90, 120, 3), dtype=np.uint8)
    pixels[..., 0] = np.linspace(0, 255, 120)
    pixels[..., 1] = np.linspace(0, 255, 90)[:, None]
    for name in "abcd":
        Image.fromarray(pixels).save(path / f"{name}.png")
    return tmp_path


def test_random_cuts_are_parts_of_the_promised_area_and_ratio():
    across, down = np.meshgrid(np.linspace(0, 255, 120), np.linspace(0, 255, 90))
    pixels = np.stack([across, down, 0 * across], axis=2).astype(np.uint8)
    image = Image.fromarray(pixels)
    areas, ratios = [], []
    for row in range(400):
        part = np.asarray(RandomCut(32, seed=0)(image, row)).astype(float) / 255
        width = (part[0, -1, 0] - part[0, 0, 0]) * 32 / 31
        height = (part[-1, 0, 1] - part[0, 0, 1]) * 32 / 31
        areas.append(width * height)
        ratios.append(width * 120 / (height * 90))
    # Pixels are rounded to 1/255 and blurred: 3 % of the side at most.
    assert 0.07 < min(areas) < 0.12
    assert 0.8 < max(areas) < 1.03
    assert 0.7 < min(ratios) < 0.8
    assert 1.25 < max(ratios) < 1.45


def test_seed_and_row_decide_the_cut(folder):
    dataset = load_dataset(str(folder), size=32)
    first = with_random_cuts(dataset, seed=1).read(EVERYTHING)
    assert first.shape == (4, 3, 32, 32)
    np.testing.assert_array_equal(
        first[[2]], with_random_cuts(dataset, seed=1).read(np.array([2]))
    )
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, with_random_cuts(dataset, seed=2).read(EVERYTHING))


def test_only_what_is_cut_can_be_cut_at_random(folder):
    for dataset in (load_dataset(str(folder)), load_dataset("digits")):
        with pytest.raises(InputError, match="give a size"):
            with_random_cuts(dataset, seed=0)


def test_small_datasets_are_decoded_once(folder):
    dataset = load_dataset(str(folder)).select(np.array([3, 1, 1]))
    kept = keep_in_memory(dataset)
    expected = dataset.read(np.arange(3))
    for file in folder.rglob("*.png"):
        file.write_bytes(b"")
    np.testing.assert_array_equal(kept.read(np.arange(3)), expected)
    np.testing.assert_array_equal(kept.indices, [3, 1, 1])


def test_large_and_plain_datasets_stay_where_they_are(folder):
    dataset = load_dataset(str(folder))
    assert keep_in_memory(dataset, limit=4 * 3 * 90 * 120 - 1) is dataset
    assert keep_in_memory(dataset, limit=4 * 3 * 90 * 120) is not dataset
    digits = load_dataset("digits")
    assert keep_in_memory(digits) is digits


def test_a_size_is_positive(folder):
    with pytest.raises(InputError, match="size must be in 1"):
        load_dataset(str(folder), size=0)


TWO = (PublishedCut(28, 30, "bicubic"), PublishedCut(20, 25, stretch=True))


@pytest.mark.parametrize(
    ("published", "said", "expected"),
    [
        ((), {}, None),
        ((), {"size": 32}, CentreCut(32)),
        ((), {"size": 224, "interpolation": "box"}, PublishedCut(224, 256, "box")),
        ((), {"size": 320, "crop": 0.7}, PublishedCut(320, 457)),
        ((), {"size": 9, "crop": 0.9}, PublishedCut(9, 10)),
        ((), {"size": 9, "crop": 1.0}, PublishedCut(9, 9)),
        ((), {"size": 7, "stretch": True}, PublishedCut(7, 7, stretch=True)),
        (TWO, {"stretch": True}, PublishedCut(28, 28, "bicubic", stretch=True)),
        (TWO, {"size": 20, "stretch": True}, TWO[1]),
        (TWO, {}, TWO[0]),
        (TWO, {"size": 20}, TWO[1]),
        (TWO, {"size": 32}, CentreCut(32)),
        (TWO, {"crop": 0.5}, PublishedCut(28, 56, "bicubic")),
        (TWO, {"size": 20, "stretch": False}, PublishedCut(20, 25)),
        (TWO, {"interpolation": "nearest"}, PublishedCut(28, 30, "nearest")),
    ],
)  # fmt: skip
def test_what_is_not_said_is_as_published(published, said, expected):
    assert choose_cut(published, **said) == expected


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"crop": 0.9}, "give the size, too"),
        ({"stretch": True}, "give the size, too"),
        ({"size": 32, "crop": 0.0}, r"crop must be in \[0.0039, 1\], got 0"),
        ({"size": 32, "crop": 1.5}, r"crop must be in \[0.0039, 1\], got 1.5"),
        ({"size": 32, "crop": float("nan")}, "crop must be in"),
        ({"size": 32, "crop": 5e-324}, "crop must be in"),
        ({"size": 0}, "size must be in 1 … 8192, got 0"),
        ({"size": 10**9}, "size must be in 1 … 8192"),
        ({"size": 32, "interpolation": "bicubik"}, "bicubik"),
    ],
)
def test_what_cannot_be_meant_is_refused(said, complaint):
    with pytest.raises(InputError, match=complaint):
        choose_cut(**said)


def test_without_a_size_only_what_has_another_is_cut(folder):
    cut = PublishedCut(32, 40)
    whole = load_dataset(str(folder))
    assert (whole.shape, whole.cut) == ((3, 90, 120), None)
    assert load_dataset(str(folder), cut=cut).cut == str(cut)
    squares = folder / "train" / "thing"
    squares.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(squares / "a.png")
    as_they_are = load_dataset(str(folder), split="train", cut=cut)
    assert (as_they_are.shape, as_they_are.cut) == ((3, 32, 32), None)
    found = as_they_are.read(np.array([0]))[0]
    np.testing.assert_array_equal(found, pixels.transpose(2, 0, 1) / np.float32(255))
    asked = load_dataset(str(folder), split="train", cut=cut, size=32)
    assert asked.cut == str(cut)
    assert not np.array_equal(asked.read(np.array([0]))[0], found)
    assert as_they_are.notes[-1].endswith(f"with the option size they are: {cut}")
    unscaled = PublishedCut(32, 32)  # would change nothing
    for notes in (
        asked.notes,
        load_dataset(str(folder), split="train", cut=unscaled).notes,
    ):
        assert not any("squares" in note for note in notes)


def test_a_cut_and_another_size_contradict_each_other(folder):
    with pytest.raises(InputError, match="size is 32, but the cut is to 28"):
        load_dataset(str(folder), size=32, cut=TWO[0])


def test_the_first_image_that_can_be_decoded_decides(folder):
    (folder / "test" / "thing" / "a.png").write_bytes(b"")
    dataset = load_dataset(str(folder), cut=PublishedCut(32, 40), corrupt="skip")
    assert (dataset.shape, len(dataset), len(dataset.skipped)) == ((3, 32, 32), 3, 1)
    assert dataset.read(np.arange(3)).shape == (3, 3, 32, 32)


def test_cuts_that_differ_are_called_otherwise():
    cuts = [
        CentreCut(28),
        CentreCut(32),
        *(
            PublishedCut(28, resize, interpolation, stretch, down)
            for resize in (28, 31)
            for interpolation in ("nearest", "bicubic")
            for stretch in (False, True)
            for down in (False, True)
        ),
        RandomCut(28, seed=0),
        RandomCut(28, seed=1),
    ]
    assert len({str(cut) for cut in cuts}) == len(cuts)
    assert [read_cut(str(cut)) for cut in cuts[:-2]] == cuts[:-2]
    for words in ("", "a random part to 28", "shorter side to 30, centre 28, bicubik"):
        with pytest.raises(InputError, match="no images are cut like this"):
            read_cut(words)


def test_images_are_cut_again_as_they_were_for_a_run(folder):
    expected = load_dataset(str(folder), cut=TWO[0])
    for size in (None, 28, 40):
        again = with_cut(load_dataset(str(folder), size=size), str(TWO[0]))
        assert (again.shape, again.cut) == (expected.shape, expected.cut)
        np.testing.assert_array_equal(again.read(EVERYTHING), expected.read(EVERYTHING))
