"""How long stored votes take to certify, beside an older checkout in the same run.

    python benchmarks/certify.py [--images 50000] [--classes 10] [--against OLDER/src]

Every mechanism that applies, in both frameworks, by ``simplicert.certify``. Versions
take turns in processes of their own; the shortest of the rounds counts for each.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

CHILD = """
import sys, time
import numpy as np
import simplicert as sc
images, classes = map(int, sys.argv[1:])
random = np.random.default_rng(0)
counts = random.multinomial(10_000, random.dirichlet(np.full(classes, 0.2), images))
sums = counts * 0.9 + 1_000 / classes
votes = sc.Votes(
    counts=counts, score_sums=sums, score_squares=sums**2 / 10_000,
    draws=np.full(images, 10_000), indices=np.arange(images), labels=None,
    sigma=0.5, source={},
)
for framework in ("multinomial", "softmax"):
    sc.certify(votes, framework=framework)  # what is imported and cached at first
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        sc.certify(votes, framework=framework)
        taken.append(time.perf_counter() - start)
    print(framework, min(taken))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sources = {"this": Path(__file__).parents[1] / "src"}
    if options.against is not None:
        sources["older"] = options.against.resolve()
    best: dict[tuple[str, str], float] = {}
    for _ in range(options.rounds):
        for name, source in sources.items():
            printed = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    CHILD,
                    *map(str, (options.images, options.classes)),
                ],
                env=os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for line in printed.splitlines():
                framework, seconds = line.split()
                key = framework, name
                best[key] = min(best.get(key, float("inf")), float(seconds))
    print(f"{options.images:,} images × {options.classes} classes, seconds")
    for framework in ("multinomial", "softmax"):
        line = "  ".join(f"{name} {best[framework, name]:.3f}" for name in sources)
        if "older" in sources:
            line += f"  ratio {best[framework, 'this'] / best[framework, 'older']:.2f}"
        print(f"{framework:12}{line}")


if __name__ == "__main__":
    main()
