"""What a rule would have saved: a finished run, stopped after the fact."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from simplicert.arguments import checked_alpha
from simplicert.certificates import ALPHA, Certificates, certify, find_procedure
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism
from simplicert.procedures import Procedure
from simplicert.stopping.looks import looks_for, spread
from simplicert.stopping.protocol import Rule, asked, check_rule, draws_to_come
from simplicert.stopping.stages import Stages
from simplicert.votes import Look, RunDirectory, Votes
from simplicert.votes.looks import check_looks

__all__ = ["Replay", "looks_of", "replay"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """What a rule would have done. It certifies nothing.

    Attributes:
        draws: How many each image would have had.
        decided: Where the rule stopped the image, before the last look. The others had
            as many draws as there are, or as the budget left.
        ended: Where the run has no more draws of an image that would have had some.
        by_looks: What would have been certified. Not a claim: to certify an early stop,
            looks must be fixed before the first draw, and these were chosen when the
            votes were known.
        fixed: What is certified with as many draws for all as the last look has; of a
            run that stopped its images, what it certifies as it is.
    """

    draws: Int[np.ndarray, " images"]
    decided: Bool[np.ndarray, " images"]
    ended: Bool[np.ndarray, " images"]
    by_looks: Certificates
    fixed: Certificates

    def summary(self) -> pd.DataFrame:
        """One row for the looks and one for the run: draws and mean radius.

        ``decided`` is the share of images that the rule stopped before the last look.
        """
        rows: list[dict[str, object]] = []
        for name, each in (("by looks", self.by_looks), ("fixed", self.fixed)):
            total = int(each.draws.sum())
            rows.append(
                {
                    "drawn": name,
                    "draws": total / len(each),
                    "total": total,
                    "fewer_by": int(self.fixed.draws.sum()) / total,
                    "decided": float(self.decided.mean()) if not rows else 0.0,
                    "mean_radius": float(each.radius.mean()),
                }
            )
        return pd.DataFrame(rows)

    def shares(self, radii: Iterable[float]) -> pd.DataFrame:
        """Share of images certified at each radius: by looks, fixed, and the loss."""
        rows = []
        for radius in radii:
            counts = [
                int(((each.radius >= radius) & (each.radius > 0.0)).sum())
                for each in (self.by_looks, self.fixed)
            ]
            by_looks, fixed, loss = (
                count / len(self.draws) for count in (*counts, counts[1] - counts[0])
            )
            row = {"radius": radius, "by_looks": by_looks, "fixed": fixed, "loss": loss}
            rows.append(row)
        return pd.DataFrame(rows)

    def stops(self) -> pd.DataFrame:
        """How many images stopped at each look, and its share of alpha."""
        looks = self.by_looks.looks
        counts = [int((self.draws == look.draws).sum()) for look in looks]
        return pd.DataFrame(
            {
                "draws": [look.draws for look in looks],
                "share_of_alpha": [look.share for look in looks],
                "images": counts,
            }
        )


def looks_of(run: RunDirectory) -> tuple[Look, ...]:
    """Looks at which a finished run can be stopped: of a run with several, its own.

    Of a run with a fixed number of draws, those that ``looks_for`` would have, moved to
    the nearest whole blocks.
    """
    manifest = run.manifest
    if len(manifest.looks) > 1:
        return tuple(manifest.looks)
    ends = manifest.block_ends
    wanted = [look.draws for look in looks_for(int(ends[-1]))]
    nearest = [int(np.abs(ends - draws).argmin()) for draws in wanted]
    return spread([int(ends[each]) for each in sorted(set(nearest))])


def replay(
    run: RunDirectory,
    rule: Rule,
    *,
    looks: Sequence[Look] | None = None,
    alpha: float = ALPHA,
    mechanism: str | Mechanism | None = None,
    procedure: str | Procedure | None = None,
    asymptotic: bool = False,
) -> Replay:
    """Stop the images of a finished run after the fact: what a rule saves and costs.

    An image's first draws are the same however many follow, so that this is what a run
    with these looks and this rule would have drawn. Its votes are read once.

    Args:
        run: A finished run, of a fixed number of draws or one that stopped its images.
        rule: What stops an image.
        looks: Where it is asked, whole blocks; after the last nothing is drawn.
            Default: ``looks_of(run)``.
        alpha: Failure probability of each image's certificate, for the rule.
        mechanism: Of the certificates, as ``certify`` takes it.
        procedure: Likewise.
        asymptotic: Likewise.

    Raises:
        InputError: Looks that are not whole blocks of the run, or beyond its draws; an
            unfinished run; a rule that raises or returns something else, or that these
            looks can never meet; a budget that is less than the first look takes.
    """
    checked_alpha(alpha)
    how = find_procedure(procedure, asymptotic=asymptotic)
    if how.separate:
        raise InputError(
            f"the procedure {how.name} needs other draws that choose the class, and "
            "the looks of a plan are of all draws: take another procedure"
        )
    looks = looks_of(run) if looks is None else tuple(looks)
    check_looks(looks)
    check_rule(rule, run.manifest, alpha=alpha, looks=looks)
    stages = Stages.of(run, looks)
    walk = _all_alike if rule.total is None else _nearest_first
    stopped, decided = walk(stages, rule, alpha)
    votes = stages.votes(stopped)

    def certified(what: Votes) -> Certificates:
        return certify(
            what,
            alpha=alpha,
            mechanism=mechanism,
            procedure=how,
            asymptotic=asymptotic,
        )

    early = stopped < len(looks) - 1
    spent = rule.total is not None and not decided.all()
    return Replay(
        draws=votes.draws,
        decided=decided & early,
        ended=(stopped == stages.last) & early & ~decided & (not spent),
        by_looks=certified(votes),
        fixed=certified(stages.whole()),
    )


Stops = tuple[Int[np.ndarray, " images"], Bool[np.ndarray, " images"]]
"""The number of the look at which each image stopped, and whether the rule said so."""


def _all_alike(stages: Stages, rule: Rule, alpha: float) -> Stops:
    """Every image until the rule stops it."""
    stopped = np.zeros(len(stages), dtype=np.int64)
    decided = np.zeros(len(stages), dtype=bool)
    active = np.arange(len(stages))
    for number in range(len(stages.looks)):
        active = active[stages.last[active] >= number]
        if not len(active):
            break
        stopped[active] = number
        found = asked(rule, stages.at(number, active), alpha)
        decided[active[found]] = True
        active = active[~found]
    return stopped, decided


def _nearest_first(stages: Stages, rule: Rule, alpha: float) -> Stops:
    """The image that is nearest to a decision goes on, while the total lasts."""
    assert rule.total is not None
    draws = [look.draws for look in stages.looks]
    left = rule.total - len(stages) * draws[0]
    known: dict[int, Stops] = {}

    def asked_at(number: int) -> Stops:
        """What all images need at a look, and which need none: asked once."""
        if number not in known:
            there = np.flatnonzero(stages.last >= number)
            votes = stages.at(number, there)
            needed = np.zeros(len(stages), dtype=np.int64)
            found = np.zeros(len(stages), dtype=bool)
            found[there] = asked(rule, votes, alpha)
            needed[there] = draws_to_come(rule, votes, alpha)
            known[number] = needed, found
        return known[number]

    stopped = np.zeros(len(stages), dtype=np.int64)
    decided = asked_at(0)[1].copy()
    waiting = [
        (int(asked_at(0)[0][image]), draws[0], int(image))
        for image in np.flatnonzero(~decided & (stages.last > 0))
    ]
    heapq.heapify(waiting)
    while waiting:
        _, _, image = heapq.heappop(waiting)
        number = int(stopped[image]) + 1
        more = draws[number] - draws[number - 1]
        if more > left:  # nor will it fit later
            continue
        left -= more
        stopped[image] = number
        needed, found = asked_at(number)
        decided[image] = found[image]
        if not found[image] and number < stages.last[image]:
            heapq.heappush(waiting, (int(needed[image]), draws[number], image))
    return stopped, decided
