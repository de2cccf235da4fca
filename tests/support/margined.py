"""A run with histograms of margins, of scores that are made up."""

import numpy as np
from synthetic import manifest

from simplicert.votes import RunDirectory, VoteRows
from simplicert.votes.columns import CELLS
from simplicert.votes.rivals import cells_of, choose_rivals
from simplicert.votes.sources import MarginsSource

BLOCK, GRID = 200, 2.0**32


def made_up(images=12, classes=4, seed=0):
    """Two images at each of some places, one sure of it and one torn."""
    generator = np.random.default_rng(seed)
    means = generator.dirichlet(np.full(classes, 0.7), size=images // 2) + 0.02
    means[:, 0] += np.linspace(0.2, 1.5, images // 2)
    means /= means.sum(axis=1, keepdims=True)
    return np.repeat(means, 2, axis=0), np.tile([0.3, 20.0], images // 2)


def margined_run(path, *, rivals=1, pilot=BLOCK, blocks=6, classes=4, **changes):
    """Finished, in blocks of ``BLOCK`` draws; every label is class 0."""
    means, mass = made_up(classes=classes)
    images = len(means)
    asked = {
        "draws": blocks * BLOCK,
        "block": BLOCK,
        "classes": classes,
        "images": list(range(images)),
        "labels": [0] * images,
        "margins": MarginsSource(rivals=rivals, pilot=pilot),
    }
    run = RunDirectory.create(path, manifest(**asked | changes))
    generator = np.random.default_rng(1)
    for image in range(images):
        drawn = generator.dirichlet(mass[image] * means[image], size=blocks * BLOCK)
        scores = np.floor(drawn * GRID) / GRID
        chosen = choose_rivals(scores[:pilot].sum(axis=0, keepdims=True), rivals=rivals)
        for block in range(blocks):
            run.append(_rows(scores[block * BLOCK :][:BLOCK], image, block, chosen))
    return run


def _rows(scores, image, block, chosen):
    cells = cells_of(scores, chosen[0])
    margins = [np.bincount(each, minlength=CELLS) for each in cells]
    top = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    squares = np.floor(scores**2 * GRID) / GRID
    return VoteRows(
        images=np.array([image]),
        blocks=np.array([block]),
        columns={
            "counts": top[None],
            "score_sums": scores.sum(axis=0, keepdims=True),
            "score_squares": squares.sum(axis=0, keepdims=True),
            "margins": np.concatenate(margins)[None],
        },
        rivals=chosen,
        draw_seconds=np.full(1, 0.5),
    )
