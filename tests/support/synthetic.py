"""A small run made by hand: two images, three blocks of ten draws."""

import numpy as np

from simplicert.votes import (
    DataSource,
    Manifest,
    ModelSource,
    NoiseSource,
    VoteRows,
)
from simplicert.votes.looks import one_look


def manifest(**changes):
    fields = {
        "sigma": 0.5,
        "noise": NoiseSource(name="gaussian", norm="l2"),
        "draws": 30,
        "block": 10,
        "seed": 7,
        "classes": 3,
        "scores": True,
        "model": ModelSource(name="m", digest="ab"),
        "data": DataSource(name="d", digest="cd", shape=[1, 2, 2]),
        "images": [4, 9],
        "labels": [0, 2],
        "precision": "fp32",
        "batch": 10,
        "device": "cpu",
        "threads": 1,
        "versions": {},
        "git_commit": None,
        "created": "2026-01-01T00:00:00+00:00",
    }
    fields |= changes
    draws, scores = fields.pop("draws"), fields.pop("scores")
    fields = {
        "looks": [*one_look(draws)],
        "statistics": ["multinomial", "softmax"] if scores else ["multinomial"],
    } | fields
    return Manifest(**fields)


def rows(*keys, top=0):
    """Blocks of ten votes: nine for ``top``, one for the class after it."""
    counts = np.zeros((len(keys), 3), dtype=np.int64)
    counts[:, top], counts[:, (top + 1) % 3] = 9, 1
    images, blocks = np.array(keys).T
    return VoteRows(
        images=images,
        blocks=blocks,
        columns={
            "counts": counts,
            "score_sums": counts * 0.5,
            "score_squares": counts * 0.25,
        },
        draw_seconds=np.full(len(keys), 0.5),
    )


EVERY_BLOCK = [(image, block) for image in (4, 9) for block in range(3)]
