"""Inputs that are no images, in a unit of their own, are served in it."""

from dataclasses import replace

import numpy as np
import pytest
from served import Brightness, npy, png, prepared, running, sent

from simplicert.audit.replay import replay, run_images
from simplicert.classifiers import NumpyClassifier
from simplicert.data import load_dataset
from simplicert.data.digests import digest_of_bytes
from simplicert.data.given import as_dataset
from simplicert.data.units import measured_in
from simplicert.errors import InputError
from simplicert.serve.bodies import Bodies
from simplicert.serve.page import render_page
from simplicert.serve.service import served_inputs
from simplicert.units import PIXELS, PLAIN, Unit
from simplicert.votes import RunDirectory

UNIT = Unit(name="standard deviations", scale=(0.01, 3.0, 250.0), offset=(1, -20, 4e3))
SLOPE = np.array([1.0, -2.0, 0.5])
"""Of the classifier, in numbers of the unit."""


def decide(values):
    return (UNIT.numbers(values.astype(np.float64)) @ SLOPE > 0).astype(int)


NUMBERS = np.array([[0.0, -1.0, 0.5], [1.0, 1.0, -1.0], [0.1, 0.0, 0.0]])
VALUES = UNIT.offsets(1) + UNIT.scales(1) * NUMBERS


@pytest.fixture(scope="module")
def service():
    model = NumpyClassifier(decide, output="labels", classes=2)
    return prepared(model, shape=(3,), unit=UNIT, draws=2000)


@pytest.mark.parametrize("kind", ["application/json", "application/x-npy"])
def test_radii_are_distances_in_the_unit(service, tmp_path, kind):
    body = npy(VALUES)
    if kind == "application/json":
        body = str({"inputs": VALUES.tolist()}).replace("'", '"').encode()
    with running(service, tmp_path / "log", inputs=True) as there:
        [response] = there.together(sent(body, kind))
    found = response.json()
    assert found["unit"] == "standard deviations"
    distances = abs(NUMBERS @ SLOPE) / np.linalg.norm(SLOPE)
    radii = np.array([each["radius"] for each in found["answers"]])
    assert (radii <= distances).all()
    assert (radii[:2] > 0.1).all()
    assert [each["predicted"] for each in found["answers"][:2]] == [1, 0]


def test_its_log_is_drawn_again_in_the_unit(service, tmp_path):
    with running(service, tmp_path / "log", inputs=True) as there:
        there.ask(VALUES)
    run = RunDirectory(tmp_path / "log" / "0001")
    assert run.manifest.data.unit == UNIT
    data = run_images(load_dataset(str(run.path / "inputs.npz")), run)
    np.testing.assert_allclose(data.read(np.arange(3)), NUMBERS, atol=1e-9)
    [finding] = replay(service.sampler.on(data), run, share="100%", seed=0)
    assert finding.outcome == "held"


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_levels_that_the_model_takes_are_sent_as_they_are(kind):
    levels = np.array([0, 7, 200, 255]).reshape(1, 1, 2, 2).astype(np.float32)
    like = measured_in(as_dataset(levels, None), Unit(name="levels", low=0, high=255))
    for known in (like, replace(like, unit=PIXELS)):  # as a reader gives them
        bodies = Bodies(like=known, unit=like.unit)
        assert not bodies.takes_images  # whose pixels would be taken for levels
        read = bodies.read(npy(levels.astype(kind)), "application/x-npy")
        np.testing.assert_array_equal(read, levels)


def test_the_order_of_the_numbers_and_the_unit_of_sigma_are_on_the_page(service):
    like = replace(service.bodies.like, features=("age", "pulse", "dose"))
    page, _ = render_page(replace(service, bodies=replace(service.bodies, like=like)))
    at = [page.index(f"<span>{name}</span>") for name in ("age", "pulse", "dose")]
    assert at == sorted(at)
    assert "as the model takes them" in page
    assert "(standard deviations); not about" in page


def test_bytes_whose_channels_were_last_have_a_digest():
    images = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    turned = images.transpose(0, 3, 1, 2)
    assert digest_of_bytes(turned) == digest_of_bytes(turned.copy())


@pytest.mark.parametrize("change", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused(service, tmp_path, change):
    spoilt = VALUES.copy()
    spoilt[1, 2] = change
    with running(service) as there:
        [response] = there.together(sent(npy(spoilt), "application/x-npy"))
    assert response.status_code == 422
    assert "feature 2" in response.text


def test_an_image_that_float32_would_move_is_refused():
    """Its certificate would be of another input, here a whole unit away."""
    like = replace(served_inputs((1, 16, 16)), unit=PLAIN)
    bodies = Bodies(like=like, unit=Unit(name="Pa", scale=1.0, offset=1e6))
    given = np.full((1, 1, 16, 16), 1e6)
    assert (bodies._checked(given) == given).all()
    with pytest.raises(InputError, match="more digits than float32 holds"):
        bodies._checked(given + 0.03)


class Levels(Brightness):
    """Takes what others take, 0 to 255."""

    def forward(self, x):
        return super().forward(x / 255)


LEVELS = np.stack([np.full((1, 4, 4), level, np.float32) for level in (9, 250)])


@pytest.fixture(scope="module")
def levels():
    return prepared(Levels(), unit=PLAIN, sigma=40.0)


def test_images_in_another_unit_are_served_and_drawn_again(levels, tmp_path):
    with running(levels, tmp_path / "log", inputs=True) as there:
        found = there.ask(LEVELS).json()["answers"]
    assert [each["predicted"] for each in found] == [0, 2]
    run = RunDirectory(tmp_path / "log" / "0001")
    data = run_images(load_dataset(str(run.path / "inputs.npz")), run)
    [finding] = replay(levels.sampler.on(data), run, share="100%", seed=0)
    assert finding.outcome == "held"


def test_a_picture_is_refused_where_pixels_are_not_0_to_1(levels):
    """What a pixel is there, nobody said: 1 would be nearly black."""
    body = png(np.full((4, 4), 250, np.uint8))
    with running(levels) as there:
        [response] = there.together(sent(body, "image/png"))
        of_its_page = there.get("/").text
    assert response.status_code == 415
    assert 'type="file"' not in of_its_page


def test_a_unit_that_is_computed_needs_a_data_set(simplicert, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from simplicert.data.units import deviations as unit\n"
        "from torch.nn import Flatten\n"
        "net = Flatten()\n"
    )
    net, unit = (f"{tmp_path / 'mine.py'}:{name}" for name in ("net", "unit"))
    command = ("serve", net, "--sigma", 1, "--dry-run", "--shape", "3", "--unit")
    for spec in (unit, "levels", "deviations", "table.csv"):
        code, _, err = simplicert(*command, spec)
        assert code == 2
        assert "is that of a data set: give one of such inputs, --like" in err


@pytest.mark.parametrize("told", [False, True])
def test_classes_in_another_order_are_seen_before_it_listens(
    simplicert, tmp_path, told
):
    """Else the names of all answers would be wrong."""
    labels = np.arange(60) % 2
    inputs = np.where(labels, 3.0, -3.0)[:, None] * np.ones(3)
    np.savez(tmp_path / "x.npz", features=inputs, labels=labels ^ told)
    (tmp_path / "mine.py").write_text(
        "from simplicert.classifiers import NumpyClassifier\n"
        "model = NumpyClassifier(lambda x: (x.mean(1) > 0).astype(int),\n"
        "                        output='labels', classes=2)\n"
    )
    code, _, err = simplicert(
        *("serve", f"{tmp_path / 'mine.py'}:model", "--like", tmp_path / "x.npz"),
        *("--sigma", 0.5, "--dry-run"),
    )
    assert code == 0, err
    assert f"the first 60 inputs: {0 if told else 100}% right" in err
    assert ("number their classes alike?" in err) == told
