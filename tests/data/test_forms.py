"""Every form of dataset, from real bytes that the tests make."""

import gzip
import io
import json
import pickle
import subprocess
import tracemalloc
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simplicert.data import load_dataset
from simplicert.errors import InputError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(6, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])
NAMES = ("cat", "dog", "owl")
EVERYTHING = np.arange(6)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()


def write_parquet(file, rows, *, column="img"):
    features = {"label": {"names": NAMES, "_type": "ClassLabel"}}
    described = json.dumps({"info": {"features": features}})
    images = [{"bytes": png(PIXELS[row]), "path": None} for row in rows]
    table = pa.table({column: images, "label": LABELS[rows]})
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table.replace_schema_metadata({"huggingface": described}),
        file,
        row_group_size=2,
    )


def make_parquet(path):
    write_parquet(path / "data" / "test-00000-of-00002.parquet", EVERYTHING[:3])
    write_parquet(path / "data" / "test-00001-of-00002.parquet", EVERYTHING[3:])
    return path


def make_folder(path):
    for row in EVERYTHING:
        file = path / "test" / NAMES[LABELS[row]] / f"{row}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(PIXELS[row]))
    return path


def make_cifar10(path):
    rows = np.c_[LABELS.astype(np.uint8), PIXELS.reshape(6, -1)]
    for name in ("test_batch", *(f"data_batch_{n}" for n in range(1, 6))):
        rows.tofile(path / f"{name}.bin")
    (path / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return path


def make_cifar100(path):
    coarse = np.full(6, 9, dtype=np.uint8)
    rows = np.c_[coarse, LABELS.astype(np.uint8), PIXELS.reshape(6, -1)]
    rows.tofile(path / "test.bin")
    (path / "fine_label_names.txt").write_text("\n".join(NAMES))
    return path


def make_npz(path, **arrays):
    arrays = arrays or {"images": PIXELS, "labels": LABELS, "class_names": NAMES}
    np.savez(path / "pets.npz", **arrays)
    return path / "pets.npz"


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def make_idx(path):
    (path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PIXELS[:, 0])))
    (path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS))
    return path


COLOUR = [make_parquet, make_folder, make_cifar10, make_cifar100, make_npz]


@pytest.mark.parametrize("make", COLOUR)
def test_every_form_gives_the_same_images_and_labels(make, tmp_path):
    dataset = load_dataset(str(make(tmp_path)), split="test")
    assert dataset.shape == (3, 32, 32)
    assert dataset.class_names == NAMES
    images = dataset.read(EVERYTHING)
    assert images.dtype == np.float32
    # A folder is in the order of classes; the others are in the order written.
    order = np.argsort(LABELS, kind="stable") if make is make_folder else EVERYTHING
    np.testing.assert_array_equal(dataset.labels, LABELS[order])
    np.testing.assert_array_equal(images, PIXELS[order].astype(np.float32) / 255)
    np.testing.assert_array_equal(dataset.read(np.array([4, 1])), images[[4, 1]])
    np.testing.assert_array_equal(dataset.indices, EVERYTHING)


def test_idx_files_are_grey_and_may_be_compressed(tmp_path):
    dataset = load_dataset(str(make_idx(tmp_path)))
    assert dataset.shape == (1, 32, 32)
    assert dataset.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(dataset.labels, LABELS)
    expected = PIXELS[:, :1].astype(np.float32) / 255
    np.testing.assert_array_equal(dataset.read(EVERYTHING), expected)


@pytest.mark.parametrize("make", [*COLOUR, make_idx])
def test_a_reader_goes_to_worker_processes(make, tmp_path):
    dataset = load_dataset(str(make(tmp_path)))
    reader = pickle.loads(pickle.dumps(dataset.reader))
    np.testing.assert_array_equal(reader(EVERYTHING), dataset.read(EVERYTHING))


@pytest.mark.parametrize("make", [*COLOUR, make_idx])
def test_an_unknown_split_is_refused(make, tmp_path):
    path = make(tmp_path)
    with pytest.raises(InputError, match="tests"):
        load_dataset(str(path), split="tests")


def test_the_digest_is_what_the_shell_computes(tmp_path):
    path = make_parquet(tmp_path)
    command = "sha256sum data/test-*.parquet | sha256sum"
    printed = subprocess.check_output(command, shell=True, cwd=path, text=True)
    assert load_dataset(str(path)).digest == printed.split()[0]


@pytest.mark.parametrize(
    "names",
    [("test.parquet", "train.parquet"), ("test/0000.parquet", "train/0000.parquet")],
)
def test_parquet_splits_are_found_by_file_or_directory(tmp_path, names):
    for name, rows in zip(names, (EVERYTHING[:4], EVERYTHING[4:]), strict=True):
        write_parquet(tmp_path / name, rows, column="image")
    assert len(load_dataset(str(tmp_path), split="test")) == 4
    assert len(load_dataset(str(tmp_path), split="train")) == 2


def test_a_missing_shard_is_noticed(tmp_path):
    path = make_parquet(tmp_path)
    (path / "data" / "test-00000-of-00002.parquet").unlink()
    with pytest.raises(InputError, match="has 1 of its 2 Parquet files"):
        load_dataset(str(path))


@pytest.mark.parametrize("make", [make_parquet, make_cifar10, make_npz, make_idx])
def test_files_that_are_cut_short_are_named(make, tmp_path):
    path = make(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.suffix not in {".txt", ""}]
    for file in filter(lambda file: file.is_file(), files):
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"(pets.npz|t10k.*gz|test.*(bin|parquet)) "):
        load_dataset(str(path))


def test_shards_that_name_other_classes_are_refused(tmp_path, monkeypatch):
    make_parquet(tmp_path)
    monkeypatch.setitem(globals(), "NAMES", NAMES[::-1])
    write_parquet(tmp_path / "data" / "test-00001-of-00002.parquet", EVERYTHING[3:])
    with pytest.raises(InputError, match="name different classes, or the same in"):
        load_dataset(str(tmp_path))


def test_which_of_two_columns_of_images_is_read_is_said(tmp_path):
    images = {"image": [png(PIXELS[1])], "img": [png(PIXELS[0])]}
    pq.write_table(pa.table(images), tmp_path / "test.parquet")
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(
        dataset.read(EVERYTHING[:1])[0], PIXELS[0] / np.float32(255)
    )
    assert dataset.notes[0] == "of img and image the first holds the images"
    assert (
        not load_dataset(str(tmp_path), image_column="image").notes[0].startswith("of")
    )


def test_files_that_are_splits_are_never_joined_in_a_folder_of_data_sets(tmp_path):
    write_parquet(tmp_path / "pets" / "test.parquet", EVERYTHING[:4])
    write_parquet(tmp_path / "pets" / "train.parquet", EVERYTHING)
    assert len(load_dataset(str(tmp_path))) == 4
    write_parquet(tmp_path / "wild" / "test.parquet", EVERYTHING)
    with pytest.raises(InputError, match="'test' is there more than once"):
        load_dataset(str(tmp_path))


def test_an_idx_file_is_unpacked_whatever_it_is_called(tmp_path):
    images = tmp_path / "t10k-images-idx3-ubyte"
    images.write_bytes(gzip.compress(idx(PIXELS[:, 0])))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(LABELS))
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.labels, LABELS)
    np.testing.assert_array_equal(
        dataset.read(EVERYTHING)[:, 0], PIXELS[:, 0] / np.float32(255)
    )
    images.write_bytes(idx(PIXELS[:, 0]).replace(bytes([8, 3]), bytes([13, 3]), 1))
    with pytest.raises(InputError, match="numbers are of another type"):
        load_dataset(str(tmp_path))


def test_names_of_classes_may_have_spaces(tmp_path):
    (make_cifar10(tmp_path) / "batches.meta.txt").write_text("a cat\r\ndog\nowl\n\n")
    assert load_dataset(str(tmp_path)).class_names == ("a cat", "dog", "owl")


def test_an_idx_file_that_lies_about_its_shape_is_refused(tmp_path):
    path = make_idx(tmp_path)
    (path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS)[:-1])
    with pytest.raises(InputError, match=r"header says shape \(6,\), after it come 5"):
        load_dataset(str(path))


@pytest.mark.parametrize("kept", [0, 3, 6, 10])
def test_an_idx_file_without_a_whole_header_is_refused(tmp_path, kept):
    path = make_idx(tmp_path)
    (path / "t10k-images-idx3-ubyte").write_bytes(idx(PIXELS[:, 0])[:kept])
    with pytest.raises(InputError, match="images-idx3-ubyte is cut short"):
        load_dataset(str(path))


def test_an_idx_file_takes_no_more_memory_than_its_header_says(tmp_path):
    path = make_idx(tmp_path)
    packed = gzip.compress(idx(PIXELS[:, 0]) + bytes(1 << 24), 1)
    (path / "t10k-images-idx3-ubyte.gz").write_bytes(packed)
    tracemalloc.start()
    with pytest.raises(InputError, match="after it come more bytes"):
        load_dataset(str(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 23


def test_an_idx_file_that_claims_all_memory_is_refused_before_it_is_read(tmp_path):
    path = make_idx(tmp_path)
    header = bytes([0, 0, 8, 3]) + np.array([2**32 - 1] * 3, ">u4").tobytes()
    (path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(header))
    with pytest.raises(InputError, match=r"header says shape .* GiB of memory, and"):
        load_dataset(str(path))


def test_idx_files_of_no_images_are_refused(tmp_path):
    path = make_idx(tmp_path)
    (path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PIXELS[:0, 0])))
    (path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS[:0]))
    with pytest.raises(InputError, match="has no images"):
        load_dataset(str(path))


def test_an_array_that_is_named_as_an_archive_is_refused(tmp_path):
    with (tmp_path / "pets.npz").open("wb") as file:
        np.save(file, PIXELS)
    with pytest.raises(InputError, match=r"pets\.npz cannot be read.*no archive"):
        load_dataset(str(tmp_path / "pets.npz"))


def test_class_names_that_are_no_text_are_refused(tmp_path):
    path = make_cifar10(tmp_path)
    (path / "batches.meta.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"batches\.meta\.txt is no text"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    "described",
    ["{", "[]", '{"info": null}', '{"info": {"features": {"label": {"names": null}}}}'],
)
def test_where_the_hub_describes_no_classes_they_are_numbered(tmp_path, described):
    file = tmp_path / "test.parquet"
    write_parquet(file, EVERYTHING)
    table = pq.read_table(file).replace_schema_metadata({"huggingface": described})
    pq.write_table(table, file)
    assert load_dataset(str(tmp_path)).class_names == ("0", "1", "2")


@pytest.mark.parametrize("columns", [["img"], ["image", "label"]])
def test_files_with_other_columns_are_refused(tmp_path, columns):
    path = make_parquet(tmp_path)
    file = path / "data" / "test-00001-of-00002.parquet"
    table = pq.read_table(file).select(range(len(columns))).rename_columns(columns)
    pq.write_table(table, file)
    with pytest.raises(
        InputError,
        match=rf"00001-of-00002\.parquet has its images and labels in {columns[0]}"
        r".*00000-of-00002\.parquet in img\.bytes, label",
    ):
        load_dataset(str(path))


def test_a_link_to_a_shard_that_is_gone_is_noticed(tmp_path):
    write_parquet(tmp_path / "test" / "a.parquet", EVERYTHING)
    (tmp_path / "test" / "b.parquet").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"b\.parquet is not a whole Parquet file"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(("at", "complaint"), [(0, r"row \d"), (-1, "is not a whole")])
def test_a_damaged_page_is_named(tmp_path, at, complaint):
    file = tmp_path / "test.parquet"
    write_parquet(file, EVERYTHING)
    chunks = pq.read_metadata(file).row_group(0)
    chunk = chunks.column(chunks.num_columns - 1 if at else 0)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content = bytearray(file.read_bytes())
    content[start : start + 20] = b"\xff" * 20
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"test\.parquet:? {complaint}"):
        load_dataset(str(tmp_path))


def test_a_split_without_classes_says_what_a_folder_is(tmp_path):
    path = make_folder(tmp_path)
    (path / "val").mkdir()
    (path / "val" / "1.png").write_bytes(png(PIXELS[1]))
    with pytest.raises(InputError, match=r"val has no images.*SPLIT/CLASS/FILE"):
        load_dataset(str(path), split="val")


@pytest.mark.parametrize("make", [make_parquet, make_folder, make_cifar10, make_idx])
def test_an_unknown_split_says_how_to_choose_another(make, tmp_path):
    with pytest.raises(InputError, match="--set validation_split=NAME"):
        load_dataset(str(make(tmp_path)), split="validation")


def test_a_class_missing_from_one_split_does_not_shift_the_others(tmp_path):
    path = make_folder(tmp_path)
    file = path / "train" / "dog" / "1.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(png(PIXELS[1]))
    train = load_dataset(str(path), split="train")
    assert train.class_names == NAMES
    np.testing.assert_array_equal(train.labels, [1])


def test_hidden_labels_are_no_labels(tmp_path):
    images = [png(PIXELS[0])]
    table = pa.table({"image": images, "label": [-1]})
    pq.write_table(table, tmp_path / "test.parquet")
    assert load_dataset(str(tmp_path)).labels is None


def test_a_column_of_images_without_encoded_images_is_refused(tmp_path):
    table = pa.table({"img": [[0, 1]], "label": [0]})
    pq.write_table(table, tmp_path / "test.parquet")
    with pytest.raises(InputError, match=r"columns img, label: images are looked"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize("given", ["", "below", "below/batch"])
@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "meta"])
def test_pickled_batches_are_refused_with_the_remedy(tmp_path, name, given):
    folder = tmp_path / "below"
    folder.mkdir()
    (folder / name).write_bytes(b"")
    given = given.replace("batch", name)
    with pytest.raises(InputError, match=r"below holds.*cifar-100?-binary\.tar\.gz"):
        load_dataset(str(tmp_path / given))


def test_pickled_objects_in_an_archive_are_refused(tmp_path):
    path = make_npz(tmp_path, images=np.array([{}]))
    with pytest.raises(InputError, match="pickled objects"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (PIXELS.astype(np.float32), r"floating point in \[0, 1\]"),
        (PIXELS.astype(np.int64), "must be bytes"),
        (PIXELS[:, 0, 0], r"shape \(6, 32\)"),
        (np.full((1, 2, 2), np.nan), r"floating point in \[0, 1\]"),
    ],
)
def test_arrays_that_are_not_images_are_refused(tmp_path, images, complaint):
    with pytest.raises(InputError, match=complaint):
        load_dataset(str(make_npz(tmp_path, images=images)))


def test_archives_may_be_channels_last_floating_point_and_split(tmp_path):
    floats = (PIXELS / 255).transpose(0, 2, 3, 1)
    path = make_npz(tmp_path, x_train=floats, y_train=LABELS[:, None])
    dataset = load_dataset(str(path), split="train")
    expected = PIXELS.astype(np.float32) / 255
    np.testing.assert_allclose(dataset.read(EVERYTHING), expected, atol=1e-7)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    with pytest.raises(InputError, match="arrays x_train, y_train"):
        load_dataset(str(path), split="test")


@pytest.mark.parametrize("make", [make_npz, make_cifar10])
def test_a_size_is_for_encoded_images(make, tmp_path):
    with pytest.raises(InputError, match="leave out the size"):
        load_dataset(str(make(tmp_path)), size=16)


def test_a_directory_of_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is empty: it should hold"):
        load_dataset(str(tmp_path))
    with pytest.raises(InputError, match="no dataset at"):
        load_dataset(str(tmp_path / "nowhere"))


def test_debian_installs_where_names_are_looked_up(tmp_path, monkeypatch):
    (tmp_path / "fashion-mnist").mkdir()
    make_idx(tmp_path / "fashion-mnist")
    monkeypatch.setattr("simplicert.data.catalogue._INSTALLED", tmp_path)
    dataset = load_dataset("fashion-mnist")
    assert dataset.name == "fashion-mnist"
    assert dataset.class_names[9] == "Ankle boot"


def damaged(content, generator):
    """The bytes with a bit turned, cut short, or with other bytes somewhere."""
    content = bytearray(content)
    place = generator.integers(max(len(content) - 8, 1))
    match generator.integers(4):
        case 0:
            content[place] ^= 1 << generator.integers(8)
        case 1:
            del content[place:]
        case 2:
            content[place : place + 8] = generator.bytes(8)
        case 3:
            content[place : place + 4] = b"\xff" * 4
    return bytes(content)


@pytest.mark.parametrize("make", [*COLOUR, make_idx])
def test_damaged_bytes_are_read_or_refused(tmp_path, make):
    generator = np.random.default_rng(0)
    path = make(tmp_path)
    files = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    outcomes = set()
    for _ in range(40):
        file = files[generator.integers(len(files))]
        whole = file.read_bytes()
        file.write_bytes(damaged(whole, generator))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                dataset = load_dataset(str(path))
                dataset.read(np.arange(len(dataset)))
                outcomes.add("read")
            except InputError:
                outcomes.add("refused")
        file.write_bytes(whole)
    assert "refused" in outcomes
    assert load_dataset(str(path)).labels is not None
