"""Runs whose images stop at looks: what is stored, and what is read of it."""

import numpy as np
import pytest
from looked import stopped_run

from simplicert.errors import InputError
from simplicert.votes import RunDirectory


def test_a_finished_run_has_unequal_draws_and_says_who_is_done(tmp_path):
    store = stopped_run(tmp_path / "run")
    votes = store.read()
    assert len(votes) == 40
    assert len(np.unique(votes.draws)) > 3
    assert votes.looks == tuple(store.manifest.looks)
    assert store.done().all()
    progress = store.progress()
    assert progress.draws == progress.total == votes.draws.sum()
    assert progress.finished == 40


def test_what_a_stopped_image_will_not_be_drawn_is_not_to_come(tmp_path):
    store = stopped_run(tmp_path / "run", most=3)
    progress, votes = store.progress(), store.read(partial=True)
    assert 0 < progress.finished < 40
    open_ = 40 - progress.finished
    reached = store.manifest.looks[2].draws
    assert progress.total - progress.draws == open_ * (1000 - reached)
    assert progress.draws == votes.draws.sum()
    with pytest.raises(InputError, match="not finished"):
        store.read()


def test_a_part_without_the_flag_of_the_last_look_is_no_part_of_such_a_run(tmp_path):
    import pyarrow.parquet as pq

    store = stopped_run(tmp_path / "run")
    store.compact()
    [part] = store.parts
    table = pq.read_table(part).drop_columns("last")
    part.unlink()
    pq.write_table(table, part.with_stem("0" * 32), write_page_checksum=True)
    with pytest.raises(InputError, match="it has other columns"):
        store.read()


def test_joined_parts_have_the_same_votes_and_stops(tmp_path):
    store = stopped_run(tmp_path / "run")
    before, done = store.read().digest, store.done()
    store.compact()
    assert len(store.parts) == 1
    assert RunDirectory(store.path).read().digest == before
    assert np.array_equal(store.done(), done)
