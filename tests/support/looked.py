"""Runs whose images stop at looks, drawn from chances that are known."""

import numpy as np
from synthetic import manifest

from simplicert import stopping
from simplicert.certificates import ALPHA
from simplicert.stopping.protocol import asked
from simplicert.votes import RunDirectory, VoteRows, Votes

CHANCES = np.array(
    [[0.999, 0.001, 0.0], [0.9, 0.1, 0.0], [0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]
)
"""Of an image that is soon certified; the last two are soon futile, or take long."""


RULE = stopping.until([0.25])


def plan(images, *, horizon=1000, rule=RULE, alpha=ALPHA, **changes):
    """The manifest of a run without scores whose images stop at ``looks_for``."""
    return manifest(
        images=list(images),
        labels=[0] * len(images),
        looks=list(stopping.looks_for(horizon)),
        block=None,
        rule=None if rule is None else rule.spec | {"alpha": alpha},
        statistics=["multinomial"],
        **changes,
    )


def draw(store, rule=None, *, most=None, seed=0, images=None):
    """Draw images until a rule stops them, look by look, into a run.

    Args:
        store: The run.
        rule: What stops them. Default: the manifest's, or where it has none the last
            look alone.
        most: So many looks at most, after which the run is left as it is.
        seed: Of the votes: an image's are the same whatever others there are.
        images: Which. Default: all.
    """
    plan, looks = store.manifest, tuple(store.manifest.looks)
    if rule is None and plan.rule is not None:
        rule = stopping.rule_from(plan.rule)
    images = np.array(plan.images if images is None else images)
    streams = [np.random.default_rng([seed, image]) for image in images]
    counts = np.zeros((len(images), plan.classes), dtype=np.int64)
    active = np.arange(len(images))
    ends = [look.draws for look in looks]
    for block in range(len(looks) if most is None else most):
        size = int(plan.draws_in(np.array([block]))[0])
        more = np.array(
            [streams[i].multinomial(size, CHANCES[images[i] % 4]) for i in active]
        )
        counts[active] += more
        votes = Votes(
            counts=counts[active],
            draws=np.full(len(active), ends[block]),
            indices=images[active],
            sigma=plan.sigma,
            looks=looks,
            source={},
            manifest=plan,
        )
        last = np.full(len(active), block + 1 == len(looks))
        if rule is not None:
            last |= asked(rule, votes, float(plan.rule["alpha"]))
        store.append(
            VoteRows(
                images=images[active],
                blocks=np.full(len(active), block),
                columns={"counts": more},
                draw_seconds=np.full(len(active), 0.001 * size),
                last=last,
            )
        )
        active = active[~last]
        if not len(active):
            break
    return store


def stopped_run(path, images=range(40), *, rule=RULE, most=None, seed=0, **changes):
    """A run directory whose images were stopped by a rule."""
    store = RunDirectory.create(path, plan(images, rule=rule, **changes))
    return draw(store, rule, most=most, seed=seed)
