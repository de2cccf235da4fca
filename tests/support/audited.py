"""Runs and logs as honest people make them, to be spoilt by audits' tests."""

import json
import shutil

import numpy as np
import pandas as pd
from scipy.special import ndtri
from synthetic import manifest

from simplicert.bounds import clopper_pearson_lower
from simplicert.votes import RunDirectory, VoteRows

IMAGES, BLOCKS, BLOCK, CLASSES = 12, 10, 100, 4


def honest_rows(seed=0, *, images=IMAGES):
    """Draws of an image in blocks, each with a softmax score of its own."""
    random = np.random.default_rng(seed)
    keys = [(image, block) for image in range(images) for block in range(BLOCKS)]
    centres = random.normal(size=(images, CLASSES)) * 2
    counts, sums, squares = [], [], []
    for image, _ in keys:
        logits = centres[image] + random.normal(size=(BLOCK, CLASSES))
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        scores = np.floor(scores * 2.0**32) / 2.0**32
        counts.append(np.bincount(scores.argmax(axis=1), minlength=CLASSES))
        sums.append(scores.sum(axis=0))
        squares.append((np.floor(scores**2 * 2.0**32) / 2.0**32).sum(axis=0))
    numbers = np.array(keys)
    return VoteRows(
        images=numbers[:, 0],
        blocks=numbers[:, 1],
        columns={
            "counts": np.array(counts),
            "score_sums": np.array(sums),
            "score_squares": np.array(squares),
        },
        draw_seconds=random.random(len(keys)),
    )


def write_run(path, rows, **changes):
    """A run of one part, whose name and evidence are right whatever the rows say."""
    fields = {
        "draws": BLOCKS * BLOCK,
        "block": BLOCK,
        "classes": CLASSES,
        "images": list(range(IMAGES)),
        "labels": [0] * IMAGES,
    }
    shutil.rmtree(path, ignore_errors=True)
    run = RunDirectory.create(path, manifest(**(fields | changes)))
    run.append(rows)
    return run


def rewritten(run, change):
    """Every row as ``change`` leaves it, under names and evidence that are right.

    Args:
        run: The run directory.
        change: Told of all rows, to change in place; what it returns, if anything, is
            written in their place.
    """
    rows = VoteRows.join(list(run.rows()))  # which is a copy
    for part in run.parts:
        part.unlink()
    changed = change(rows)
    run.append(rows if changed is None else changed)


def edit_manifest(path, **changes):
    """Fields of the stored manifest, replaced by hand."""
    file = path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def honest_log(
    *,
    images=60,
    classes=4,
    n=1000,
    sigma=0.5,
    alpha=0.001,
    digits=6,
    seed=0,
    lower=clopper_pearson_lower,
):
    """A certification with the votes of every class beside its radii."""
    random = np.random.default_rng(seed)
    share = random.uniform(0.3, 1.0, images)
    rest = random.dirichlet(np.ones(classes - 1), images) * (1 - share)[:, None]
    chances = np.column_stack([share, rest])
    chances[:3] = np.eye(classes)[0]
    counts = np.array([random.multinomial(n, each) for each in chances])
    counts = random.permuted(counts, axis=1)
    named = counts.argmax(axis=1)
    bound = np.asarray(lower(counts.max(axis=1), trials=n, alpha=alpha))
    with np.errstate(invalid="ignore"):
        radius = np.where(bound > 0.5, sigma * ndtri(bound), 0.0)
    label = np.where(random.random(images) < 0.8, named, 0)
    predict = np.where(radius > 0, named, -1)
    table = {
        "idx": np.arange(images),
        "label": label,
        "predict": predict,
        "radius": [f"{each:.{digits}f}" for each in radius],
        "correct": (predict == label).astype(int),
    }
    return pd.DataFrame(table | {f"count_{c}": counts[:, c] for c in range(classes)})
