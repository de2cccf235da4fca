"""Blocks of one image: draws of one law, each counted once."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from simplicert.audit.claims.growth import growth
from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.errors import InputError
from simplicert.votes import Manifest
from simplicert.votes.rows import Positions, VoteRows

__all__ = ["LEVEL", "blocks"]

LEVEL = 1e-6
"""Of all tests of one run together: an honest one is called false so often at most."""

_FAR = 5.0
"""Standard deviations that make a count worth an exact test."""

_MOST_TESTED = 2000
"""Of these, the farthest; the level pays for all counts."""

_ROUNDING = 0.04
"""Of a draw: how far rounded probabilities may be from those of the largest output."""

LAW, SCORES, ONCE = "one law in all blocks", "scores beside votes", "noise used once"


def blocks(claims: Claims) -> Iterator[Finding]:
    """Whether an image's blocks can be draws of one law, and scores be of the votes."""
    if claims.run is None:
        return
    run, manifest = claims.run, claims.run.manifest
    try:
        votes = run.read(partial=True)
    except InputError as error:
        yield Finding(check=LAW, outcome="not checked", says=f"{error}")
        return
    rows = VoteRows.join(list(run.rows()))
    where = Positions(votes.indices.tolist())(rows.images)
    rows, where = rows.take(where >= 0), where[where >= 0]
    if manifest.blocks < 2:
        says = "each has one block"
        yield Finding(check=LAW, outcome="not checked", says=says)
    elif len(manifest.looks) > 1:
        yield _one_law(*_as_it_grew(rows, manifest), manifest)
    else:
        draws = np.full(len(where), manifest.draws)
        yield _one_law(rows, votes.counts[where], draws, manifest)
    if manifest.scores:
        yield _scores(rows, manifest.draws_in(rows.blocks))
        yield _once(rows)


def _as_it_grew(
    rows: VoteRows, manifest: Manifest
) -> tuple[VoteRows, np.ndarray, np.ndarray]:
    """Rows, and each image's votes and draws up to each: not what followed.

    How many draws follow may depend on the votes. But imagine that every image were
    drawn to the last look: then each block is as if drawn from all up to it, and the
    tests of all blocks hold at once, of which those of a run that stops are some.
    """
    totals, there = np.zeros_like(rows.counts), np.zeros(len(rows.images), dtype=bool)
    for stage in growth(rows, manifest):
        totals[stage.at] = stage.sums["counts"]
        there[stage.at] = True
    rows = rows.take(there)
    return rows, totals[there], manifest.draws_until(rows.blocks + 1)


def _one_law(
    rows: VoteRows, totals: np.ndarray, draws: np.ndarray, manifest: Manifest
) -> Finding:
    """Given an image's votes, those of one block are as if drawn from them.

    So a class's votes in a block are hypergeometric, exactly, whatever the classifier.

    Args:
        rows: The blocks.
        totals: Votes, those of the block among them: of all blocks of the image, or up
            to it.
        draws: How many draws these are of.
        manifest: The run's.
    """
    counts, blocks = rows.counts, manifest.draws_in(rows.blocks)
    tests = len(manifest.images) * manifest.blocks * manifest.classes  # or fewer
    share = totals / draws[:, None]
    left = blocks * (draws - blocks) / np.maximum(draws - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.abs(counts - blocks[:, None] * share)
        far /= np.sqrt(left[:, None] * share * (1 - share))
    far = np.nan_to_num(far, nan=0.0, posinf=0.0)
    order = np.argsort(far, axis=None)[::-1][:_MOST_TESTED]
    order = order[far.ravel()[order] > _FAR]
    least, worst, bad = 1.0, "", np.zeros(len(counts), dtype=bool)
    for row, label in zip(*np.unravel_index(order, far.shape), strict=True):
        k, all_ = int(counts[row, label]), int(totals[row, label])
        law = hypergeom(int(draws[row]), all_, int(blocks[row]))
        p = 2.0 * min(float(law.cdf(k)), float(law.sf(k - 1))) * tests
        bad[row] |= p < LEVEL
        if p < least:
            least = p
            worst = (
                f"block {rows.blocks[row]} of image {rows.images[row]} has {k:,} votes "
                f"for class {label} in {blocks[row]:,} draws, of {all_:,} in "
                f"{draws[row]:,}"
            )
    what = f"{counts.size:,} numbers of votes a block, class and image"
    if bad.any():
        images = tuple(np.unique(rows.images[bad]).tolist())
        return Finding(
            check=LAW,
            outcome="falsified",
            says=f"of {what}, {int(bad.sum()):,} blocks cannot be of the same draws as "
            f"the others of their images ({some(images)}): {worst}, which honest draws "
            f"give in any block of the run with probability {least:.2g} at most "
            f"(tested at {LEVEL:g} in all)",
            images=images,
        )
    says = f"{what}: none too far from its image's others, tested at {LEVEL:g} in all"
    return Finding(check=LAW, outcome="held", says=says)


def _scores(rows: VoteRows, draws: np.ndarray) -> Finding:
    """The class that a draw votes for has 1 / K at least, and others 1 / 2 at most."""
    counts, sums = rows.counts, rows.columns["score_sums"]
    slack = _ROUNDING * draws[:, None]
    bad = (sums > (draws[:, None] + counts) / 2 + slack).any(axis=1)
    voted = counts.sum(axis=1)  # rows of probabilities need not sum to 1
    full = sums.sum(axis=1) >= voted - slack[:, 0]
    bad |= full & (sums < counts / counts.shape[1] - slack).any(axis=1)
    if bad.any():
        images = tuple(np.unique(rows.images[bad]).tolist())
        return Finding(
            check=SCORES,
            outcome="falsified",
            says=f"{int(bad.sum()):,} of {len(bad):,} blocks have soft scores that are "
            f"not of the draws that voted so ({some(images)})",
            images=images,
        )
    says = f"{len(bad):,} blocks: the scores can be those of the draws that voted so"
    return Finding(check=SCORES, outcome="held", says=says)


def _once(rows: VoteRows) -> Finding:
    """Two blocks of other noise have other scores, to 32 bits, where scores vary."""
    sums = np.ascontiguousarray(rows.columns["score_sums"])
    unsure = (rows.counts > 0).sum(axis=1) > 1
    unsure &= (sums != np.round(sums)).any(axis=1)  # scores of 0 and 1 are votes
    if not unsure.any():
        says = "no block has scores that others' need not have, too: in each all draws "
        says += "voted alike, or scores are 0 and 1"
        return Finding(check=ONCE, outcome="not checked", says=says)
    key = pd.DataFrame(np.column_stack([rows.images.astype(np.float64), sums]))
    votes = pd.DataFrame(np.column_stack([rows.images, rows.counts]))
    same = key.duplicated(keep=False).to_numpy() & unsure
    alike = votes.duplicated(keep=False).to_numpy() & unsure
    if not same.any():
        says = f"{int(unsure.sum()):,} blocks whose draws differ: no two are the same"
        return Finding(check=ONCE, outcome="held", says=says)
    images = tuple(np.unique(rows.images[same]).tolist())
    return Finding(
        check=ONCE,
        outcome="doubtful",
        says=f"{int(same.sum()):,} blocks have the scores of another block of their "
        f"image to the last bit ({some(images)}), as copies have; of "
        f"{int(alike.sum()):,} blocks with another's votes. A classifier with few "
        "scores gives such by itself",
        images=images,
    )
