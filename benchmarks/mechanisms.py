"""Points a second of every mechanism on one core, against the textbook way.

    python benchmarks/mechanisms.py

The textbook way hands the paper's Eq. 18 to a general optimiser, one point at a time:
``scipy.optimize.minimize(method="SLSQP")`` over (epsilon, a). Both ways get the same
points, half of them uniform over the separated part of the simplex and half such as a
confident classifier has. Times are CPU times of this process, the best of several
runs, so that other work on the machine disturbs them little; nothing here uses threads.
"""

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from simplicert import mechanisms

SIZES = (100, 10_000, 1_000_000)
TEXTBOOK_POINTS = 300


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Separated points of the simplex, the same ones in every run."""
    rng = np.random.default_rng(17)
    uniform = np.sort(rng.dirichlet([1, 1, 1], count), axis=1)[:, :0:-1]
    rest = 10 ** rng.uniform(-4.5, -0.5, count)
    confident = np.stack([1 - rest, rest * rng.random(count)], axis=1)
    mixed = np.where(rng.random((count, 1)) < 0.5, uniform, confident)
    e0, e1 = mixed.T.copy()
    return e0, e1


def cpu_seconds(run: Callable[[], object], *, repeats: int) -> float:
    """Least CPU time of several runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def textbook_cullen(e0: float, e1: float) -> float:
    """Eq. 18 as a constrained problem in (epsilon, a), solved by SLSQP."""

    def slack(x: np.ndarray) -> float:
        eps, a = x
        delta = ndtr(a / 2 - eps / a) - np.exp(eps) * ndtr(-a / 2 - eps / a)
        return (e0 - np.exp(2 * eps) * e1) / (1 + np.exp(eps)) - delta

    solution = minimize(
        lambda x: -x[1],
        x0=(0.1, 0.5),
        method="SLSQP",
        bounds=[(0.0, 20.0), (1e-6, 20.0)],
        constraints={"type": "ineq", "fun": slack},
    )
    return float(solution.x[1])


def bytes_a_point(radius: Callable[..., np.ndarray], count: int) -> float:
    """Peak memory beyond the arguments, the result included."""
    e0, e1 = points(count)
    tracemalloc.start()
    radius(e0, e1, sigma=0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / count


def main() -> None:
    """Prints the rates, then the comparison."""
    header = "".join(f"{f'{size:,} points':>20}" for size in SIZES)
    print(f"{'points a second':16}{header}{'bytes a point':>16}")
    rates = {}
    for name in mechanisms.__all__:
        radius = getattr(mechanisms, name)
        row = ""
        for size in SIZES:
            e0, e1 = points(size)
            inner = max(1, 20_000 // size)  # the clock is too coarse for one short run

            def run() -> None:
                for _ in range(inner):  # noqa: B023 - called in this round
                    radius(e0, e1, sigma=0.5)  # noqa: B023

            rates[name, size] = inner * size / cpu_seconds(run, repeats=5)
            row += f"{rates[name, size]:20,.0f}"
        print(f"{name:16}{row}{bytes_a_point(radius, SIZES[-1]):16.1f}")

    e0, e1 = points(TEXTBOOK_POINTS)
    found = np.zeros(TEXTBOOK_POINTS)

    def textbook() -> None:
        with np.errstate(all="ignore"):
            for i in range(TEXTBOOK_POINTS):
                found[i] = textbook_cullen(e0[i], e1[i])

    rate = TEXTBOOK_POINTS / cpu_seconds(textbook, repeats=3)
    ours = mechanisms.cullen(e0, e1, sigma=1.0)
    wrong = np.mean(np.abs(found - ours) > 1e-3 * ours)
    print(f"\ncullen by SLSQP, one point at a time: {rate:,.0f} points a second,")
    print(f"off by more than 0.1 % at {wrong:.0%} of {TEXTBOOK_POINTS} points")
    for size in SIZES:
        print(
            f"cullen is {rates['cullen', size] / rate:,.0f} x that at {size:,} points"
        )


if __name__ == "__main__":
    main()
