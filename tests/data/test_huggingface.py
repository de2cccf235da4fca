"""Against a stand-in for the package, which is large; its real shape is noted here.

Checked by hand with datasets 5.2.0: ``load_dataset(path, split=...)`` of a directory of
Parquet files gives a table with ``features``, ``cast_column``, rows by number and
columns by name, as here.
"""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.data.given import as_dataset
from simplicert.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, size=(3, 8, 8, 3), dtype=np.uint8)


class HubImage:
    def __init__(self, decode=True):
        self.decode = decode


class HubLabel:
    names = ("cat", "dog")


class Table:
    labels = (0, 1, 1)

    def __init__(self, folder, features):
        self.folder = folder
        self.features = features

    def __len__(self):
        return len(PIXELS)

    def __getitem__(self, key):
        if key == "label":
            return list(self.labels)
        assert not self.features["image"].decode
        file = io.BytesIO()
        Image.fromarray(PIXELS[key]).save(file, "PNG")
        if key == 0:
            return {"image": {"bytes": file.getvalue(), "path": None}}
        (self.folder / "image.png").write_bytes(file.getvalue())
        return {"image": {"bytes": None, "path": str(self.folder / "image.png")}}

    def to_pandas(self):
        columns = {"a": [1, 2, 3], "b": [0.5] * 3, "label": list(self.labels)}
        return pd.DataFrame(columns)

    def cast_column(self, name, feature):
        return Table(self.folder, self.features | {name: feature})


@pytest.fixture
def hub(monkeypatch, tmp_path):
    features = {"label": HubLabel(), "image": HubImage()}

    def load(name, split):
        if split != "test":
            raise ValueError(f"Unknown split {split!r}")
        return Table(tmp_path, features)

    def load_from_disk(name):
        table = Table(tmp_path, features)
        return table if name.endswith("one") else {"test": table}

    module = SimpleNamespace(
        load_dataset=load,
        load_from_disk=load_from_disk,
        Image=HubImage,
        ClassLabel=HubLabel,
    )
    monkeypatch.setitem(sys.modules, "datasets", module)
    return features


def test_a_dataset_of_the_hub_is_read_by_name(hub):
    dataset = load_dataset("hf:owner/pets")
    assert dataset.name == "hf:owner/pets"
    assert dataset.class_names == ("cat", "dog")
    np.testing.assert_array_equal(dataset.labels, [0, 1, 1])
    expected = PIXELS.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_array_equal(dataset.read(np.arange(3)), expected)
    assert len(dataset.digest) == 64


def test_what_was_saved_to_disk_is_read_by_its_folder(hub, tmp_path):
    for name, mark in (("one", "state.json"), ("splits", "dataset_dict.json")):
        (tmp_path / name).mkdir()
        (tmp_path / name / mark).write_text("{}")
        assert len(load_dataset(f"hf:{tmp_path / name}")) == len(PIXELS)
    with pytest.raises(InputError, match="Known: test"):
        load_dataset(f"hf:{tmp_path / 'splits'}", split="train")


def test_columns_are_named_or_said(hub):
    del hub["label"]
    hub["fine"] = None  # some other kind of column
    dataset = load_dataset("hf:owner/pets")
    assert dataset.labels is None
    assert dataset.notes == ("no labels; label_column can name another: fine",)
    hub["label"] = None
    named = load_dataset("hf:owner/pets", label_column="label")
    np.testing.assert_array_equal(named.labels, [0, 1, 1])
    for column, told in (("nope", "no column nope, but"), ("fine", "holds no images")):
        with pytest.raises(InputError, match=told):
            load_dataset("hf:owner/pets", image_column=column)


def test_an_unknown_split_is_refused(hub):
    with pytest.raises(InputError, match="hf:owner/pets, split 'train': Unknown split"):
        load_dataset("hf:owner/pets", split="train")


def test_a_table_without_images_has_features(hub, tmp_path):
    hub["a"] = hub["b"] = None
    del hub["image"]
    for dataset in (
        load_dataset("hf:owner/pets"),
        as_dataset(Table(tmp_path, hub), None),
    ):
        assert (dataset.features, dataset.class_names) == (("a", "b"), ("cat", "dog"))
        np.testing.assert_array_equal(dataset.labels, [0, 1, 1])
        assert dataset.read(np.array([2])).tolist() == [[3.0, 0.5]]
    chosen = load_dataset("hf:owner/pets", feature_columns=["b"])
    assert chosen.features == ("b",)


def test_images_that_the_package_has_loaded_are_read(hub, tmp_path):
    dataset = as_dataset(Table(tmp_path, hub), None)
    expected = PIXELS.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_array_equal(dataset.read(np.arange(3)), expected)
    assert dataset.labels.tolist() == [0, 1, 1]


def test_hidden_labels_are_no_labels_and_a_missing_one_is_refused(hub, monkeypatch):
    monkeypatch.setattr(Table, "labels", (-1, -1, -1))
    assert load_dataset("hf:owner/pets").labels is None
    monkeypatch.setattr(Table, "labels", (None, 1, 1))
    with pytest.raises(InputError, match=r"split 'test': labels are object"):
        load_dataset("hf:owner/pets")


def test_without_the_package_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        load_dataset("hf:owner/pets")
