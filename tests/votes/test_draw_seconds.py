"""The time of the draws: what was spent drawing, and nothing else."""

import time

import numpy as np
import pytest

from simplicert.sampling import NumpyClassifier, sample
from simplicert.votes import RunDirectory, read_run

IMAGES = np.zeros((3, 1, 2, 2), dtype=np.float32)
PAUSE = 0.05


@pytest.fixture(autouse=True)
def _handed_over_by_twos(monkeypatch):
    monkeypatch.setattr("simplicert.sampling.engine.PENDING_TASKS", 2)


def slow(batch):
    time.sleep(PAUSE)
    return np.zeros(len(batch), dtype=np.int64)


def draw(out, progress=None):
    model = NumpyClassifier(slow, output="labels", classes=2)
    return sample(
        model, IMAGES, sigma=0.5, draws=40, block=10, batch=10, seed=0, out=out,
        flush=0, progress=progress,
    )  # fmt: skip


def test_what_the_draws_took_is_stored_with_the_votes(tmp_path):
    told = []

    def idle(done, total):
        told.append(time.monotonic())
        time.sleep(0.3)  # a slow disk or screen is no time of the draws

    votes = draw(tmp_path / "run", idle)
    elapsed = time.monotonic() - told[0] - 0.3 * len(told)
    assert len(told) > 3
    assert votes.draw_seconds.shape == (3,)
    assert (votes.draw_seconds >= 4 * PAUSE * 0.5).all()
    assert 12 * PAUSE <= votes.draw_seconds.sum() <= elapsed
    stored = read_run(tmp_path / "run").draw_seconds
    np.testing.assert_array_equal(stored, votes.draw_seconds)
    assert draw(None).digest == votes.digest


def test_a_run_that_was_interrupted_adds_up_what_each_session_took(tmp_path):
    def stop(done, total):
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(tmp_path / "run", stop)
    assert not RunDirectory(tmp_path / "run").done().all()
    votes = draw(tmp_path / "run")
    assert 12 * PAUSE <= votes.draw_seconds.sum() < 12 * PAUSE + 2
