"""The radius bounded exactly: what it gains over two bounds and over one, and its time.

    python benchmarks/joint.py [RUN…]

Runs default to those in ``results/``. Radii are in units of sigma, of the images that
the rule for naming allows to be named. A loss is a radius more than a thousandth of
sigma below the larger of the two others. Times are of one process, outcomes that were
solved before forgotten; beside them, the same votes by two Clopper-Pearson bounds.
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.special import ndtri

import simplicert as sc
from simplicert.bounds import clopper_pearson_lower
from simplicert.bounds.half_gap import _bound
from simplicert.bounds.staircase import order_of
from simplicert.mechanisms import neyman_pearson
from simplicert.procedures import clopper_pearson, joint
from simplicert.procedures.naming import apart_by_votes
from simplicert.votes import Votes

ALPHA = 0.001
TRUTH, MANY = "resnet110-0.50", 100_000


def compared(votes: Votes) -> dict[str, float]:
    """Exact radii beside those of two bounds and of one at all of alpha."""
    exact, two = joint(votes, alpha=ALPHA), clopper_pearson(votes, alpha=ALPHA)
    ranked = np.sort(votes.counts, axis=1)[:, ::-1]
    sure = apart_by_votes(ranked[:, 0], ranked[:, 1], alpha=ALPHA)
    assert exact.radius is not None
    radius = exact.radius[sure]
    halves = neyman_pearson(two.e0_lower, two.others_upper, sigma=1.0)[sure]
    lower = clopper_pearson_lower(
        ranked[sure, 0], trials=votes.draws[sure], alpha=ALPHA
    )
    whole = np.maximum(ndtri(lower), 0.0)
    best = np.maximum(halves, whole)
    return {
        "named": int(sure.sum()),
        "two": halves.mean(),
        "one": whole.mean(),
        "exact": radius.mean(),
        "over two": radius.mean() / halves.mean() - 1,
        "most over two": (radius / np.maximum(halves, 0.05)).max() - 1,
        "over both": radius.mean() / best.mean() - 1,
        "two < one": (halves < whole).mean(),
        "lost": (radius < best - 1e-3).mean(),
        "deepest": min((radius - best).min(), 0.0),
    }


def timed(votes: Votes) -> tuple[float, float, int]:
    """Seconds by ``joint`` and by two bounds; how many outcomes were solved."""
    _bound.cache_clear()
    start = perf_counter()
    joint(votes, alpha=ALPHA)
    middle = perf_counter()
    clopper_pearson(votes, alpha=ALPHA)
    return middle - start, perf_counter() - middle, _bound.cache_info().currsize


def redrawn(votes: Votes, draws: int, images: int) -> Votes:
    """Images drawn anew, the votes of a run taken for the truth."""
    generator = np.random.default_rng(0)
    rows = np.arange(images) % len(votes)
    shares = votes.counts[rows] / votes.counts[rows].sum(axis=1, keepdims=True)
    return Votes(
        counts=generator.multinomial(draws, shares),
        draws=np.full(images, draws),
        indices=np.arange(images),
        sigma=votes.sigma,
        source={},
    )


def main() -> None:
    default = sorted(Path(__file__).parents[1].glob("results/*/*/manifest.json"))
    runs = [Path(run) for run in sys.argv[1:]] or [path.parent for path in default]
    print(f"alpha {ALPHA}; mean radii in units of sigma")
    names = list(compared(sc.read_run(runs[0], blocks=slice(1))))
    print(f"{'run':26}{'draws':>7}" + "".join(f"{name:>14}" for name in names))
    for run in runs:
        for blocks in (slice(1), None):
            votes = sc.read_run(run, blocks=blocks)
            cells = compared(votes).values()
            print(
                f"{run.name:26}{votes.draws.max():7}"
                + "".join(f"{cell:14.5g}" for cell in cells),
                flush=True,
            )
    truth = next((run for run in runs if run.name == TRUTH), runs[0])
    votes = sc.read_run(truth)
    print(f"\nseconds, votes of {truth.name} taken for the truth")
    for draws, images in ((1000, 500), (10_000, 500), (10_000, 5000), (MANY, 500)):
        order_of.cache_clear()
        start = perf_counter()
        joint(redrawn(votes, draws, 1), alpha=ALPHA)
        first = perf_counter() - start
        spent, beside, solved = timed(redrawn(votes, draws, images))
        print(
            f"{images:6} images x {draws:7} draws: {spent:7.2f} s, "
            f"{1e3 * spent / images:6.2f} ms an image ({solved} outcomes, the first "
            f"with its table {first:.2f} s); two bounds {beside:.3f} s, "
            f"{beside / spent:.4f} of it"
        )


if __name__ == "__main__":
    main()
