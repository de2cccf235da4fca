"""Rows that no certification writes, and rows that are there more than once."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from simplicert.audit.claims.subject import ABSTAINS, Claims
from simplicert.audit.finding import Finding, Outcome

__all__ = ["rows"]


def rows(claims: Claims) -> Iterator[Finding]:
    """Numbers that are none, classes that are none, images that are there twice."""
    if claims.kind == "run":  # its manifest and parts are held against this on reading
        return
    wrong = [
        claims.of_rows(check, outcome, bad, meaning)
        for check, outcome, bad, meaning in _rules(claims)
        if bad.any()
    ]
    yield from wrong
    if not wrong:
        yield Finding(
            check="rows",
            outcome="held",
            says=f"{len(claims.indices):,} rows: every number is one, every image is "
            "there once",
        )


def _rules(claims: Claims) -> Iterator[tuple[str, Outcome, np.ndarray, str]]:
    predicted, radius = claims.predicted, claims.radius
    if predicted is not None:
        yield (
            "classes named",
            "falsified",
            predicted < ABSTAINS,
            "what is named is no class",
        )
    if radius is not None and predicted is not None:
        named = predicted >= 0
        yield (
            "infinite radii",
            "falsified",
            named & np.isposinf(radius),
            "no number of draws proves that an answer never changes",
        )
        yield (
            "radii that are no distance",
            "doubtful",
            named & ~(radius >= 0),
            "a class is named with a radius that is missing or negative, which "
            "certifies nothing",
        )
        yield (
            "balls of no class",
            "doubtful",
            (predicted == ABSTAINS) & (radius > 0),
            "the row abstains, and has a radius above 0",
        )
    yield from _labels(claims)
    yield (
        "images twice",
        "doubtful",
        pd.Series(claims.indices).duplicated(keep=False).to_numpy(),
        "the image has several rows. Each is false with probability alpha at most; the "
        "best of them, chosen when they were seen, is so more often",
    )


def _labels(claims: Claims) -> Iterator[tuple[str, Outcome, np.ndarray, str]]:
    labels, predicted, correct = claims.labels, claims.predicted, claims.correct
    if labels is None:
        return
    yield (
        "labels",
        "falsified",
        (labels < 0) | (labels >= claims.classes),
        "the label is no class, so every accuracy of the table is wrong",
    )
    if predicted is None:
        return
    there_is_none = predicted >= claims.classes
    yield "classes named", "falsified", there_is_none, "there is no such class"
    if correct is None:
        return
    right = predicted == labels
    if claims.radius is not None:  # where nothing is certified it may say either
        right = np.where(claims.named | (predicted < 0), right, correct == 1)
    if not np.array_equal(correct, np.cumsum(right)):  # a known bug of public code
        yield (
            "column correct",
            "falsified",
            correct != right,
            "correct is not whether predict is the label",
        )
