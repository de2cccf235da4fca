"""Votes with margins, of scores that are drawn from chances that are known."""

import numpy as np
from synthetic import manifest

from simplicert.votes import RunDirectory, VoteRows, Votes
from simplicert.votes.columns import CELLS
from simplicert.votes.rivals import cells_of, choose_rivals
from simplicert.votes.sources import MarginsSource


def scored(scores, chosen):
    """What a run would record of scores, images × draws × classes."""
    images, draws, classes = scores.shape
    found = np.zeros((images, chosen.shape[1], CELLS), dtype=np.int64)
    for image in range(images):
        for place, cells in enumerate(cells_of(scores[image], chosen[image])):
            found[image, place] = np.bincount(cells, minlength=CELLS)
    top = scores.argmax(axis=2)
    return Votes(
        counts=np.stack([np.bincount(each, minlength=classes) for each in top]),
        score_sums=scores.sum(axis=1),
        score_squares=(scores**2).sum(axis=1),
        margins=found.reshape(images, -1),
        rivals=chosen,
        draws=np.full(images, draws),
        indices=np.arange(images),
        sigma=0.5,
        source={},
    )


def drawn(generator, images, draws, weights):
    """Scores in eighths, of a Dirichlet-like law."""
    return generator.multinomial(8, weights, size=(images, draws)) / 8.0


def given(weights=(0.7, 0.1, 0.1, 0.1), *, images=3, draws=400, rivals=1, seed=0):
    """Votes of so many draws, and 200 others that chose the class and its rivals."""
    generator = np.random.default_rng(seed)
    pilot = drawn(generator, images, 200, weights)
    chosen = choose_rivals(pilot.sum(axis=1), rivals=rivals)
    ours = drawn(generator, images, draws, weights)
    return scored(ours, chosen).chosen_by(scored(pilot, chosen))


def led_run(path, weights=(0.8, 0.1, 0.1), *, draws=600):
    """A run of two images, whose first block of 200 draws chose what margins are of."""
    generator = np.random.default_rng(0)
    pilot = MarginsSource(rivals=1, pilot=200)
    store = RunDirectory.create(path, manifest(draws=draws, block=200, margins=pilot))
    scores = drawn(generator, 2, draws, weights)
    chosen = choose_rivals(scores[:, :200].sum(axis=1), rivals=1)
    for block in range(draws // 200):
        votes = scored(scores[:, 200 * block : 200 * (block + 1)], chosen)
        store.append(
            VoteRows(
                images=np.array([4, 9]),
                blocks=np.full(2, block),
                columns=votes.columns,
                rivals=chosen,
                draw_seconds=np.full(2, 0.5),
            )
        )
    return store
