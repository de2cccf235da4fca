"""Which images: slices, lists, files, so many a class."""

import numpy as np
import pytest

from simplicert.data import load_dataset
from simplicert.data.selection import select_images
from simplicert.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.mark.parametrize(
    ("spec", "positions"),
    [
        ("0:10:3", [0, 3, 6, 9]),
        ("350:", [350, 351, 352, 353, 354]),
        ("-2:", [353, 354]),
        ("3,1,14", [3, 1, 14]),
        ("7", [7]),
        ("::-100", [354, 254, 154, 54]),
    ],
)
def test_positions(digits, spec, positions):
    chosen = select_images(digits, images=spec)
    np.testing.assert_array_equal(chosen.indices, digits.indices[positions])
    np.testing.assert_array_equal(chosen.labels, digits.labels[positions])


def test_a_file_of_positions(digits, tmp_path):
    path = tmp_path / "chosen.txt"
    path.write_text("5\n2\n\n9\n")
    chosen = select_images(digits, images=str(path))
    np.testing.assert_array_equal(chosen.indices, digits.indices[[5, 2, 9]])


def test_the_first_of_each_class(digits):
    chosen = select_images(digits, images="100:", per_class=2)
    np.testing.assert_array_equal(np.bincount(chosen.labels), [2] * 10)
    for label in range(10):
        every = digits.indices[100:][digits.labels[100:] == label]
        np.testing.assert_array_equal(chosen.indices[chosen.labels == label], every[:2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": "1:1"}, "selects none"),
        ({"images": "0:9:0"}, "step of a slice"),
        ({"images": "355"}, "outside 0 … 354"),
        ({"images": "-1"}, "outside"),
        ({"images": "3,3"}, "twice"),
        ({"images": "some"}, "neither a slice"),
        ({"images": ""}, "neither a slice"),
        ({"images": "٣"}, "neither a slice"),
        ({"images": "1_0"}, "neither a slice"),
        ({"images": "3,,4"}, "'' is not a whole number"),
        ({"images": "3,1-2"}, "'1-2' is not a whole number"),
        ({"images": "0:--5"}, "'--5' is not a whole number"),
        ({"images": f"0:{'9' * 5000}"}, "more than 64 bits"),
        ({"images": f"1,{'9' * 5000}"}, "more than 64 bits"),
        ({"images": f"1,{2**64 - 1}"}, "outside"),
        ({"per_class": 0}, "at least 1"),
    ],
)
def test_bad_choices_are_named(digits, options, message):
    with pytest.raises(InputError, match=message):
        select_images(digits, **options)


def test_a_file_of_words_is_refused(digits, tmp_path):
    path = tmp_path / "chosen.txt"
    path.write_text("all of them")
    with pytest.raises(InputError, match="one whole number a line"):
        select_images(digits, images=str(path))
