"""What procedures make of the same scores: mean radii and certificates of stored runs.

    python benchmarks/procedures.py [RUN…]

Runs default to those in ``results/``. Radii are by ``neyman_pearson``, in input units.
"""

import sys
from pathlib import Path

import numpy as np

import simplicert as sc

ALPHA = 0.001
SOFT = ("hoeffding", "empirical_bernstein")


def main() -> None:
    default = sorted(Path(__file__).parents[1].glob("results/*/*/manifest.json"))
    runs = [Path(run) for run in sys.argv[1:]] or [path.parent for path in default]
    print(f"alpha {ALPHA}; mean radius, average certified radius, images named")
    print(f"{'run':26}" + "".join(f"{name:>33}" for name in SOFT) + f"{'gain':>9}")
    for run in runs:
        votes = sc.read_run(run)
        cells, means = [], []
        for procedure in SOFT:
            certificates = sc.certify(votes, alpha=ALPHA, procedure=procedure)
            radius = certificates.radius
            right = np.where(certificates.correct, radius, 0.0)
            named = int((radius > 0).sum())
            cells.append(f"{radius.mean():15.4f} {right.mean():9.4f} {named:7d}")
            means.append(radius.mean())
        gain = means[1] / means[0] - 1
        print(f"{run.name:26}" + "".join(cells) + f"{gain:+9.1%}")


if __name__ == "__main__":
    main()
