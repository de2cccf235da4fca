import numpy as np
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.data.cuts import RandomCut
from simplicert.data.encoded import with_random_cuts
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


@pytest.mark.parametrize("size", [-1, 0, 8193, 10**9])
def test_a_size_is_that_of_an_image(folder, size):
    with pytest.raises(InputError, match=rf"size must be in \[1, 8192\], got {size}"):
        load_dataset(str(folder), size=size)
