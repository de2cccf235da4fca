"""Neighbours as a data set: what is stored is what is drawn from, and where it lies."""

import io
import json
import zipfile

import numpy as np
import pytest

from simplicert import InputError
from simplicert.data import load_dataset
from simplicert.data.given import as_dataset
from simplicert.data.neighbours import neighbours_of, save_neighbours, seen_from
from simplicert.data.units import measured_in
from simplicert.units import Unit

POINTS = np.array([[[3.0, 4.0], [0.0, -2.0]], [[1.5, 1.0], [1.0, 2.0]]])


def inputs():
    return as_dataset(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([1, 0]))


def test_what_is_written_is_read_again(tmp_path):
    around = neighbours_of(inputs(), POINTS, how={"seed": 3})
    save_neighbours(tmp_path / "n.npz", around)
    again = load_dataset(str(tmp_path / "n.npz"))
    assert again.digest == around.digest
    assert again.neighbours == around.neighbours
    assert again.neighbours.of == inputs().digest
    assert again.neighbours.images == [0, 1]
    assert again.labels.tolist() == [1, 1, 0, 0]
    assert (again.name, again.split) == ("array-neighbours", "all")
    read = again.read(np.array([3, 0]))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, [[1, 2], [3, 4]])
    np.testing.assert_allclose(
        again.neighbours.distances, [[5, 2], [0.5, 1]], rtol=1e-13
    )
    np.testing.assert_allclose(again.neighbours.cosines, [[-0.8], [0]], atol=1e-13)
    with pytest.raises(InputError, match="split of"):
        load_dataset(str(tmp_path / "n.npz"), split="train")


def test_selected_inputs_keep_their_numbers(tmp_path):
    around = neighbours_of(inputs().select(np.array([1])), POINTS[1:])
    assert around.neighbours.images == [1]
    assert around.neighbours.distances[0][0] == pytest.approx(0.5)


def test_distances_are_those_of_float32_and_never_too_small():
    generator = np.random.default_rng(0)
    origin = generator.random((3, 8, 8)).astype(np.float32)
    points = (origin + generator.normal(size=(3, 3, 8, 8)) * 1e-3).astype(np.float32)
    distances, cosines = seen_from(origin, points)
    ways = (points.astype(np.longdouble) - origin).reshape(3, -1)
    exact = np.sqrt((ways**2).sum(axis=1))
    assert (distances >= exact).all()
    np.testing.assert_allclose(distances, exact.astype(float), rtol=2.0**-44, atol=0)
    products = [
        ways[i] @ ways[j] / exact[i] / exact[j] for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    assert all(np.array(cosines) >= np.array(products))
    np.testing.assert_allclose(cosines, np.array(products, float), atol=2.0**-44)
    tiny, _ = seen_from(np.zeros(2), np.array([[1e-25, 0.0]]))  # whose square is none
    assert tiny[0] == pytest.approx(1e-25)


def test_neighbours_are_not_clipped_and_keep_the_unit_without_its_range():
    images = as_dataset(np.zeros((1, 1, 2, 2), dtype=np.float32), None)
    around = neighbours_of(images, np.full((1, 1, 1, 2, 2), -0.5))
    assert around.read(np.array([0])).min() == -0.5
    assert around.unit == Unit(name="pixels")
    unit = Unit(name="standard deviations", scale=(2.0, 4.0))
    scaled = measured_in(inputs(), unit)
    around = neighbours_of(scaled, [[[1.0, 0.0]], [[0.5, 1.25]]])
    assert around.unit == unit
    assert around.neighbours.distances[1][0] == pytest.approx(1.0)  # of numbers


def test_what_is_no_neighbour_is_refused():
    with pytest.raises(InputError, match="must be an array of 2"):
        neighbours_of(inputs(), POINTS[:1])
    with pytest.raises(InputError, match="not finite"):
        neighbours_of(inputs(), POINTS * np.nan)
    with pytest.raises(InputError, match="is the input itself"):
        neighbours_of(inputs(), POINTS * 0)
    with pytest.raises(InputError, match="holds neighbours already"):
        neighbours_of(neighbours_of(inputs(), POINTS), np.ones((4, 1, 2)))
    with pytest.raises(InputError, match="each"):
        neighbours_of(inputs(), np.ones((2, 17, 2)) * 5)


def test_a_changed_file_is_refused(tmp_path):
    path = tmp_path / "n.npz"
    save_neighbours(path, neighbours_of(inputs(), POINTS))
    with np.load(path) as archive:
        stored = dict(archive)
    for name in ("neighbours", "origins"):
        np.savez(path, **stored | {name: stored[name] + 0.25})
        with pytest.raises(InputError, match="was edited"):
            load_dataset(str(path))
    about = json.loads(str(stored["about"]))
    for change, word in (
        ({"images": [5, 9]}, "was edited"),  # balls about other images
        ({"images": [0, 0]}, "twice"),
        ({"shape": [2, 1, 2]}, "belong together"),
        ({"unit": {"name": ""}}, "unit"),
        ({"of": 3}, "edited"),
        ({"labels": [1]}, "labels"),
    ):
        np.savez(path, **stored | {"about": np.array(json.dumps(about | change))})
        with pytest.raises(InputError, match=word):
            load_dataset(str(path))
    np.savez(path, **stored | {"neighbours": stored["neighbours"].astype(np.float64)})
    with pytest.raises(InputError, match="edited"):
        load_dataset(str(path))
    np.savez(path, **stored | {"about": np.array("{")})
    with pytest.raises(InputError, match="JSON"):
        load_dataset(str(path))


def test_a_header_that_promises_more_than_is_there_is_not_believed(tmp_path):
    path = tmp_path / "n.npz"
    save_neighbours(path, neighbours_of(inputs(), POINTS))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = io.BytesIO()
    said = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 2, 2)}
    np.lib.format.write_array_header_1_0(header, said)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {"neighbours.npy": header.getvalue()}).items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="by its header"):
        load_dataset(str(path))


def test_only_neighbours_are_saved_and_only_as_npz(tmp_path):
    with pytest.raises(InputError, match="holds no neighbours"):
        save_neighbours(tmp_path / "n.npz", inputs())
    with pytest.raises(InputError, match=r"FILE\.npz"):
        save_neighbours(tmp_path / "n.npy", neighbours_of(inputs(), POINTS))


def test_their_distances_are_in_one_unit_so_that_they_are_sampled_in_no_other():
    unit = Unit(name="milli", scale=0.001)
    around = neighbours_of(inputs(), POINTS)
    for other in (unit, Unit(name="milli")):
        with pytest.raises(InputError, match="in milli of these scales") as error:
            measured_in(around, other)
        assert "\n" not in str(error.value)
    found = neighbours_of(measured_in(inputs(), unit), 1000 * POINTS)
    assert measured_in(found, unit) is found
    ranged = Unit(name="milli", scale=0.001, low=-5000, high=5000)
    assert measured_in(found, ranged) is found
    with pytest.raises(InputError, match="distances are in milli, not in milli"):
        measured_in(found, Unit(name="milli", scale=0.002))
