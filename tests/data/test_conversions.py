"""What is converted is counted, and an image is read as what the others are."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from files import encoded, put, put_table
from PIL import Image

from simplicert.data import load_dataset
from simplicert.data.conversions import image_suffixes
from simplicert.errors import InputError


def turned(form):
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(form=form, exif=exif)


def png_of_16_bits(side=8):
    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x12\x34" * 24) * 8)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def animated():
    first, second = Image.new("P", (8, 8)), Image.new("P", (8, 8))
    first.putpalette([0, 0, 0, 255, 0, 0])
    second.putpalette([0, 0, 0, 255, 0, 0])
    second.putpixel((1, 1), 1)
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[second])
    return file.getvalue()


CONVERTED = {
    "RGBA": (encoded("RGBA"), ["transparency dropped (1)"]),
    "LA": (encoded("LA"), ["transparency dropped (1)"]),
    "P": (encoded("P"), ["colours looked up in a palette (1)"]),
    "CMYK": (encoded("CMYK", form="JPEG"), ["CMYK converted to RGB (1)"]),
    "turned": (turned("JPEG"), ["orientation ignored (1)"]),
    "turned PNG": (turned("PNG"), ["orientation ignored (1)"]),
    "turned TIFF": (turned("TIFF"), ["orientation applied (1)"]),
    "16 bits": (png_of_16_bits(), ["16 bits reduced to 8 (1)"]),
    "65535": (b"P6 8 8 65535\n" + b"\1\2" * 192, ["16 bits reduced to 8 (1)"]),
    "animated": (animated(), ["only the first of several", "in a palette"]),
    "grey": (encoded("L"), ["grey read in colour (1)"]),
    "colour": (encoded(), []),
    "few levels": (b"P6 8 8 15\n" + b"\1" * 192, []),
}


@pytest.mark.parametrize("size", [None, 4])
@pytest.mark.parametrize(("content", "words"), CONVERTED.values(), ids=CONVERTED)
def test_what_is_converted_is_counted(tmp_path, content, words, size):
    put(tmp_path / "test" / "cat" / "a.png")
    put(tmp_path / "test" / "cat" / "b.png", content)
    dataset = load_dataset(str(tmp_path), size=size)
    assert dataset.read(np.arange(2)).shape == (2, *dataset.shape)
    assert bool(dataset.notes) == bool(words)
    for word in words:
        assert word in dataset.notes[0]
        assert "of 2 images looked at" in dataset.notes[0]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_colour_image_makes_all_of_them_coloured_and_changes_no_pixel(
    tmp_path, place
):
    values = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
    for row, grey in enumerate(values):
        pixels = np.stack([grey] * 3, axis=-1) if row == place else grey
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        put(tmp_path / "test" / "cat" / f"{row}.png", file.getvalue())
    read = load_dataset(str(tmp_path)).read(np.arange(3))
    np.testing.assert_array_equal(
        read, np.repeat(values[:, None].astype(np.float32) / 255, 3, axis=1)
    )


def test_of_many_large_images_a_part_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.data.encoded._BYTES_LOOKED_AT", 1)
    for row in range(150):
        mode = "RGBA" if row < 5 or row >= 145 else "RGB"
        put(tmp_path / "test" / "cat" / f"{row:03}.png", encoded(mode))
    (note,) = load_dataset(str(tmp_path)).notes
    assert "of 100 images looked at: transparency dropped (10)" in note  # both ends
    (note,) = load_dataset(str(tmp_path), corrupt="skip").notes
    assert "of 150 images looked at" in note


def test_a_coloured_image_among_grey_ones_that_was_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.data.encoded._BYTES_LOOKED_AT", 1)
    for row in range(150):
        mode = "RGB" if row == 11 else "L"
        put(tmp_path / "test" / "cat" / f"{row:03}.png", encoded(mode))
    with pytest.raises(InputError, match=r"011\.png has shape.*all images grey, or"):
        load_dataset(str(tmp_path)).read(np.array([11]))


DAMAGED = {
    "no image": b"not an image",
    "169 million pixels": png_of_16_bits(13_000),
    "400 million pixels": png_of_16_bits(20_000),
    "a program for Ghostscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    **{
        f"TIFF without its last {cut}": encoded(
            size=(60, 60), form="TIFF", compression="tiff_lzw"
        )[:-cut]
        for cut in (1, 10, 50, 100)
    },
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_image_is_one_line_that_is_the_same_every_time(tmp_path, content):
    file = put(tmp_path / "test" / "cat" / "a.png", content)
    lines = set()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(2):
            with pytest.raises(InputError) as caught:
                load_dataset(str(tmp_path)).read(np.array([0]))
            lines.add(str(caught.value))
    assert warned == []
    (line,) = lines
    assert line.startswith(f"{file} cannot be decoded")
    assert " at 0x" not in line


@pytest.mark.parametrize("suffix", [".eps", ".ps", ".wmf", ".emf", ".h5", ".mpg"])
def test_what_other_programs_decode_is_no_image(suffix):
    assert suffix not in image_suffixes()


def test_a_strip_is_not_scaled_to_fill_the_memory(tmp_path):
    put(tmp_path / "test" / "cat" / "a.png", encoded(size=(1, 20_000)))
    with pytest.raises(InputError, match=r"1 × 20000 pixels, too long and narrow"):
        load_dataset(str(tmp_path), size=224)


@pytest.mark.parametrize("corrupt", ["refuse", "skip"])
def test_a_path_is_no_image(tmp_path, corrupt):
    stored = [{"bytes": None, "path": "x/y.png"}] * 2
    put_table(tmp_path / "test.parquet", image=stored, label=[0, 1])
    with pytest.raises(InputError, match=r"row 0 has a path, no bytes \('x/y\.png'\)"):
        load_dataset(str(tmp_path), corrupt=corrupt)
