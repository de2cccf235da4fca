"""Decoding: corrupt images, unequal shapes, colours, and squares."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.errors import InputError


def encoded(image, form="JPEG"):
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def photograph(width, height, mode="RGB"):
    across = np.linspace(0, 255, width, dtype=np.uint8)
    pixels = np.broadcast_to(across[:, None], (height, width, 3))
    return Image.fromarray(np.ascontiguousarray(pixels)).convert(mode)


@pytest.fixture
def folder(tmp_path):
    """Three images of one shape, ``b`` cut short and ``c`` empty."""
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    whole = encoded(photograph(16, 16))
    (path / "a.jpg").write_bytes(whole)
    (path / "b.jpg").write_bytes(whole[: len(whole) - 40])
    (path / "c.jpg").write_bytes(b"")
    (path / "d.jpg").write_bytes(whole)
    return tmp_path


def test_a_corrupt_image_is_refused_by_name_when_it_is_read(folder):
    dataset = load_dataset(str(folder))
    assert len(dataset) == 4
    dataset.read(np.array([0, 3]))
    with pytest.raises(InputError, match=r"b\.jpg cannot be decoded"):
        dataset.read(np.array([0, 1]))
    with pytest.raises(InputError, match=r"c\.jpg is empty"):
        dataset.read(np.array([2]))


def test_or_skipped_by_name_and_the_indices_stay(folder):
    dataset = load_dataset(str(folder), corrupt="skip")
    np.testing.assert_array_equal(dataset.indices, [0, 3])
    assert [name.split(".jpg")[0][-1] for name in dataset.skipped] == ["b", "c"]
    assert dataset.read(np.array([0, 1])).shape == (2, 3, 16, 16)
    assert dataset.digest == load_dataset(str(folder)).digest


def test_a_folder_of_corrupt_images_only_is_refused(folder):
    for name in "ad":
        (folder / "test" / "thing" / f"{name}.jpg").write_bytes(b"JFIF")
    with pytest.raises(InputError, match="none of the 4 images"):
        load_dataset(str(folder), corrupt="skip")
    with pytest.raises(InputError, match=r"a\.jpg cannot be decoded"):
        load_dataset(str(folder))


def png_that_claims(side):
    """A PNG file with a header of so many pixels, and nothing behind it."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def claims_400_million_pixels(file):
    file.write_bytes(png_that_claims(20_000))


def leads_nowhere(file):
    file.symlink_to(file.with_name("nowhere"))


@pytest.mark.parametrize(
    ("make", "remedy"),
    [(claims_400_million_pixels, "scale it down"), (leads_nowhere, "Replace it")],
)
def test_whatever_is_wrong_with_an_image_it_is_named_or_skipped(tmp_path, make, remedy):
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    (path / "a.png").write_bytes(encoded(photograph(16, 16), "PNG"))
    make(path / "b.png")
    dataset = load_dataset(str(tmp_path))
    with pytest.raises(InputError, match=rf"b\.png cannot be decoded.*{remedy}"):
        dataset.read(np.array([1]))
    rest = load_dataset(str(tmp_path), corrupt="skip")
    assert len(rest) == 1
    assert len(rest.skipped) == 1
    assert rest.digest == dataset.digest


def test_the_system_s_trouble_is_no_corrupt_image(folder, monkeypatch):
    def fetch(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("pathlib.Path.read_bytes", fetch)
    with pytest.raises(OSError, match="Too many"):
        load_dataset(str(folder), corrupt="skip")


def test_a_lack_of_memory_is_no_corrupt_image(folder, monkeypatch):
    def lacking(*_):
        raise MemoryError

    monkeypatch.setattr("PIL.Image.open", lacking)
    with pytest.raises(MemoryError):
        load_dataset(str(folder), corrupt="skip")


def test_a_directory_is_no_image_whatever_its_name(folder):
    path = folder / "test" / "thing" / "0.png"
    path.mkdir()
    (path / "e.jpg").write_bytes(encoded(photograph(16, 16)))
    dataset = load_dataset(str(folder))
    assert len(dataset) == 5
    assert dataset.read(np.array([0])).shape == (1, 3, 16, 16)
    assert len(dataset.digest) == 64


@pytest.mark.parametrize("size", [None, 8])
@pytest.mark.parametrize(
    ("dtype", "form", "mode"),
    [(np.uint16, "PNG", "I;16"), (np.float32, "TIFF", "F"), (np.int32, "TIFF", "I")],
)
def test_more_than_8_bits_are_refused_and_never_skipped(
    tmp_path, dtype, form, mode, size
):
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    image = Image.fromarray(np.ones((16, 16), dtype=dtype))
    (path / f"a.{form.lower()}").write_bytes(encoded(image, form))
    with pytest.raises(InputError, match=rf"a\.\w+ has pixels of 16.*{mode}.*to 8"):
        load_dataset(str(tmp_path), size=size, corrupt="skip")


def test_another_shape_is_never_skipped(folder):
    path = folder / "test" / "thing"
    (path / "e.jpg").write_bytes(encoded(photograph(16, 20)))
    with pytest.raises(
        InputError, match=r"e\.jpg has shape \(3, 20, 16\).*give a size"
    ):
        load_dataset(str(folder), corrupt="skip")


@pytest.mark.parametrize(("width", "height"), [(400, 300), (300, 400), (20, 10)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_size_cuts_photographs_to_squares_in_colour(tmp_path, width, height, mode):
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    image = photograph(width, height, mode)
    (path / "a.jpg").write_bytes(encoded(image))
    dataset = load_dataset(str(tmp_path), size=224)
    assert dataset.shape == (3, 224, 224)
    (pixels,) = dataset.read(np.array([0]))
    # Brightness rises from 0 to 1 across the image; the square is 7/8 of its height.
    margin = (1 - 7 / 8 * min(width, height) / width) / 2
    middle = pixels[:, 112]
    assert middle[:, 0] == pytest.approx(margin, abs=0.03)
    assert middle[:, -1] == pytest.approx(1 - margin, abs=0.03)


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3)]
)
def test_grey_images_have_one_channel(tmp_path, mode, channels):
    path = tmp_path / "test" / "thing"
    path.mkdir(parents=True)
    (path / "a.png").write_bytes(encoded(photograph(8, 8, mode), "PNG"))
    assert load_dataset(str(tmp_path)).shape == (channels, 8, 8)
