"""What lies in a folder: each entry is read, or counted with the reason."""

import os
from collections import Counter

import numpy as np
import pytest
from files import encoded, put

from simplicert.data import load_dataset
from simplicert.data.listing import files_below
from simplicert.errors import InputError

NAMES = ("a.png", "b.JPG", "c.jfif", ".d.png", "Thumbs.db", "._a.png", "e", "f.mp4")
FOLDERS = ("below", ".ipynb_checkpoints", "__MACOSX", "other")


def grow(folder, generator, depth=2):
    """Random entries of every kind."""
    for name in generator.permutation(NAMES)[: generator.integers(1, 9)]:
        put(folder / name)
    if generator.random() < 0.7:
        os.mkfifo(folder / "pipe.png")
        (folder / "null.png").symlink_to("/dev/null")
        (folder / "circle.png").symlink_to("circle.png")
        (folder / "up").symlink_to(folder)
        (folder / "gone.png").symlink_to("nowhere")
    for name in generator.permutation(FOLDERS)[
        : generator.integers(0, 4) * (depth > 0)
    ]:
        (folder / name).mkdir()
        grow(folder / name, generator, depth - 1)


@pytest.mark.parametrize("seed", range(10))
def test_every_entry_is_read_or_counted(tmp_path, seed):
    grow(tmp_path, np.random.default_rng(seed))
    left_out = Counter()
    read = list(files_below(tmp_path, left_out))
    entries = 0
    for _, folders, files in os.walk(tmp_path):
        entries += len(files) + len(folders)
        links = [name for name in folders if name == "up"]
        hidden = [name for name in folders if name[0] in "._"]
        entries -= len(folders) - len(links) - len(hidden)  # those are looked into
        folders[:] = [name for name in folders if name not in {*hidden, *links}]
    assert len(read) + left_out.total() == entries
    assert len(set(read)) == len(read)
    assert not any(file.is_fifo() or file.name[0] == "." for file in read)


def test_what_is_left_out_of_a_folder_is_said_once(tmp_path):
    grow(tmp_path / put(tmp_path / "test" / "cat" / "z.png").parent, FullGenerator())
    put(tmp_path / "test" / "loose.png")
    put(tmp_path / "test" / ".ipynb_checkpoints" / "z.png")
    dataset = load_dataset(str(tmp_path))
    names = ["a.png", "b.JPG", "c.jfif", "gone.png", "z.png"]
    assert [dataset.reader.locate(row).rpartition("/")[2] for row in range(5)] == names
    (note,) = dataset.notes
    for words in (
        "files beside the class folders (1)",
        "hidden files (3)",
        "hidden folders (1)",
        "pipes or devices (2)",
        "links that lead nowhere (1)",
        "links to folders (1)",
        "files that end in .mp4 (1)",
        "files (1)",
    ):
        assert words in note


class FullGenerator:
    """One that grows every file, and no folder."""

    def permutation(self, names):
        return names

    def integers(self, low, high):
        return high - 1 if low else 0

    def random(self):
        return 0.0


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".pgm", ".JPEG", ".webp", ".tga"])
def test_what_pillow_reads_is_read_whatever_its_suffix(tmp_path, suffix):
    put(tmp_path / "test" / "cat" / f"a{suffix}")
    assert len(load_dataset(str(tmp_path))) == 1


def test_names_need_not_be_utf8(tmp_path):
    name = os.fsdecode(b"\xff.png")
    folder = put(tmp_path / "test" / os.fsdecode(b"c\xfe") / name).parent
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names == ("c\\xfe",)
    assert len(dataset.digest) == 64
    put(folder / name, b"damaged")
    with pytest.raises(InputError, match=r"c\\xfe/\\xff\.png cannot be decoded"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("0", "1", "2"), False),
        (("00", "01", "10"), False),
        (("cat", "10", "9"), False),
        (("0", "1", "10", "2"), True),
        (("c1", "c10", "c2"), True),
        (("a1", "b10", "c2"), False),
    ],
)
def test_numbers_that_are_sorted_as_text_are_said(tmp_path, classes, said):
    for name in classes:
        put(tmp_path / "test" / name / "a.png")
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names == tuple(sorted(classes))  # as torchvision has them
    assert any("as text" in note for note in dataset.notes) == said


def test_images_without_classes_do_not_shift_the_classes_of_others(tmp_path):
    for place in ("train/b", "train/c", "val/images"):
        put(tmp_path / place / "x.png")
    dataset = load_dataset(str(tmp_path), split="train")
    assert dataset.class_names == ("b", "c")
    with pytest.raises(InputError, match="val has one folder, images, which is no"):
        load_dataset(str(tmp_path), split="val")


def test_classes_without_a_split_are_the_split_all(tmp_path):
    for name in ("cat", "dog"):
        put(tmp_path / name / "a.png", encoded())
    with pytest.raises(InputError, match=r"Known: all.*without a split"):
        load_dataset(str(tmp_path))
    dataset = load_dataset(str(tmp_path), split="all")
    assert dataset.class_names == ("cat", "dog")
    np.testing.assert_array_equal(dataset.labels, [0, 1])
    assert dataset.notes == ()


def test_one_folder_of_images_has_no_labels(tmp_path):
    for name in ("b.png", "a.png", ".c.png", "labels.csv"):
        put(tmp_path / "pets" / name)
    for given in (tmp_path / "pets", tmp_path):  # alone in a folder
        dataset = load_dataset(str(given), split="all")
        assert (dataset.labels, dataset.class_names, len(dataset)) == (None, (), 2)
        assert dataset.reader.locate(0).endswith("a.png")
        notes = " ".join(dataset.notes)
        assert "files that end in .csv (1)" in notes
        assert "no labels: the images lie in no folders" in notes
        assert "does labels.csv name them?" in notes
    with pytest.raises(InputError, match=r"Known: all.*in no folders that are splits"):
        load_dataset(str(tmp_path))
