"""A run's blocks drawn again from their seeds: a random share, held vote by vote."""

import math
import secrets
from bisect import bisect_left
from typing import TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Int
from scipy.stats import binom, hypergeom

from simplicert.audit.claims.blocks import LEVEL
from simplicert.audit.finding import Finding
from simplicert.data import Dataset
from simplicert.data.units import measured_in
from simplicert.errors import InputError
from simplicert.noises import FLOAT32
from simplicert.sampling import Sampler
from simplicert.sampling.probe import same_function
from simplicert.sampling.progress import Progress
from simplicert.sampling.soft import SoftScores
from simplicert.structured import number, whole_number
from simplicert.votes import Manifest, RunDirectory
from simplicert.votes.copies import NEAR_TIES, moved_draws, turns_allowed
from simplicert.votes.rows import Positions, VoteRows

__all__ = ["blocks_of", "chosen_blocks", "replay", "run_images"]

CHECK = "blocks drawn again"

_FORGED = (0.001, 0.01, 0.05, 0.1, 0.5)
"""Shares of the blocks, for which the report says how likely none was looked at."""

_UNSEEN = 0.05
"""Probability of it, of the forgery that is named."""

Blocks = Int[np.ndarray, " blocks"]


Moved: TypeAlias = dict[tuple[int, int], tuple[float, float]]
"""Image and block → draws that fell otherwise when it was drawn again: by the counts,
and by the sums of scores, whose rounding is no whole draw."""


def blocks_of(share: str, *, of: int) -> int:
    """How many blocks ``"1%"`` or ``"25"`` is, of so many; at least one, at most all.

    Raises:
        InputError: It is neither.

    Example:
        >>> [blocks_of(share, of=200) for share in ("1%", "25", "0.1%")]
        [2, 25, 1]
    """
    told = share.strip()
    try:
        part = number(told[:-1]) / 100 if told.endswith("%") else 0.0
        wanted = part * of if part else float(whole_number(told))
    except InputError:
        wanted = math.nan
    if not 0 < wanted < math.inf or (told.endswith("%") and wanted > of):
        raise InputError(
            f"replay {share!r:.40} is neither a share of the blocks, such as 1%, nor a "
            "number of them"
        )
    return min(of, max(1, math.ceil(wanted)))


def chosen_blocks(
    run: RunDirectory, share: str, *, seed: int
) -> tuple[Blocks, Blocks, int]:
    """Some of the stored blocks, each as likely as any other.

    Args:
        run: The run.
        share: How many, as ``blocks_of`` takes it.
        seed: Of the choice: not of the run, or a forger would know it.

    Returns:
        The position in the run of each block's image, its number there, and how many
        blocks are stored.
    """
    there = run.found().blocks
    stored = np.flatnonzero(there)
    if not len(stored):
        raise InputError(f"{run.path} holds no votes yet: there is nothing to replay")
    count = blocks_of(share, of=len(stored))
    chosen = np.random.default_rng(seed).choice(stored, count, replace=False)
    images, blocks = np.unravel_index(np.sort(chosen), there.shape)
    return images, blocks, len(stored)


def run_images(dataset: Dataset, run: RunDirectory) -> Dataset:
    """The images of a run, in its order, of the data set that it was drawn of.

    Raises:
        InputError: The data set is another, or lacks some of them.
    """
    plan = run.manifest
    if dataset.digest != plan.data.digest:
        raise InputError(
            f"{run.path} was drawn of {plan.data.name} with digest "
            f"{plan.data.digest[:16]}…, and {dataset.name}/{dataset.split} has "
            f"{dataset.digest[:16]}…: give the data, the split and the columns that "
            "were sampled"
        )
    if plan.data.unit is not None:  # what the run's numbers are
        dataset = measured_in(dataset, plan.data.unit)
    where = Positions(dataset.indices.tolist())(np.array(plan.images, dtype=np.int64))
    if (where < 0).any():
        image = plan.images[int(np.argmin(where))]
        raise InputError(f"{dataset.name} has no image {image}, which the run has")
    return dataset.select(where)


def replay(
    sampler: Sampler,
    run: RunDirectory,
    *,
    share: str,
    seed: int | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Draw a random share of a run's blocks again, and compare the votes.

    Args:
        sampler: The classifier and the run's images, as ``Sampler`` takes them.
        run: The run.
        share: How many blocks: ``"1%"`` of those stored, or a number.
        seed: Of the choice. Default: a new one, which nobody could know before.
        progress: Told how many draws are done, and of how many.

    Raises:
        InputError: The classifier, the images or the settings are not the run's, and
            which.
    """
    plan = run.manifest
    if not plan.data.shape:
        says = "imported votes have no seeds: nobody can draw them again"
        return [Finding(check=CHECK, outcome="not checked", says=says)]
    repeatable = _checked(sampler, plan)
    if not repeatable:
        says = "the classifier answers at random, so that draws are never the same "
        says += "twice: its votes cannot be drawn again"
        return [Finding(check=CHECK, outcome="not checked", says=says)]
    given = seed is not None
    seed = secrets.randbits(63) if seed is None else seed
    images, blocks, stored = chosen_blocks(run, share, seed=seed)
    again, done, total = [], 0, int(plan.draws_in(blocks).sum())
    rivals = None if plan.margins is None else run.found().rivals
    if rivals is not None:  # whoever chose them chooses them again
        rivals[images[blocks == 0]] = -1
    for rows in sampler.again(plan, images, blocks, rivals=rivals):
        again.append(rows)
        done += int(plan.draws_in(rows.blocks).sum())
        if progress is not None:
            progress(min(done, total), total)
    moved = _moved(run, VoteRows.join(again))
    chosen = f"{len(blocks):,} of {stored:,} blocks, chosen with seed {seed}"
    if given:
        chosen += " (which was given: who knew it could prepare for it)"
    return [_finding(moved, plan, chosen, found=len(blocks), stored=stored)]


def _checked(sampler: Sampler, plan: Manifest) -> bool:
    """Whether the votes can be drawn again by this classifier, of these images.

    Raises:
        InputError: They are not of it, or of them; or it cannot be seen.
    """
    here = sampler.plan(
        sigma=plan.sigma,
        draws=plan.draws,
        seed=plan.seed,
        block=plan.block,
        batch=plan.batch,
        scores=SoftScores(
            margins=plan.margins is not None,
            rivals=None if plan.margins is None else plan.margins.rivals,
            temperature=plan.temperature,
        ),
    )
    # Looks are no setting of draws; the schema is of the file; not all tell the cut.
    own: dict[str, object] = {"looks": plan.looks, "schema_number": plan.schema_number}
    old = plan.noise.name in FLOAT32  # of that law; the engine draws what the plan says
    if old and plan.noise_facts.shares_law(here.noise_facts):
        own["noise"] = plan.noise
    if plan.stops_early:  # its blocks are its looks'
        own["block"] = None
    if plan.data.cut is None:
        own["data"] = here.data.model_copy(update={"cut": None})
    difference = plan.difference(here.model_copy(update=own))
    if difference is None and here.images != plan.images:
        difference = "images differ"
    if difference is not None:
        raise InputError(
            f"this run cannot be drawn again with what was given: {difference} (there: "
            "in the run)"
        )
    if plan.answers_at_random or (here.probe and not here.probe.repeatable):
        return False
    if not old and not same_function(plan.probe, here.probe):
        raise InputError(
            f"{plan.model.name} answers the same inputs otherwise than when the run "
            "was begun, though its digest is the same: it computes with something that "
            "the digest does not see"
        )
    return True


def _moved(run: RunDirectory, again: VoteRows) -> Moved:
    """Hold votes that were drawn again against those that are stored."""
    plan = run.manifest
    position = Positions(plan.images)
    keys = position(again.images) * plan.blocks + again.blocks
    rows_of = {int(key): row for row, key in enumerate(keys)}
    moved: Moved = {}
    for rows in run.rows(scores="score_sums" in again.columns):
        stored = position(rows.images) * plan.blocks + rows.blocks
        for row in np.flatnonzero(np.isin(stored, keys)).tolist():
            at = rows_of[int(stored[row])]
            votes, *scores = (
                moved_draws({name: each[row]}, {name: again.columns[name][at]})
                for name, each in rows.columns.items()
            )
            if rows.rivals is not None and again.rivals is not None:
                other = (rows.rivals[row] != again.rivals[at]).any()
                scores = [*scores, float(plan.block or 0) if other else 0.0]
            block = int(rows.images[row]), int(rows.blocks[row])
            moved[block] = votes, max(scores, default=0.0)
    return moved


def _chance(moved: float, draws: int) -> float:
    """How likely rounding turns so many votes, if it turns one in a thousand."""
    return float(binom.sf(math.ceil(moved) - 1, draws, NEAR_TIES))


def _finding(
    moved: Moved, plan: Manifest, chosen: str, *, found: int, stored: int
) -> Finding:
    sizes = plan.draws_in(np.array([block for _, block in moved]))
    draws = int(sizes.sum())
    votes, scores = map(sum, zip(*moved.values(), strict=True))
    also = f", and {len(moved) - found:,} that share their passes"
    drawn = chosen + (also if len(moved) > found else "")
    differ = f"{votes:g} of {draws:,} votes differ from those that are stored"
    wrong = {
        image
        for ((image, _), (by_votes, by_scores)), size in zip(
            moved.items(), sizes.tolist(), strict=True
        )
        if by_scores > turns_allowed(size)
        or _chance(by_votes, size) * len(moved) < LEVEL / 2
    }
    in_all = _chance(votes, draws) < LEVEL / 2 or scores > turns_allowed(draws)
    if wrong or in_all:
        image, block = max(moved, key=lambda block: max(moved[block]))
        worst = max(moved[image, block])
        size = int(plan.draws_in(np.array([block]))[0])
        return Finding(
            check=CHECK,
            outcome="falsified",
            says=f"{drawn}: {differ}; most in block {block} of image {image}, by "
            f"{worst:.3g} of {size:,} draws. Rounding that turns up to "
            f"{NEAR_TIES:g} of all draws gives that with probability below {LEVEL:g}",
            images=tuple(sorted(wrong)),
        )
    same = "all votes and scores are the same to the last bit"
    if votes or scores:
        same = f"{differ}, no more than rounding of another machine may turn"
    return Finding(
        check=CHECK,
        outcome="held",
        says=f"{drawn}: {same}. {_missed(found, stored)}",
        details=_chances(found, stored),
    )


def _miss(drawn: int, stored: int, forged: int) -> float:
    """How likely none of so many forged blocks is among those that were drawn."""
    return float(hypergeom.pmf(0, stored, forged, drawn))


def _missed(drawn: int, stored: int) -> str:
    """The smallest forgery that would have been looked at, nearly surely."""
    if drawn == stored:
        return "These are all of them"
    many = bisect_left(
        range(stored), True, key=lambda forged: _miss(drawn, stored, forged) <= _UNSEEN
    )
    return (
        f"Were {many:,} of the {stored:,} blocks forged ({many / stored:.2g} of them), "
        f"or more, one would have been chosen with probability {1 - _UNSEEN:g}"
    )


def _chances(drawn: int, stored: int) -> pd.DataFrame:
    forged = [max(1, math.ceil(each * stored)) for each in _FORGED]
    return pd.DataFrame(
        {
            "forged blocks": forged,
            "missed with probability": [_miss(drawn, stored, each) for each in forged],
        }
    )
