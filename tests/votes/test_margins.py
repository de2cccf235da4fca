"""Histograms of margins: what is stored is what is read, and none counts that chose."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pyarrow as pa
import pytest
from synthetic import manifest, rows

from simplicert.errors import InputError
from simplicert.stopping.stages import Stages
from simplicert.votes import Look, RunDirectory, VoteRows, Votes
from simplicert.votes.columns import CELLS, COLUMNS
from simplicert.votes.encoding import schema_of
from simplicert.votes.rivals import cells_of, check_rivals, choose_rivals
from simplicert.votes.sources import MarginsSource

BLOCKS = [(image, block) for image in (4, 9) for block in range(3)]
CHOSEN = np.array([[0, 2], [2, 1]])


def scored(chosen, *, draws=10, seed=0):
    """Of an image: sums of scores, and of squares, and margins of one class."""
    generator = np.random.default_rng(seed)
    scores = np.floor(generator.dirichlet(np.ones(3), size=draws) * 2**32) / 2**32
    cells = cells_of(scores, chosen)
    margins = [np.bincount(each, minlength=CELLS) for each in cells]
    squares = np.floor(scores**2 * 2**32) / 2**32
    return scores.sum(axis=0), squares.sum(axis=0), np.concatenate(margins)


def block(image, number):
    """One block, with margins of class 0 or 2 over one rival and all others."""
    made = rows((image, number))
    chosen = CHOSEN[0 if image == 4 else 1]
    names = "score_sums", "score_squares", "margins"
    found = scored(chosen, seed=10 * image + number)
    columns = {name: each[None] for name, each in zip(names, found, strict=True)}
    return replace(made, columns={**made.columns, **columns}, rivals=chosen[None])


ONE = np.eye(1, 2 * CELLS, dtype=np.int64)
"""A draw at -1."""


def asked(**changes):
    return manifest(**{"margins": MarginsSource(rivals=1, pilot=10), **changes})


@pytest.fixture
def run(tmp_path):
    made = RunDirectory.create(tmp_path / "run", asked())
    for each in BLOCKS:
        made.append(block(*each))
    return made


def test_margins_add_up_and_their_classes_stay(run):
    votes = run.read()
    for row, image in enumerate((4, 9)):
        seeds = [10 * image + number for number in range(3)]
        whole = sum(scored(CHOSEN[row], seed=seed)[2] for seed in seeds)
        np.testing.assert_array_equal(votes.margins[row], whole)
    np.testing.assert_array_equal(votes.rivals, CHOSEN)
    assert (votes.margins_over(2)[0] == votes.margins[0, CELLS:]).all()
    assert RunDirectory(run.path).manifest.margins == MarginsSource(rivals=1, pilot=10)
    one = votes[1]
    np.testing.assert_array_equal(one.rivals, CHOSEN[[1]])
    np.testing.assert_array_equal(one.margins, votes.margins[[1]])


def test_the_part_has_them_as_lists_of_one_size(run):
    schema = schema_of(run.manifest, {})
    assert schema.field("margins").type == pa.list_(pa.int64(), 2 * CELLS)
    assert schema.field("rivals").type == pa.list_(pa.int64(), 2)
    names = ["image", "block", "counts", "score_sums", "score_squares", "margins"]
    assert schema.names == [*names, "rivals", "draw_seconds"]


def test_compacting_changes_nothing(run):
    before = run.read()
    run.compact()
    after = RunDirectory(run.path).read()
    assert after.digest == before.digest
    np.testing.assert_array_equal(after.margins, before.margins)


def test_the_digest_sees_margins_and_whose_they_are(run):
    votes = run.read()
    digests = {votes.digest}
    fewer = votes.margins.copy()
    fewer[0, CELLS + int(np.argmax(fewer[0, CELLS:]))] -= 1  # whose sum is less
    assert fewer.min() >= 0
    digests.add(replace(votes, margins=fewer).digest)
    other = votes.rivals.copy()
    other[0, 1] = 1  # over the other one, and then over this
    swapped = votes.margins.copy()
    swapped[0] = np.roll(swapped[0], CELLS)
    digests.add(replace(votes, rivals=other, margins=swapped).digest)
    digests.add(replace(votes, margins=None, rivals=None).digest)
    assert len(digests) == 4
    assert (
        replace(votes, margins=None).digest
        == replace(votes, margins=None, rivals=None).digest
    )


def test_draws_that_chose_may_be_set_apart_and_not_less(run):
    votes = run.read(selection=10)
    assert votes.selection.draws.tolist() == [10, 10]
    both = votes.margins + votes.selection.margins
    np.testing.assert_array_equal(both, run.read().margins)
    late = RunDirectory.create(
        run.path.parent / "late", asked(margins=MarginsSource(rivals=1, pilot=20))
    )
    for each in BLOCKS:
        late.append(block(*each))
    assert late.read(selection=20).selection is not None
    with pytest.raises(InputError, match="the first 20 draws of this run chose the"):
        late.read(selection=10)
    other = replace(run.read(), drawn=None)
    with pytest.raises(InputError, match="the first 10 draws of this run chose the"):
        run.read().chosen_by(other)


def test_blocks_that_are_read_backwards_are_those_blocks(run):
    backwards = slice(None, None, -1)
    assert run.read(blocks=backwards).drawn == run.read().drawn
    with pytest.raises(InputError, match="the first 10 draws of this run chose the"):
        run.read(blocks=backwards).chosen_by(replace(run.read(), drawn=None))


def test_draws_set_apart_leave_the_others_their_share_of_alpha(run):
    votes = replace(run.read(), looks=(Look(30, 0.25),))
    assert votes.set_apart.looks == (Look(20, 0.25),)
    assert run.read().set_apart.fixed_looks == (Look(20, 1.0),)


def test_votes_without_scores_have_no_margins(run):
    votes = run.read(scores=False)
    assert votes.margins is None is votes.rivals
    stages = Stages.of(run, run.read().fixed_looks)
    assert stages.whole().margins is None


def test_blocks_of_other_classes_are_not_added_up(tmp_path):
    made = RunDirectory.create(tmp_path / "run", asked())
    for each in BLOCKS[:-1]:
        made.append(block(*each))
    made.append(replace(block(*BLOCKS[-1]), rivals=np.array([[1, 2]])))
    with pytest.raises(
        InputError, match="image 9 has blocks with margins of different"
    ):
        made.read()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rivals": np.array([[0, 0]])}, "margins of classes that there are not"),
        ({"rivals": np.array([[0, 3]])}, "margins of classes that there are not"),
        ({"rivals": np.array([[-1, 0]])}, "margins of classes that there are not"),
        ({"margins": 11 * ONE}, "does not hold the votes of 10 draws"),
        ({"margins": -ONE}, "does not hold the votes of 10 draws"),
    ],
)
def test_what_no_run_can_have_is_damage(tmp_path, changes, says):
    made = RunDirectory.create(tmp_path / "run", asked())
    edited = block(*BLOCKS[0])
    if "margins" in changes:
        edited = replace(edited, columns={**edited.columns, **changes})
    else:
        edited = replace(edited, **changes)
    made.append(edited)
    with pytest.raises(InputError, match=says):
        made.read(partial=True)


def test_a_run_with_margins_is_another_than_one_without(run, tmp_path):
    without = manifest()
    assert "margins" not in without.evidence()
    assert "margins are not recorded there" in without.difference(asked())
    assert "over 1 rivals, chosen by 10 draws there" in asked().difference(without)
    assert asked().difference(asked(margins=MarginsSource(rivals=1, pilot=20)))
    assert run.manifest.difference(asked()) is None
    plain = RunDirectory.create(tmp_path / "plain", without)
    (run.path / "parts").rename(run.path / "old")
    (run.path / "parts").mkdir()
    for part in (run.path / "old").iterdir():
        part.rename(plain.path / "parts" / part.name)
    with pytest.raises(InputError, match="drawn with margins"):
        plain.read()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scores": False}, "labels have none"),
        ({"margins": MarginsSource(rivals=2, pilot=10)}, "rivals must be at most 1"),
        ({"margins": MarginsSource(rivals=1, pilot=5)}, "whole blocks of 10"),
        ({"margins": MarginsSource(rivals=1, pilot=30)}, "below 30 draws"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_the_first_draw(changes, says):
    with pytest.raises(ValueError, match=says):
        asked(**changes)


def votes(**changes):
    sums, squares, found = zip(*(scored(each) for each in CHOSEN), strict=True)
    facts = {
        "counts": np.array([[9, 1, 0], [0, 0, 10]]),
        "score_sums": np.stack(sums),
        "score_squares": np.stack(squares),
        "margins": np.stack(found),
        "rivals": CHOSEN,
        "draws": np.array([10, 10]),
        "indices": np.array([0, 1]),
        "sigma": 1.0,
        "source": {},
    }
    return Votes(**facts | changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rivals": None}, "margins need rivals"),
        ({"rivals": np.array([[0, 1, 2]] * 2)}, "rivals must be 2 rows of 1 to 2"),
        ({"rivals": np.array([[0, 1], [2, 2]])}, "different classes of 0 … 2"),
        ({"rivals": np.array([[0, 1], [2, 3]])}, "different classes of 0 … 2"),
        ({"margins": np.repeat(ONE, 2, 0)[:, 1:]}, "must have 512 cells for each of 2"),
        ({"margins": np.repeat(11 * ONE, 2, 0)}, "margins sum to more than draws"),
        ({"margins": np.repeat(-ONE, 2, 0)}, "margins is negative"),
        ({"score_sums": None, "score_squares": None}, "score_sums are missing"),
    ],
)
def test_margins_that_are_none_are_refused(changes, says):
    votes()
    with pytest.raises(InputError, match=says):
        votes(**changes)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("place", [0, 1])
def test_histograms_that_were_edited_are_not_those_of_the_scores(place, up):
    """Ten draws, each by one cell; over all others a margin may be less in sum."""
    given = votes()
    edited = given.margins.copy()
    each = edited[0].reshape(2, CELLS)
    each[place] = np.roll(each[place], 10 if up else -10)
    if place == 1 and not up:
        replace(given, margins=edited)
        return
    with pytest.raises(InputError, match="not those of scores with these score_sums"):
        replace(given, margins=edited)


def test_rivals_of_fewer_images_are_refused():
    given = votes()
    with pytest.raises(InputError, match="rivals must be 2 rows of 1 to 2 classes"):
        check_rivals(CHOSEN[:1], given.margins, given.counts)


def test_they_are_not_saved_as_one_block(tmp_path):
    with pytest.raises(InputError, match="margins cannot be saved"):
        votes().save(tmp_path / "run")


def test_the_cell_of_a_margin_is_exact():
    """In whole numbers: floor((m + 1) 256) of scores that are multiples of 2**-32."""
    generator = np.random.default_rng(0)
    scores = np.floor(generator.dirichlet(np.ones(4), size=200) * 2**32) / 2**32
    scores[:4] = [[1, 0, 0, 0], [0, 1, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0]]
    scores[4, :2] = [0.25, 0.25 + 2.0**-32]
    found = cells_of(scores, np.array([0, 2]))
    for draw, row in enumerate(scores):
        exact = [Fraction(each) for each in row]
        for place, against in enumerate((exact[2], max(exact[1], exact[3]))):
            cell = min(floor((exact[0] - against + 1) * 256), CELLS - 1)
            assert found[place, draw] == cell
    assert found[:, :4].tolist() == [[511, 256, 384, 256], [511, 0, 256, 256]]
    assert COLUMNS["margins"].cells == CELLS


def test_rivals_are_the_likeliest_classes_and_some_class_is_left():
    sums = np.array([[1.0, 3.0, 2.0, 2.0]])
    assert choose_rivals(sums, rivals=2).tolist() == [[1, 2, 3]]
    assert choose_rivals(sums[:, :2], rivals=0).tolist() == [[1]]
    for rivals in (3, -1):
        with pytest.raises(InputError, match="rivals must be 0 to 2 of 4 classes"):
            choose_rivals(sums, rivals=rivals)


def test_rows_with_margins_are_joined_and_taken():
    both = VoteRows.join([block(4, 0), block(9, 0)])
    np.testing.assert_array_equal(both.rivals, CHOSEN)
    np.testing.assert_array_equal(both.take(np.array([False, True])).rivals, CHOSEN[1:])
