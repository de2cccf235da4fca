"""Blocks drawn again: honest runs hold, forged ones do not, and the odds are exact."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from audited import rewritten
from scipy.special import comb

from simplicert.audit import audit_claims
from simplicert.audit.replay import blocks_of, chosen_blocks, replay, run_images
from simplicert.classifiers import TorchClassifier
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.sampling import Sampler, sample
from simplicert.votes import RunDirectory

SETTINGS = {"sigma": 0.5, "draws": 300, "block": 100, "batch": 100, "seed": 4}


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((8, 1, 4, 4), dtype=np.float32)


@pytest.fixture
def run(tmp_path, images):
    sample(network(), images, out=tmp_path / "run", threads=1, **SETTINGS)
    return RunDirectory(tmp_path / "run")


def sampler(images, model=None, **options):
    return Sampler(network() if model is None else model, images, threads=1, **options)


@pytest.mark.parametrize("batch", [30, 100, 250])
def test_an_honest_run_is_the_same_to_the_last_bit(tmp_path, images, batch):
    settings = SETTINGS | {"batch": batch}
    sample(network(), images, out=tmp_path / "run", threads=1, **settings)
    told = []
    (finding,) = replay(
        sampler(images),
        RunDirectory(tmp_path / "run"),
        share="25%",
        progress=lambda *at: told.append(at),
    )
    assert finding.outcome == "held"
    assert "6 of 24 blocks" in finding.says
    assert "same to the last bit" in finding.says
    assert told[-1] == (600, 600)


def one_vote_in_ten(rows):
    """A tenth of each block's votes for its leader: consistent in every block."""
    counts, at = rows.counts, np.arange(len(rows.images))
    top = counts.argmax(axis=1)
    other = np.where(counts == counts.max(axis=1, keepdims=True), -1, counts).argmax(1)
    moved = np.minimum(counts[at, other], 10)
    counts[at, top] += moved
    counts[at, other] -= moved


def other_scores(rows):
    rows.columns["score_sums"][:] = rows.columns["score_sums"] * 0.9
    rows.columns["score_squares"][:] = rows.columns["score_squares"] * 0.85


@pytest.mark.parametrize("change", [one_vote_in_ten, other_scores])
def test_a_forgery_that_agrees_with_itself_is_found_here_alone(run, images, change):
    rewritten(run, change)
    assert not audit_claims(run.path).falsified
    (finding,) = replay(sampler(images), run, share="50%")
    assert finding.outcome == "falsified"
    assert finding.images


def test_one_forged_block_is_found_if_it_is_drawn_and_not_else(run, images):
    def second(rows):
        counts = rows.counts[(rows.images == 2) & (rows.blocks == 1)]
        rows.counts[(rows.images == 2) & (rows.blocks == 1)] = np.roll(counts, 1)

    rewritten(run, second)
    (finding,) = replay(sampler(images), run, share="100%")
    assert finding.outcome == "falsified"
    assert finding.images == (2,)
    assert "block 1 of image 2" in finding.says
    outcomes = {}
    again = sampler(images)
    for seed in range(12):
        where, blocks, _ = chosen_blocks(run, "8", seed=seed)
        drawn = (2, 1) in zip(where.tolist(), blocks.tolist(), strict=True)
        (finding,) = replay(again, run, share="8", seed=seed)
        assert (finding.outcome == "falsified") == drawn
        outcomes[drawn] = finding.says
    assert len(outcomes) == 2
    assert "was given: who knew it could prepare" in outcomes[False]


@pytest.mark.parametrize("votes", [1, 2, 3])
def test_what_rounding_may_turn_is_no_forgery(run, images, votes):
    def few(rows):
        first = rows.blocks == 0
        top = rows.counts[first].argmax(axis=1)
        at = np.flatnonzero(first)[:1]
        rows.counts[at, top[:1]] -= votes
        rows.counts[at, (top[:1] + 1) % 3] += votes

    rewritten(run, few)
    (finding,) = replay(sampler(images), run, share="100%")
    assert finding.outcome == "held"
    assert f"{votes} of 2,400 votes differ" in finding.says


def test_every_block_is_as_likely_as_any_other_and_the_odds_are_exact(run):
    drawn = np.zeros((8, 3), dtype=int)
    trials = 600
    for seed in range(trials):
        where, blocks, stored = chosen_blocks(run, "6", seed=seed)
        assert len({*zip(where.tolist(), blocks.tolist(), strict=True)}) == 6
        drawn[where, blocks] += 1
    assert stored == 24
    # Of 24 counts of mean 150 and deviation 10.6 none is 6 of these away.
    assert np.abs(drawn - trials * 6 / 24).max() < 64


def test_the_chance_of_missing_a_forgery_is_that_of_enumeration(run, images):
    (finding,) = replay(sampler(images), run, share="4")
    table = finding.details
    for row in table.itertuples(index=False):
        forged_blocks, missed = int(row[0]), float(row[1])
        assert missed == pytest.approx(comb(24 - forged_blocks, 4) / comb(24, 4))
    said = next(  # the fewest that are seen with probability 0.95
        f for f in range(1, 25) if comb(24 - f, 4) / comb(24, 4) <= 0.05
    )
    assert f"Were {said} of the 24 blocks forged" in finding.says
    # By hand, on a set small enough to list: 1 of 24 is missed by 20 of 24.
    assert table.iloc[0, 1] == pytest.approx(20 / 24)
    few = [*itertools.combinations(range(6), 2)]
    assert np.mean([0 not in each for each in few]) == pytest.approx(4 / 6)


def test_other_models_data_noise_and_settings_are_refused_and_named(run, images):
    cases = [
        (sampler(images, network(1)), "model.digest"),
        (sampler(images[:, :, ::-1].copy()), "data.digest"),
        (sampler(images, noise="uniform"), "noise"),
        (sampler(images, precision="bf16"), "precision"),
    ]
    for other, said in cases:
        with pytest.raises(InputError, match=said):
            replay(other, run, share="1%")
    with pytest.raises(InputError, match=r"images differ|data\.digest"):
        replay(sampler(images[:4]), run, share="1%")


@pytest.mark.parametrize("share", ["", "0", "-1", "101%", "x", "0%", "nan%", "1.5"])
def test_a_share_is_one(share):
    with pytest.raises(InputError, match="neither a share"):
        blocks_of(share, of=200)


def test_what_answers_at_random_is_not_checked(tmp_path, images):
    class Coin(torch.nn.Module):
        def forward(self, x):
            return torch.randn(len(x), 3)

    model = TorchClassifier(Coin(), name="coin")
    sample(model, images, out=tmp_path / "run", threads=1, **SETTINGS)
    (finding,) = replay(
        sampler(images, model), RunDirectory(tmp_path / "run"), share="10%"
    )
    assert finding.outcome == "not checked"
    assert "at random" in finding.says


def test_the_images_of_a_run_are_those_of_its_data(tmp_path):
    digits = load_dataset("digits")
    some = digits.select(np.array([5, 3, 100]))
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    sample(model, some, out=tmp_path / "run", threads=1, **SETTINGS)
    run = RunDirectory(tmp_path / "run")
    chosen = run_images(digits, run)
    assert chosen.indices.tolist() == run.manifest.images
    (finding,) = replay(Sampler(model, chosen, threads=1), run, share="100%")
    assert finding.outcome == "held"
    with pytest.raises(InputError, match=f"has no image {digits.indices[3]}"):
        run_images(digits.select(np.array([5, 100])), run)
    with pytest.raises(InputError, match="digest"):
        run_images(load_dataset("digits", split="train"), run)


def test_unfinished_runs_are_replayed_as_far_as_they_are_stored(run, images):
    rewritten(run, lambda rows: rows.take(rows.images != 7))
    (finding,) = replay(sampler(images), run, share="100%")
    assert finding.outcome == "held"
    assert "21 of 21 blocks" in finding.says
    for part in run.parts:
        part.unlink()
    with pytest.raises(InputError, match="no votes yet"):
        replay(sampler(images), run, share="100%")


def test_imported_votes_cannot_be_drawn_again(tmp_path, images):
    from simplicert.interop import import_file

    path = tmp_path / "counts.csv"
    np.savetxt(path, [[9, 1, 0]] * 8, fmt="%d", delimiter=",")
    import_file(path, tmp_path / "run", sigma=0.5)
    (finding,) = replay(
        sampler(images), RunDirectory(Path(tmp_path / "run")), share="1%"
    )
    assert finding.outcome == "not checked"
