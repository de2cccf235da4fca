"""Rows by index: certifying some is some of what is certified, and no more is said."""

import copy
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from voted import by_hand, random_votes

from simplicert.analysis import dataset_guarantee, false_certificates
from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.votes import Votes

VOTES = random_votes(12)
INDICES = [
    0,
    -1,
    np.int64(3),
    slice(None, 3),
    slice(None, None, -1),
    [4, 1],
    [],
    np.arange(12) % 2 == 0,
    [True, False] * 6,
    ...,
]


def same(one, other):
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name == "radii":
            assert a.keys() == b.keys()
            a, b = list(a.values()), list(b.values())
        np.testing.assert_array_equal(a, b, err_msg=field.name)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_some_votes_certified_are_some_of_the_certificates(index):
    some = VOTES[index]
    rows = np.atleast_1d(np.arange(12)[index])
    np.testing.assert_array_equal(some.counts, VOTES.counts[rows])
    np.testing.assert_array_equal(some.indices, VOTES.indices[rows])
    np.testing.assert_array_equal(some.labels, VOTES.labels[rows])
    assert len(some) == len(rows)
    same(certify(some), certify(VOTES)[index])


def test_every_array_is_chosen():
    made = by_hand(
        {"cohen": [0.1, 0.2], "li": [0.3, 0.4]},
        labels=[0, 1],
        printed=np.array([0.5, 0.6]),
        draw_seconds=np.array([1.0, 2.0]),
    )
    for value in vars(made[[1]]).values():
        assert not isinstance(value, np.ndarray) or value.shape == (1,)
    assert made[1].printed == [0.6]
    assert {name: list(r) for name, r in made[1].radii.items()} == {
        "cohen": [0.2],
        "li": [0.4],
    }


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (12, IndexError, "out of bounds"),
        ([True] * 3, IndexError, "boolean index"),
        (0.5, IndexError, "valid indices"),
        ("top", IndexError, "valid indices"),
        ((0, 1), IndexError, "too many indices"),
        (None, InputError, "a number, a slice, a list or a mask"),
        (True, InputError, "a number, a slice, a list or a mask"),
        ([[0]], InputError, "a number, a slice, a list or a mask"),
        ([3, -9], InputError, "row 3 is chosen more than once"),
    ],
)
def test_what_means_no_rows_or_one_twice_is_refused(index, error, message):
    for table in (VOTES, certify(VOTES)):
        with pytest.raises(error, match=message):
            table[index]


def test_a_loop_ends_and_copies_are_whole():
    assert [int(one.indices[0]) for one in VOTES] == VOTES.indices.tolist()
    for table in (VOTES, certify(VOTES)):
        same(pickle.loads(pickle.dumps(table)), table)
        same(copy.deepcopy(table), table)


def test_how_many_there_were_is_remembered():
    assert VOTES[:].chosen_from is None
    assert VOTES[::-1].chosen_from is None
    assert VOTES[:5][:2].chosen_from == 12
    assert certify(VOTES[:5])[:5].chosen_from == 12
    assert repr(VOTES[:5]).startswith("Votes: 5 of 12 images × 2,000 draws")


def test_nothing_more_is_promised_of_the_images_that_look_best():
    # 1,000 images, each falsely certified with probability alpha: choose just those.
    images, alpha, failure = 1000, 0.01, 0.01
    allowed = false_certificates(images, alpha=alpha, failure=failure)
    false = by_hand(
        {"cohen": np.where(np.arange(images) < allowed, 0.5, 0.0)},
        labels=np.zeros(images, dtype=int),
        alpha=alpha,
    )
    # With probability 0.99 there are no more false ones than these, so:
    chosen = false[false.radius > 0]
    table = dataset_guarantee(chosen, [0.25], failure=failure)
    assert table["share"].item() == 1
    assert table["dataset_lower"].item() == 0
    assert np.isnan(table["population_lower"].item())
    alone = dataset_guarantee(
        replace(chosen, chosen_from=None), [0.25], failure=failure
    )
    assert alone["dataset_lower"].item() > 0.5  # what would have been promised


def test_unequal_draws_without_looks_cannot_be_chosen_from():
    unequal = Votes(
        counts=np.array([[9, 1], [90, 10]]),
        draws=np.array([10, 100]),
        indices=np.arange(2),
        sigma=0.5,
        source={},
    )
    with pytest.raises(InputError, match="from 10 to 100 draws"):
        unequal[0]
    assert "10 to 100 draws" in repr(unequal)
    assert "<td" in unequal._repr_html_()
