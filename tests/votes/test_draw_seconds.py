"""The time of the draws: what was spent drawing, and nothing else."""

import numpy as np
import pytest
from clock import Clock

from simplicert.sampling import NumpyClassifier, sample
from simplicert.votes import RunDirectory, read_run

IMAGES = np.zeros((3, 1, 2, 2), dtype=np.float32)
PAUSE = 0.0625  # sums of it are exact


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("simplicert.sampling.engine.time", clock)
    monkeypatch.setattr("simplicert.sampling.engine.PENDING_TASKS", 2)
    return clock


def draw(clock, out, progress=None):
    def slow(batch):
        clock.sleep(PAUSE)
        return np.zeros(len(batch), dtype=np.int64)

    model = NumpyClassifier(slow, output="labels", classes=2, digest="slow")
    return sample(
        model, IMAGES, sigma=0.5, draws=40, block=10, batch=10, seed=0, out=out,
        flush=0, progress=progress,
    )  # fmt: skip


def test_what_the_draws_took_is_stored_with_the_votes(clock, tmp_path):
    told = []

    def idle(done, total):
        told.append(done)
        clock.sleep(0.25)  # a slow disk or screen is no time of the draws

    votes = draw(clock, tmp_path / "run", idle)
    assert len(told) > 3
    np.testing.assert_array_equal(votes.draw_seconds, [4 * PAUSE] * 3)
    stored = read_run(tmp_path / "run").draw_seconds
    np.testing.assert_array_equal(stored, votes.draw_seconds)
    assert draw(clock, None).digest == votes.digest


def test_a_run_that_was_interrupted_adds_up_what_each_session_took(clock, tmp_path):
    def stop(done, total):
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(clock, tmp_path / "run", stop)
    assert not RunDirectory(tmp_path / "run").done().all()
    clock.sleep(1000)
    votes = draw(clock, tmp_path / "run")
    np.testing.assert_array_equal(votes.draw_seconds, [4 * PAUSE] * 3)
