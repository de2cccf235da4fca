"""The first blocks of a run are the run at fewer draws."""

from dataclasses import replace

import numpy as np
import pytest
from looked import stopped_run
from synthetic import manifest
from voted import by_hand

from simplicert.analysis import against_draws, certificates_by_draws, times
from simplicert.bounds import clopper_pearson_lower
from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.votes import RunDirectory, VoteRows, Votes

BLOCK, BLOCKS, IMAGES = 50, 12, 20


@pytest.fixture(scope="module")
def counts():
    chances = np.random.default_rng(3).dirichlet([4, 1, 1], size=IMAGES)
    random = np.random.default_rng(4)
    return np.stack([random.multinomial(BLOCK, chances) for _ in range(BLOCKS)])


@pytest.fixture(scope="module")
def run(counts, tmp_path_factory):
    store = RunDirectory.create(
        tmp_path_factory.mktemp("draws") / "run",
        manifest(
            images=list(range(IMAGES)),
            labels=[0] * IMAGES,
            block=BLOCK,
            draws=BLOCK * BLOCKS,
            scores=False,
        ),
    )
    for block in reversed(range(BLOCKS)):
        store.append(
            VoteRows(
                images=np.arange(IMAGES),
                blocks=np.full(IMAGES, block),
                columns={"counts": counts[block]},
                draw_seconds=np.full(IMAGES, 0.25),
            )
        )
    return store.path


def test_each_set_is_certified_from_the_sum_of_its_first_blocks(run, counts):
    found = certificates_by_draws(run, alpha=0.01, points=5)
    sizes = [int(c.draws[0]) // BLOCK for c in found]
    assert (sizes[0], sizes[-1]) == (1, BLOCKS)
    assert sizes == sorted(set(sizes))
    for size, certificates in zip(sizes, found, strict=True):
        votes = Votes(
            counts=counts[:size].sum(axis=0),
            score_sums=None,
            score_squares=None,
            draws=np.full(IMAGES, size * BLOCK),
            indices=np.arange(IMAGES),
            labels=None,
            sigma=0.5,
            source={},
        )
        expected = certify(votes, alpha=0.01)
        for name, radius in expected.radii.items():
            np.testing.assert_array_equal(certificates.radii[name], radius)
    table = against_draws(found)
    assert len(table) == len(found) * 6
    for row in table.itertuples():
        radius = found[sizes.index(int(row.draws) // BLOCK)].radii[row.mechanism]
        assert row.median_radius == np.median(radius)
        assert table.loc[row.Index, "above_0.05"] == (radius > 0.05).mean()


def test_numbers_of_draws_that_could_never_certify_are_left_out(run):
    found = certificates_by_draws(run, alpha=1e-30, points=12)  # needs 203 draws
    assert min(int(c.draws[0]) for c in found) == 250
    with pytest.raises(InputError, match="can never certify"):
        certificates_by_draws(run, alpha=1e-200)


def test_times_are_of_every_step_and_of_the_draws_if_known(run):
    found = certificates_by_draws(run, points=3)
    table = times(found, repeats=1)
    assert (table["seconds_per_image"] > 0).all()
    for certificates in found:
        rows = table[table["draws"] == certificates.draws[0]].set_index("step")
        assert set(rows.index) == {"draws", "bounds", *certificates.radii} - {
            "ensemble"
        }
        blocks = certificates.draws[0] / BLOCK
        assert rows.loc["draws", "seconds_per_image"] == 0.25 * blocks
        assert rows.loc["cohen", "share_of_draws"] == pytest.approx(
            rows.loc["cohen", "seconds_per_image"] / (0.25 * blocks)
        )
    for unknown in (None, np.full(IMAGES, np.nan)):
        table = times([replace(found[0], draw_seconds=unknown)], repeats=1)
        assert "draws" not in set(table["step"])
        assert table["share_of_draws"].isna().all()


def test_a_mechanism_of_one_s_own_is_certified_and_timed(run):
    def mine(e0, e1, *, sigma):
        return sigma * np.maximum(e0 - e1, 0) / 2

    found = certificates_by_draws(run, mechanism=mine, points=2)
    assert set(against_draws(found)["mechanism"]) == set(found[0].radii)
    assert "mine" in found[0].radii
    steps = set(times(found, mechanism=mine, repeats=1)["step"])
    assert steps == {"draws", "bounds", *found[0].radii} - {"ensemble"}
    both = certificates_by_draws(run, mechanism="li,cohen", points=1)
    assert "max(li, cohen)" in set(times(both, mechanism="li,cohen")["step"])


def test_of_nothing_there_is_no_table():
    with pytest.raises(InputError, match="no images to time"):
        times([by_hand({"cohen": []})])
    with pytest.raises(InputError, match="no certificates to time"):
        times([])
    with pytest.raises(InputError, match="no certificates to compare"):
        against_draws([])


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    return stopped_run(tmp_path_factory.mktemp("draws") / "stopped")


def test_of_a_run_that_stops_images_each_look_is_certified_at_its_own_share(stopped):
    looks, votes = stopped.manifest.looks, stopped.read()
    made = certificates_by_draws(stopped.path, points=len(looks))
    # No class can be named of the 30 draws of the first look, at its share of alpha.
    for look, certificates in zip(looks[1:], made, strict=True):
        ends = np.minimum(votes.draws, look.draws)
        np.testing.assert_array_equal(certificates.draws, ends)
        assert certificates.looks == tuple(looks)
        here = certificates.draws == look.draws
        n, e0 = look.draws, certificates.e0[here]
        count = np.rint(e0 * n).astype(int)
        lower = clopper_pearson_lower(count, trials=n, alpha=0.001 * look.share / 2)
        lower = np.where(certificates.refused[here], np.minimum(lower, 0.5), lower)
        np.testing.assert_allclose(certificates.e0_lower[here], lower)
    np.testing.assert_array_equal(made[-1].radius, certify(votes).radius)
    assert against_draws(made)["draws"].iloc[-1] == votes.draws.mean()


def test_looks_at_which_nothing_can_be_certified_are_left_out(stopped):
    looks, alpha = stopped.manifest.looks, 1e-20  # at all of which 136 are enough
    made = certificates_by_draws(stopped.path, points=len(looks), alpha=alpha)
    # All of n draws agree: the sign test's p-value is 2^(1 - n).
    can = [2.0 ** (1 - each.draws) <= (alpha * each.share) ** 2 / 4 for each in looks]
    assert 0 < sum(can) < len(looks)
    assert len(made) == sum(can)


def test_an_unfinished_run_that_stops_images_is_refused(tmp_path):
    store = stopped_run(tmp_path / "run", most=3)
    with pytest.raises(InputError, match="is not finished"):
        certificates_by_draws(store.path)
