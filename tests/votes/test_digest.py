"""One digest is one table, of whatever shape; what was published stays true."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from simplicert.noises import gaussian
from simplicert.votes import Look, Votes


def votes(counts, *, draws, scores=None, **more):
    counts = np.array(counts)
    more = {"indices": np.arange(len(counts))} | more
    sums, squares = (None, None) if scores is None else scores
    return Votes(
        counts=counts,
        draws=np.full(len(counts), draws) if isinstance(draws, int) else draws,
        score_sums=sums,
        score_squares=squares,
        sigma=0.5,
        source={},
        **more,
    )


def as_it_always_was(table):
    """The formula of the first versions, which told no layout."""
    order = np.argsort(table.indices)
    hashed = hashlib.sha256(repr((table.sigma, table.classes)).encode())
    for column in (table.labels, table.indices, table.draws, *table.columns.values()):
        if column is not None:
            hashed.update(np.ascontiguousarray(column[order]).tobytes())
    return hashed.hexdigest()


SCORES = np.array([[7.5, 2.5], [2.0, 8.0]])


@pytest.mark.parametrize("labels", [None, np.array([1, 0])])
@pytest.mark.parametrize("scores", [None, (SCORES, SCORES * 0.9)])
def test_what_could_be_stored_has_the_digest_that_it_had(labels, scores):
    table = votes(
        [[9, 1], [0, 10]],
        draws=10,
        scores=scores,
        labels=labels,
        indices=np.array([7, 3]),
    )
    assert table.digest == as_it_always_was(table)
    narrow = replace(table, counts=table.counts.astype(np.int32))
    assert narrow.digest == table.digest  # equal evidence


def as_floats(whole):
    return np.array(whole, dtype=np.int64).view(np.float64)


def test_tables_with_the_same_bytes_have_two_digests():
    # Scores so small that, bit by bit, they are the counts of another image.
    small = (as_floats([[880, 20]]), as_floats([[60, 30]]))
    one = votes([[900, 90]], draws=1000, scores=small)
    two = votes(
        [[880, 20], [60, 30]], draws=np.array([900, 90]), indices=np.array([0, 1000])
    )
    assert as_it_always_was(one) == as_it_always_was(two)
    assert one.digest != two.digest


def test_scores_that_are_all_zero_are_not_votes_of_another_image():
    none = np.zeros((1, 2))
    one = votes([[4, 5]], draws=9, scores=(none, none))
    two = votes([[0, 0], [0, 0]], draws=np.array([4, 5]), indices=np.array([0, 9]))
    assert as_it_always_was(one) == as_it_always_was(two)
    assert one.digest != two.digest


def test_indices_that_are_labels_of_others_have_another_digest():
    # K = 2: five images without labels are four with, but for equal indices.
    without = votes(
        [[3, 3], [3, 1], [2, 1], [1, 1], [1, 1]],
        draws=np.array([6, 9, 9, 9, 9]),
        indices=np.array([0, 0, 1, 1, 2]),
        looks=None,
    )
    words = np.concatenate(
        [without.indices, without.draws, without.counts.ravel()]
    ).reshape(-1)
    assert words.size == 4 * 5
    labelled = votes(
        words[12:].reshape(4, 2),
        draws=words[8:12],
        labels=words[:4],
        indices=words[4:8],
    )
    assert as_it_always_was(without) == as_it_always_was(labelled)
    assert without.digest != labelled.digest


@pytest.mark.parametrize(
    "change",
    [
        {"sigma": 0.25},
        {"labels": np.array([0, 0])},
        {"labels": None},
        {"indices": np.array([0, 2])},
        {"draws": np.array([10, 12])},
        {"counts": np.array([[9, 1], [1, 9]])},
        {"counts": np.array([[9, 1, 0], [0, 10, 0]])},
        {"score_sums": SCORES, "score_squares": SCORES},
        {"score_sums": SCORES},
        {"score_sums": SCORES * 0, "score_squares": SCORES * 0},
        {"noise": replace(gaussian, name="other")},
        {"looks": (Look(10, 0.5), Look(20, 0.5))},
    ],
    ids=" ".join,
)
def test_whatever_differs_shows(change):
    table = votes([[9, 1], [0, 10]], draws=10, labels=np.array([0, 1]))
    assert replace(table, **change).digest != table.digest


def test_tables_without_images_have_digests_that_tell_their_columns():
    table = votes([[9, 1]], draws=10, labels=np.array([0]))
    none = np.array([False])
    empty, unlabelled = table[none], replace(table, labels=None)[none]
    assert empty.digest != unlabelled.digest
