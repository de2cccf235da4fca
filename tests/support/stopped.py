"""Runs whose images stopped at looks, made by hand from simulated votes."""

import numpy as np
from synthetic import manifest

from simplicert.stopping import asked, looks_for, until
from simplicert.votes import RunDirectory, VoteRows, Votes

ALPHA, HORIZON, IMAGES, CLASSES = 0.001, 1000, 30, 4
RULE = until([0.25])


def stopped_plan(rule=RULE, **changes):
    """A manifest of a run that the rule stops."""
    recorded = None if rule is None else rule.spec | {"alpha": ALPHA}
    fields = {
        "block": None,
        "looks": [*looks_for(HORIZON)],
        "rule": recorded,
        "classes": CLASSES,
        "images": [*range(100, 100 + IMAGES)],
        "labels": [0] * IMAGES,
        "scores": False,
    }
    return manifest(**(fields | changes))


def stopped_rows(plan, *, rule=RULE, seed=0, most=None):
    """Each image's increments until the rule ends it; with ``most``, or all are spent.

    Looks are gone through in turn, by all images at once.
    """
    random = np.random.default_rng(seed)
    sure = random.uniform(0.1, 6.0, size=len(plan.images))
    chances = np.stack([random.dirichlet([s, *[0.3] * (CLASSES - 1)]) for s in sure])
    sizes = plan.draws_in(np.arange(plan.blocks))
    sums = np.zeros((len(plan.images), CLASSES), dtype=np.int64)
    going, drawn, found = np.arange(len(plan.images)), 0, []
    for block, size in enumerate(sizes.tolist()):
        if most is not None:
            going = going[: (most - drawn) // size]
        if not len(going):
            break
        drawn += size * len(going)
        counts = random.multinomial(size, chances[going])
        sums[going] += counts
        last = np.full(len(going), block == plan.blocks - 1)
        if rule is not None:
            votes = Votes(
                counts=sums[going],
                draws=np.full(len(going), plan.looks[block].draws),
                indices=np.array(plan.images)[going],
                sigma=plan.sigma,
                looks=tuple(plan.looks),
                source={},
            )
            last |= asked(rule, votes, ALPHA)
        found.append(
            VoteRows(
                images=np.array(plan.images)[going],
                blocks=np.full(len(going), block),
                columns={"counts": counts},
                draw_seconds=np.full(len(going), 0.01),
                last=last,
            )
        )
        going = going[~last]
    return VoteRows.join(found)


def stopped_run(path, *, rule=RULE, seed=0, most=None, **changes):
    """Such a run on disk."""
    plan = stopped_plan(rule, **changes)
    run = RunDirectory.create(path, plan)
    run.append(stopped_rows(plan, rule=rule, seed=seed, most=most))
    return run
