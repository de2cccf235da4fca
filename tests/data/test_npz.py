"""Archives: what their arrays are called, their axes, and what they claim to hold."""

import io
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from simplicert.data import load_dataset
from simplicert.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
LABELS = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("split", ["test", "train"])
@pytest.mark.parametrize(
    "names",
    [
        ("{}_images", "{}_labels"),
        ("x_{}", "y_{}"),
        ("X_{}", "Y_{}"),
        ("{}_data", "{}_targets"),
        ("images", "labels"),
        ("X", "y"),
        ("arr_0", "arr_1"),
        ("data", "target"),
    ],
)
def test_arrays_are_found_by_the_names_that_people_give(tmp_path, names, split):
    arrays = zip((name.format(split) for name in names), (IMAGES, LABELS), strict=True)
    np.savez(tmp_path / "a.npz", **dict(arrays))
    if split != "test" and "{}" not in names[0]:
        with pytest.raises(InputError, match="looked for in train_images or"):
            load_dataset(str(tmp_path / "a.npz"), split=split)
        return
    dataset = load_dataset(str(tmp_path / "a.npz"), split=split)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.notes == ()


def test_ours_come_first_and_others_can_be_named(tmp_path):
    path = tmp_path / "a.npz"
    coarse = np.array([0, 0, 1, 1])
    np.savez(path, x=IMAGES[:2], test_images=IMAGES, klass=coarse)
    dataset = load_dataset(str(path))
    assert len(dataset) == 4
    assert dataset.labels is None
    assert any("can name another: klass, x" in note for note in dataset.notes)
    named = load_dataset(str(path), label_column="klass")
    np.testing.assert_array_equal(named.labels, coarse)
    assert len(load_dataset(str(path), image_column="x")) == 2
    with pytest.raises(InputError, match="no array nope, but x, test_images, klass"):
        load_dataset(str(path), image_column="nope")


SHAPES = [
    *((*shape, 2, 5) for shape in [(4, 1), (4, 3)]),
    *((4, 2, 5, last) for last in (1, 3)),
    *((4, second, 5, last) for second in (1, 3) for last in (1, 3)),
    *((4, 13, 16, 16), (4, 16, 16, 4), (4, 16), (4, 8, 8, 3, 1), (4, 0, 8), (0, 8, 8)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_channels_are_where_they_can_only_be_or_the_shape_of_the_file_is_shown(
    tmp_path, shape
):
    np.savez(tmp_path / "a.npz", images=np.zeros(shape, np.uint8))
    channels = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] in {1, 3}]
    if len(channels) == 1:
        dataset = load_dataset(str(tmp_path / "a.npz"))
        assert dataset.shape[0] == shape[channels[0]]
        assert dataset.shape[1:] == (2, 5)
        return
    with pytest.raises(InputError) as caught:
        load_dataset(str(tmp_path / "a.npz"))
    assert str(shape) in str(caught.value)
    assert ("second, or" in str(caught.value)) == (len(channels) == 2)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (np.array(["abc"] * 3), r"no inputs in an array of shape \(3,\)"),
        (np.array([[["abc"]]] * 3), "inputs are <U3, no numbers"),
        (np.array([{}, {}]), "holds pickled objects"),
        (IMAGES.astype(complex), "holds complex128, no real numbers"),
        (IMAGES > 9, "images are bool in"),
        (np.zeros(3, "V5"), "no real numbers"),
        (np.zeros((3, 8, 8), "M8[s]"), "no real numbers"),
    ],
)
def test_what_is_no_image_is_refused_by_its_type(tmp_path, images, complaint):
    np.savez(tmp_path / "a.npz", images=images)
    with pytest.raises(InputError, match=complaint):
        load_dataset(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ((10**6, 1000, 1000), "1,000,000,000,000 bytes, and has 100: it is cut short"),
        ((2**40, 2**40, 2**40), "bytes, and has 100"),
        ((-1, 8, 8), "cannot be read|is cut short"),
    ],
)
def test_a_header_that_lies_costs_no_memory(tmp_path, shape, complaint):
    member = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(member, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", member.getvalue() + bytes(100))
    with pytest.raises(InputError, match=complaint):
        load_dataset(str(tmp_path / "a.npz"))


def test_more_than_the_memory_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    pages = {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": 64}
    monkeypatch.setattr("os.sysconf", lambda name: pages[name])
    np.savez(tmp_path / "a.npz", images=IMAGES)
    with pytest.raises(InputError, match=r"images of shape .* GiB of memory, and this"):
        load_dataset(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (IMAGES // 16, ["no pixel is above 15 of 255: is 255 its white?"]),
        (IMAGES / 255**2, ["no pixel is above 0.00392157 of 1: is 1 its white?"]),
        (IMAGES, []),
        (IMAGES / 255, []),
    ],
)
def test_images_on_another_scale_are_said(tmp_path, images, said):
    np.savez(tmp_path / "a.npz", images=images)
    assert [*load_dataset(str(tmp_path / "a.npz")).notes] == said
