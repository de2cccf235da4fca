import base64
import io

import numpy as np
import pytest
from pages import grey_pictures
from PIL import Image

from simplicert.errors import InputError
from simplicert.report.thumbnails import LARGEST_SIDE, sprite_sheet


def decoded(uri):
    kind, _, content = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))


def test_each_picture_is_at_its_place():
    indices = np.arange(7) * 10
    uri, columns = sprite_sheet(grey_pictures, indices)
    sheet = decoded(uri)
    assert columns == 3
    for position, index in enumerate(indices):
        row, column = divmod(position, columns)
        tile = sheet[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert (tile == round(255 * index / 250)).all()


def test_small_colours_survive_exactly():
    colours = np.random.default_rng(0).random((1, 3, 32, 32))
    uri, _ = sprite_sheet(lambda _: colours, np.array([0]))
    np.testing.assert_array_equal(
        decoded(uri), np.rint(255 * colours[0]).transpose(1, 2, 0)
    )


def test_large_pictures_shrink_into_a_square():
    uri, _ = sprite_sheet(lambda _: np.ones((1, 3, 100, 300)), np.array([0]))
    sheet = decoded(uri)
    assert sheet.shape == (LARGEST_SIDE, LARGEST_SIDE, 3)
    assert sheet[LARGEST_SIDE // 2].min() > 250  # the picture, in the middle
    assert sheet[0].max() < 5  # the room above it


def test_full_size_pictures_are_read_a_few_at_a_time():
    asked = []

    def pictures(indices):
        asked.append(len(indices))
        return grey_pictures(indices)

    sprite_sheet(pictures, np.arange(250))
    assert max(asked) <= 100
    assert sum(asked) == 250


@pytest.mark.parametrize("wrong", [np.ones((2, 8, 8)), np.ones((1, 1, 8, 8))])
def test_pictures_of_another_shape_are_refused(wrong):
    with pytest.raises(InputError, match="one for each of 2 images"):
        sprite_sheet(lambda _: wrong, np.arange(2))


def test_pictures_that_are_not_numbers_are_refused():
    with pytest.raises(InputError, match="not finite"):
        sprite_sheet(lambda _: np.full((1, 1, 8, 8), np.nan), np.array([0]))
