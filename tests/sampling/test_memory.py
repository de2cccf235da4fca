"""A run in memory that is stopped: what was drawn is not lost."""

import sys

import numpy as np
import pytest

from simplicert.errors import InputError
from simplicert.sampling import NumpyClassifier, sample
from simplicert.votes import read_run

SETTINGS = {"sigma": 0.5, "draws": 600, "block": 100, "batch": 200, "seed": 3}


def stopped_at(draws, error=KeyboardInterrupt):
    def progress(done, total):
        if done >= draws:
            raise error("stop")

    return progress


@pytest.mark.parametrize("draws", [200, 600, 800, 1200, 1800])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, InputError])
def test_the_complete_images_and_the_rest_later(
    network, images, draws, error, tmp_path, monkeypatch
):
    monkeypatch.setattr("simplicert.sampling.engine.PENDING_TASKS", 1)
    whole = sample(network, images, **SETTINGS)
    with pytest.raises(error) as stop:
        sample(network, images, **SETTINGS, progress=stopped_at(draws, error))
    run = stop.value.run
    complete = draws // 600
    if complete:
        votes = run.read(partial=True)
        assert len(votes) == complete
        assert votes.digest == whole[:complete].digest
    else:
        with pytest.raises(InputError, match="no finished image"):
            run.read(partial=True)
    again = {name: SETTINGS[name] for name in ("sigma", "draws")}
    drawn = []
    run.save(tmp_path / "run")
    on = sample(
        network, images, **again, out=tmp_path / "run",
        progress=lambda done, total: drawn.append(done),
    )  # fmt: skip
    assert drawn[0] == draws
    assert on.digest == whole.digest == read_run(tmp_path / "run").digest


def test_a_model_that_fails_half_way_takes_the_votes_with_it(images, monkeypatch):
    monkeypatch.setattr("simplicert.sampling.engine.PENDING_TASKS", 1)
    seen = []

    def fails(batch):
        if seen and seen[-1] >= 600:
            raise ValueError("out of luck")
        return np.tile([0.0, 9.0], (len(batch), 1))

    model = NumpyClassifier(fails, output="logits", name="fails", digest="0")
    with pytest.raises(InputError, match="out of luck") as stop:
        sample(
            model, images, **SETTINGS, progress=lambda done, total: seen.append(done)
        )
    votes = stop.value.run.read(partial=True)
    assert len(votes) == 1
    assert (votes.counts == [0, 600]).all()


def test_only_a_person_who_can_type_is_told(network, images, monkeypatch):
    def notes():
        with pytest.raises(KeyboardInterrupt) as stop:
            sample(network, images, **SETTINGS, progress=stopped_at(600))
        return "".join(getattr(stop.value, "__notes__", []))

    monkeypatch.delattr(sys, "ps1", raising=False)
    assert notes() == ""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert "of 3 images are complete" in notes()
    assert "sys.last_value.run" in notes()


def test_what_drew_nothing_keeps_nothing(network, images):
    with pytest.raises(InputError) as stop:
        sample(network, images, **SETTINGS | {"sigma": -1})
    assert not hasattr(stop.value, "run")
