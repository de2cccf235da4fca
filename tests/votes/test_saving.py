"""Votes in memory, saved and read: the same evidence to the last bit, or refused."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic import EVERY_BLOCK, manifest, rows
from voted import random_votes

from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.interop import certify_path
from simplicert.noises import uniform
from simplicert.report import load_runs
from simplicert.votes import Look, RunDirectory, Votes, read_run


def stored(tmp_path, **changes):
    run = RunDirectory.create(tmp_path / "drawn", manifest(**changes))
    run.append(rows(*EVERY_BLOCK, top=1))
    return run.read()


def scored():
    votes = random_votes(20)
    scores = votes.counts * 0.75
    return replace(votes, score_sums=scores, score_squares=scores * 0.75)


MADE = {
    "counts": random_votes,
    "no labels": lambda: random_votes(labels=False),
    "scores": scored,
    "uniform noise": lambda: replace(random_votes(30), noise=uniform.facts),
    "reversed": lambda: random_votes(30)[::-1],
    "half of alpha": lambda: replace(random_votes(30), looks=(Look(2000, 0.5),)),
    "timed": lambda: replace(random_votes(9), draw_seconds=np.arange(9) / 7),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_is_saved_is_read_to_the_last_bit(made, tmp_path):
    votes = made()
    assert votes.save(tmp_path / "run") == tmp_path / "run"
    read = read_run(tmp_path / "run")
    assert read.digest == votes.digest
    for name, values in votes.columns.items():
        np.testing.assert_array_equal(read.columns[name], values)
    np.testing.assert_array_equal(read.indices, votes.indices)
    assert (read.noise.facts, read.sigma) == (votes.noise.facts, votes.sigma)
    assert read.fixed_looks == votes.fixed_looks
    if votes.draw_seconds is not None:
        np.testing.assert_array_equal(read.draw_seconds, votes.draw_seconds)
    for name, radius in certify(votes).radii.items():
        there = certify_path(tmp_path / "run").radii[name]
        np.testing.assert_array_equal(there, radius)
    assert votes.save(tmp_path / "run")  # again, and nothing changes
    assert len(RunDirectory(tmp_path / "run").parts) == 1


def test_what_is_known_of_the_run_stays_known(tmp_path):
    votes = stored(tmp_path)
    votes.save(tmp_path / "saved")
    read = read_run(tmp_path / "saved")
    assert read.digest == votes.digest
    there, ours = read.manifest, votes.manifest
    for name in ("model", "data", "seed", "precision", "versions", "created"):
        assert getattr(there, name) == getattr(ours, name)
    # But it is not the run: with blocks of that size the seed gives other noise.
    assert (there.device, there.block) == ("saved", 30)
    with pytest.raises(InputError, match="holds another run: block is 30 there"):
        RunDirectory.open_or_create(tmp_path / "saved", ours)
    with pytest.raises(InputError, match="share draws"):
        votes.chosen_by(read)
    (run,) = load_runs([tmp_path / "saved"], alpha=0.1)
    assert run.facts["model digest"] == "ab"


def test_a_save_that_was_cut_short_is_mended(tmp_path):
    votes = random_votes(5)
    votes.save(tmp_path)
    (part,) = RunDirectory(tmp_path).parts
    part.write_bytes(part.read_bytes()[:100])
    votes.save(tmp_path)
    assert read_run(tmp_path).digest == votes.digest
    RunDirectory(tmp_path).parts[0].unlink()
    votes.save(tmp_path)
    assert read_run(tmp_path).digest == votes.digest


def test_nothing_else_is_overwritten(tmp_path):
    votes = random_votes(5)
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="is not a run"):
        votes.save(tmp_path)
    with pytest.raises(InputError, match="is not a run"):
        votes.save(tmp_path / "mine.txt")
    votes.save(tmp_path / "run")
    with pytest.raises(InputError, match="holds another run"):
        random_votes(5, seed=1).save(tmp_path / "run")
    drawn = stored(tmp_path)
    drawn.save(tmp_path / "drawn-again")
    other = replace(drawn, counts=drawn.counts[:, ::-1].copy())
    with pytest.raises(InputError, match="holds other votes"):
        other.save(tmp_path / "drawn-again")
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert read_run(tmp_path / "run").digest == votes.digest


def unequal(**changes):
    return Votes(
        counts=np.array([[9, 1], [90, 10]]),
        draws=np.array([10, 100]),
        indices=np.arange(2),
        sigma=0.5,
        source={},
        **changes,
    )


BAD = {
    "were chosen from 400": lambda: random_votes()[:3],
    "there are no votes": lambda: random_votes()[[]],
    "have others that choose": lambda: random_votes(5).chosen_by(
        random_votes(5, seed=1)
    ),
    "from 10 to 100 draws": unequal,
    "several looks cannot be saved": lambda: unequal(
        looks=(Look(10, 0.5), Look(100, 0.5))
    ),
    "also need score_squares": lambda: replace(scored(), score_squares=None),
    "sum to a little more": lambda: replace(
        scored(),
        score_sums=scored().counts * (1 + 1e-12),
        score_squares=scored().counts.astype(float),
    ),
    "must not name one image twice": lambda: replace(
        random_votes(2), indices=np.array([7, 7])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_what_could_not_be_read_again_is_refused(message, tmp_path):
    with pytest.raises(InputError, match=message):
        BAD[message]().save(tmp_path / "run")
    assert not (tmp_path / "run").exists()
