"""Votes of many random images, and certificates with radii made by hand."""

import numpy as np

from simplicert.certificates.record import Certificates
from simplicert.noises import gaussian
from simplicert.votes import Votes
from simplicert.votes.looks import one_look


def random_votes(images=400, *, classes=6, draws=2000, sigma=0.25, seed=0, labels=True):
    """Images from sure to undecided; four in five are labelled with their top class."""
    random = np.random.default_rng(seed)
    sure = random.uniform(0.05, 4.0, size=images)
    weights = np.column_stack([sure, np.full((images, classes - 1), 0.3)])
    chances = np.array([random.dirichlet(row) for row in weights])
    counts = random.multinomial(draws, chances)
    counts = random.permuted(counts, axis=1)
    label = np.where(
        random.random(images) < 0.8,
        counts.argmax(axis=1),
        random.integers(0, classes, images),
    )
    return Votes(
        counts=counts,
        score_sums=None,
        score_squares=None,
        draws=np.full(images, draws),
        indices=np.arange(images) * 3,
        labels=label if labels else None,
        sigma=sigma,
        source={},
    )


def by_hand(radii, *, labels=None, top=None, mechanism="cohen", **changes):
    """Certificates with these radii; every other field is plausible and constant."""
    radii = {name: np.array(radius, dtype=float) for name, radius in radii.items()}
    images = len(next(iter(radii.values())))
    fields = {
        "indices": np.arange(images),
        "labels": None if labels is None else np.array(labels),
        "top": np.zeros(images, dtype=int) if top is None else np.array(top),
        "runner_up": np.ones(images, dtype=int),
        "e0": np.full(images, 0.8),
        "e1": np.full(images, 0.1),
        "e0_lower": np.full(images, 0.75),
        "e1_upper": np.full(images, 0.15),
        "members": tuple(radii),
        "draws": np.full(images, 1000),
        "sigma": 0.5,
        "alpha": 0.001,
        "framework": "multinomial",
        "procedure": "clopper_pearson",
        "noise": gaussian.facts,
        "looks": one_look(1000),
        "classes": 3,
        "source": {},
    }
    return Certificates(**(fields | {"radii": radii, "mechanism": mechanism} | changes))
