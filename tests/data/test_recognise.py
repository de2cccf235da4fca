"""Near misses: read where that is safe, else told exactly."""

import gzip
import os
import re

import numpy as np
import pytest
from files import encoded, idx, put, put_table

from simplicert.data import load_dataset
from simplicert.data.catalogue import FORMS
from simplicert.errors import InputError

IMAGES = idx(np.zeros((2, 8, 8)))
LABELS = idx([0, 1])
HASHES = "a09b74b3ef9c3b56", "0123456789abcdef"


def place(root, layout):
    """Files by name; a table for .parquet, idx bytes for idx, else an image."""
    for name in layout.split():
        empty = (".npy", ".mat", ".csv", ".zip", "json")
        content = b"" if name.endswith(empty) else None
        if "idx" in name:
            content = IMAGES if "idx3" in name else LABELS
            content = gzip.compress(content) if name.endswith(".gz") else content
        if name.endswith(".parquet"):
            put_table(root / name)
        else:
            put(root / name, content)


READ = {
    "hashed shards": f"data/test-00000-of-00002-{HASHES[0]}.parquet "
    f"data/test-00001-of-00002-{HASHES[1]}.parquet",
    "a configuration's folder": "default/test/0000.parquet",
    "an archive's folder": "pets/test/cat/a.png pets/test/dog/a.png",
    "a Mac's archive": "pets/test/cat/a.png pets/test/dog/a.png __MACOSX/x .DS_Store",
    "torchvision's root": "MNIST/raw/t10k-images-idx3-ubyte "
    "MNIST/raw/t10k-labels-idx1-ubyte",
    "a dot before idx": "t10k-images.idx3-ubyte t10k-labels.idx1-ubyte.gz",
    "a Mac's shadow": "test.parquet ._test.parquet",
}


@pytest.mark.parametrize("layout", READ.values(), ids=READ)
def test_a_near_miss_is_read_where_that_is_safe(tmp_path, layout):
    place(tmp_path, layout)
    dataset = load_dataset(str(tmp_path))
    assert (dataset.split, dataset.shape[1:]) == ("test", (8, 8))
    assert dataset.labels.tolist() in ([0, 1], [0, 1, 0, 1])
    alone = layout.startswith(("default", "pets", "MNIST"))
    assert any("read from" in note for note in dataset.notes) == alone


TOLD = {
    "empty": ("", "is empty: it should hold an .npz archive, .* a folder of images"),
    "nothing of it": ("notes.xyz", "is no dataset: it should hold"),
    "a shard is missing": (
        f"data/test-00000-of-00002-{HASHES[0]}.parquet",
        "split 'test' has 1 of its 2 Parquet files",
    ),
    "two uploads": (
        f"test-00000-of-00001.parquet test-00000-of-00001-{HASHES[0]}.parquet",
        "split 'test' is there more than once: .*00001-a09.*two uploads",
    ),
    "two configurations": (
        "a/test-00000-of-00001.parquet b/test-00000-of-00001.parquet",
        "split 'test' is there more than once",
    ),
    "one split twice": ("test.parquet data/test.parquet", "there more than once"),
    "two of torchvision's": (
        "MNIST/raw/t10k-images-idx3-ubyte KMNIST/raw/t10k-images-idx3-ubyte",
        r"holds a dataset further down: give \S+KMNIST/raw \(idx files\) or \S+/MNIST",
    ),
    "splits one folder below": (
        "pets/test/cat/a.png pets/train/cat/a.png readme.xyz",
        r"further down: give \S+/pets \(a folder of images\)$",
    ),
    "an archive of arrays": ("x.npz y.xyz", r"further down: give \S+x\.npz"),
    "EMNIST": (
        "emnist-letters-test-images-idx3-ubyte.gz",
        "unknown split.*Known: emnist-letters-test",
    ),
    "labels alone": ("train-labels-idx1-ubyte", "looks like idx files, but there are"),
    "no labels": ("t10k-images-idx3-ubyte", "has no t10k-labels-idx1-ubyte"),
    "CIFAR in part": ("data_batch_1.bin", "test_batch.bin is missing"),
    "flat beside a folder": ("a.png x/b.txt", "images lie in no folder that names"),
    "images beside a table": ("images/a.png labels.csv", "the images in images lie in"),
    "COCO": ("val/1.png annotations/x.json", "the images in val lie in no folder"),
    "classes and another": (
        "cat/1.png dog/1.png notes/x.json",
        "the folders notes hold no images, as classes would",
    ),
    "ImageNet's root": (
        "I/Data/CLS/train/n1/1.png I/Data/CLS/train/n2/1.png I/Annotations/x.xyz",
        r"further down: give \S+/I/Data/CLS \(a folder of images\)$",
    ),
    "too far down": (
        "a/b/c/d/e/test.parquet y.xyz",
        "looks like a folder of images, but no file is an image",
    ),
    "no files": ("x/test/cat/.hidden y.xyz", r"but no file is an image\. Looked for"),
    "splits without classes": ("test/a.png train/b.png", "images in test, train lie"),
    "classes of no images": ("test/cat/a.npy", r"no file is an image; there are \.npy"),
    "splits in classes": ("cat/test/a.png dog/test/a.png", "splits lie in its classes"),
    "arrays": (
        "a.npy y.xyz",
        r"holds a dataset further down: give \S+a\.npy \(an .npy",
    ),
    "a spreadsheet": ("a.xlsx", r"a\.xlsx is a spreadsheet: save it as FILE\.csv"),
    "compressed sound": ("x.mp3", r"x\.mp3 is compressed sound: convert it to \.wav"),
    "tables": ("a.csv b.csv", r"none is called like a split: give one .*a\.csv"),
    "MATLAB": ("test_32x32.mat", r"mat is a MATLAB file.*FILE\.py:NAME"),
    "packed": ("images.zip", r"images\.zip is an archive: unpack it"),
    "save_to_disk": ("state.json data.arrow", r"save_to_disk.*say hf:\S+$"),
    "save_to_disk of splits": ("dataset_dict.json", "save_to_disk.*say hf:"),
}


@pytest.mark.parametrize(("layout", "told"), TOLD.values(), ids=TOLD)
def test_what_is_not_read_is_told_what_it_looks_like(tmp_path, layout, told):
    place(tmp_path, layout)
    with pytest.raises(InputError, match=told):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("layout", "given", "told"),
    [
        ("t10k-images-idx3-ubyte", 0, "is one of idx files: give their folder"),
        ("test_batch.bin", 0, "is one of CIFAR's binary files: give their folder"),
        ("test/cat/a.png", 0, "looks like a folder of images, but it is one image"),
        ("x.tar.gz", 0, "is compressed: unpack it"),
        ("x.parquet notes.xyz", 1, "is no dataset: it should hold"),
    ],
)
def test_a_file_of_a_dataset_is_told_its_folder(tmp_path, layout, given, told):
    place(tmp_path, layout)
    with pytest.raises(InputError, match=told):
        load_dataset(str(tmp_path / layout.split()[given]))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "not an empty text"),
        ("~/pets", "~ is not your home"),
        ("owner/pets", "say hf:owner/pets"),
        ("./pets", "check the path$"),
    ],
)
def test_a_path_that_is_not_there_says_why_perhaps(given, told):
    with pytest.raises(InputError, match=told):
        load_dataset(given)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_says_what_it_looks_for(form, tmp_path):
    assert form.name
    assert form.looks_for
    assert not form.recognises(tmp_path)
    assert form.lacks(tmp_path) is None
    with pytest.raises(InputError, match=re.escape(form.name)):
        load_dataset(str(tmp_path))


SPECIAL = ["x.npz", "x.parquet", "test.bin", "t10k-images-idx3-ubyte", "x", "a.png"]


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("below", ["", "test", "test/cat"])
def test_no_pipe_is_ever_opened(tmp_path, name, below):
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / name)
    for given in (folder / name, folder, tmp_path):
        with pytest.raises(InputError):  # and not a wait for ever
            load_dataset(str(given))


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_no_device_is_read(tmp_path, device):
    with pytest.raises(InputError, match="is no regular file"):
        load_dataset(device)
    for name in ("x.npz", "test.parquet"):
        (tmp_path / name).symlink_to(device)
        with pytest.raises(InputError, match=r"is no regular file"):
            load_dataset(str(tmp_path / name))
        with pytest.raises(InputError, match=r"is no regular file"):
            load_dataset(str(tmp_path))


def test_a_link_in_a_circle_is_no_dataset(tmp_path):
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(InputError, match="no dataset at"):
        load_dataset(str(tmp_path / "a"))


def test_columns_are_named_where_there_are_some(tmp_path):
    columns = {"pic": [encoded()] * 2, "coarse_label": [1, 0]}
    file = put_table(tmp_path / "test.parquet", **columns)
    with pytest.raises(InputError, match=r"columns pic, coarse_label.*image_column"):
        load_dataset(str(file))
    unlabelled = load_dataset(str(file), image_column="pic")
    assert unlabelled.labels is None
    assert unlabelled.notes == (
        "no labels; label_column can name another: coarse_label",
    )
    both = load_dataset(str(file), image_column="pic", label_column="coarse_label")
    assert both.labels.tolist() == [1, 0]
    with pytest.raises(InputError, match="no column fine, but pic, coarse_label"):
        load_dataset(str(file), image_column="pic", label_column="fine")
    for name in ("cat", "dog"):
        put(tmp_path / "images" / "test" / name / "a.png")
    with pytest.raises(InputError, match="no columns to choose from: leave out label_"):
        load_dataset(str(tmp_path / "images"), label_column="x")
