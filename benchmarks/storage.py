"""Size, read time and memory of a large run: 50,000 images, 1,000 classes.

    python benchmarks/storage.py [--images 50000] [--classes 1000] [--blocks 1]

Votes are simulated (a Dirichlet expectation an image, multinomial counts); everything
after them is what a real run goes through.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from simplicert.votes import DataSource, Manifest, ModelSource, RunDirectory, VoteRows

DRAWS = 100_000
SCORE_GRID = 2.0**32


def write_run(path: Path, images: int, classes: int, blocks: int) -> RunDirectory:
    run = RunDirectory.create(
        path,
        Manifest(
            sigma=0.5, draws=DRAWS, block=DRAWS // blocks, seed=0, classes=classes,
            scores=True, model=ModelSource(name="simulated", digest=""),
            data=DataSource(name="simulated", digest="", shape=[3, 224, 224]),
            images=list(range(images)), labels=[0] * images, precision="fp32",
            batch=1000, device="cpu", threads=1, versions={}, git_commit=None,
            created="",
        ),
    )  # fmt: skip
    random = np.random.default_rng(0)
    block = DRAWS // blocks
    for start in range(0, images, 1000):
        group = np.arange(start, min(start + 1000, images))
        expectations = random.dirichlet(np.full(classes, 0.01), size=len(group))
        expectations = np.repeat(expectations, blocks, axis=0)
        counts = random.multinomial(block, expectations)
        # Softmax never is 0, and no two sums are equal: they hardly compress.
        tail = random.exponential(1e-6, size=counts.shape)
        sums = np.floor(block * tail * SCORE_GRID) / SCORE_GRID + 0.99 * counts
        sums = np.floor(sums * SCORE_GRID) / SCORE_GRID
        run.append(
            VoteRows(
                images=np.repeat(group, blocks),
                blocks=np.tile(np.arange(blocks), len(group)),
                counts=counts,
                score_sums=sums,
                score_squares=np.floor(sums * tail * SCORE_GRID) / SCORE_GRID,
                draw_seconds=np.full(len(counts), np.nan),
            )
        )
    return run


CERTIFY = """
import resource, sys, time
from simplicert.certificates.certify import certify_run
began = time.perf_counter()
certificates = certify_run(sys.argv[1], framework=sys.argv[2])
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"certify {sys.argv[2]:12} {len(certificates):,} images, "
      f"{len(certificates.radii)} mechanisms: {seconds:.1f} s, peak {peak:.2f} GiB")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        began = time.perf_counter()
        run = write_run(path, options.images, options.classes, options.blocks)
        seconds = time.perf_counter() - began
        size = sum(part.stat().st_size for part in run.parts)
        print(
            f"wrote {len(run.parts)} parts in {seconds:.0f} s: {size / 2**20:,.0f} MiB"
        )
        began = time.perf_counter()
        run.compact()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        size = sum(part.stat().st_size for part in run.parts)
        seconds = time.perf_counter() - began
        print(
            f"compacted in {seconds:.0f} s: {size / 2**20:,.0f} MiB, "
            f"peak {peak:.2f} GiB"
        )
        for framework in ("multinomial", "softmax"):
            subprocess.run([sys.executable, "-c", CERTIFY, path, framework], check=True)


if __name__ == "__main__":
    main()
