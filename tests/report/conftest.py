"""Synthetic votes: what the page is tested on."""

import numpy as np
import pytest

from simplicert.certificates import Framework
from simplicert.certification import certify
from simplicert.report import ReportRun
from simplicert.votes import Votes


def make_votes(
    images: int = 60,
    classes: int = 4,
    *,
    draws: int = 1000,
    sigma: float = 0.5,
    labelled: bool = True,
    certain: float = 3.0,
    seed: int = 0,
) -> Votes:
    """Votes that are right mostly; the larger ``certain``, the more agree."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    favour = np.eye(classes)[(labels + (random.random(images) < 0.1)) % classes]
    strength = random.exponential(certain, (images, 1))
    logits = favour * strength * 2 + random.normal(size=(images, classes))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    counts = np.stack([random.multinomial(draws, share) for share in shares])
    sums = 0.9 * counts + 0.1 * draws / classes
    return Votes(
        counts=counts.astype(np.int64),
        score_sums=sums,
        score_squares=sums**2 / draws,
        draws=np.full(images, draws),
        indices=np.arange(images) * 5 + 100,
        labels=labels if labelled else None,
        sigma=sigma,
        source={},
    )


def make_run(
    votes: Votes,
    *,
    name: str = "run",
    frameworks: tuple[Framework, ...] = ("multinomial",),
    mechanism: str = "neyman_pearson",
    alpha: float = 0.001,
    class_names: list[str] | None = None,
    pictures: bool = False,
) -> ReportRun:
    return ReportRun(
        name=name,
        certificates=[
            certify(votes, alpha=alpha, framework=each, mechanism=mechanism)
            for each in frameworks
        ],
        digest=votes.digest,
        facts={"data": "synthetic", "data digest": "0" * 64, "model": "synthetic"},
        class_names=class_names,
        pictures=draw_pictures if pictures else None,
    )


def draw_pictures(indices: np.ndarray) -> np.ndarray:
    """A grey level that tells which image it is."""
    levels = (indices % 251) / 250
    return np.broadcast_to(levels[:, None, None, None], (len(indices), 1, 8, 8))


@pytest.fixture(scope="session")
def run() -> ReportRun:
    return make_run(make_votes(), frameworks=("multinomial", "softmax"), pictures=True)
