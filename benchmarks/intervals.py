"""Multinomial intervals beside Clopper-Pearson's bounds: coverage, width and time.

    python benchmarks/intervals.py [RUN…]

Goodman's and Sison and Glaz's intervals against two Clopper-Pearson bounds. Of two and
three classes every outcome is counted with its probability, for many expectations:
nothing is simulated there. *False* is the largest probability of a radius by
``neyman_pearson`` that is too large, or of another class; *bounds* that of a class
being named with E0 or E1 outside its bound; *all* that of any interval missing any
class, where Clopper-Pearson's are two-sided at alpha divided by the classes. Each where
E0 is near 1 (less than 10 draws in n go elsewhere) and where it is not. Means are over
the draws, at two expectations. Ten classes are simulated, and times are this process's.
At the end, what the three make of stored runs, by default those in ``results/``.
"""

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from scipy.special import gammaln, ndtri, xlogy

import simplicert as sc
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.mechanisms import neyman_pearson
from simplicert.procedures import PROCEDURES
from simplicert.procedures.goodman import goodman_limits
from simplicert.procedures.sison_glaz import sison_glaz_limits
from simplicert.votes import Votes

ALPHA = 0.001
NAMES = ("clopper_pearson", "goodman", "sison_glaz")
Limits = Callable[..., tuple[np.ndarray, np.ndarray]]
Rows = list[dict[str, object]]


def bonferroni(
    counts: np.ndarray, *, trials: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson intervals of all classes, at an equal share of alpha each."""
    each, n = alpha / (2 * counts.shape[1]), trials[:, None]
    return (
        clopper_pearson_lower(counts, trials=n, alpha=each),
        clopper_pearson_upper(counts, trials=n, alpha=each),
    )


LIMITS: dict[str, Limits] = dict(
    zip(NAMES, (bonferroni, goodman_limits, sison_glaz_limits), strict=True)
)


def as_votes(counts: np.ndarray, draws: int) -> Votes:
    """Votes of an image a row."""
    images = len(counts)
    return Votes(
        counts=counts,
        draws=np.full(images, draws),
        indices=np.arange(images),
        sigma=1.0,
        source={},
    )


def outcomes(draws: int, classes: int) -> np.ndarray:
    """Every way to divide the draws among the classes."""
    parts = product(range(draws + 1), repeat=classes - 1)
    table = np.array([part for part in parts if sum(part) <= draws])
    return np.column_stack([table, draws - table.sum(axis=1)])


def laws(draws: int, classes: int) -> np.ndarray:
    """Expectations, E0 first: dense near 1, and where it is moderate."""
    rare = np.geomspace(0.01, draws * (1 - 1 / classes), 300) / draws
    first = np.unique(np.concatenate([1 - rare, np.linspace(1 / classes, 1, 201)]))
    first = first[(first > 1 / classes + 1e-9) & (first < 1)]
    if classes == 2:
        return np.column_stack([first, 1 - first])
    second = (0.5, 0.7, 0.9, 0.99, 1.0)
    found = [[a, (1 - a) * b, (1 - a) * (1 - b)] for a in first for b in second]
    return np.array([law for law in found if law[0] > law[1]])


def masses(counts: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Probability of each outcome."""
    draws = counts[0].sum()
    ways = gammaln(draws + 1) - gammaln(counts + 1).sum(axis=1)
    return np.asarray(np.exp(ways + xlogy(counts, law).sum(axis=1)))


class Method:
    """A procedure, and the intervals of all classes, on given outcomes."""

    def __init__(self, name: str, counts: np.ndarray, *, alpha: float) -> None:
        draws = int(counts[0].sum())
        found = PROCEDURES.built_in[name](as_votes(counts, draws), alpha=alpha)
        self.top, self.named = found.top, found.named
        self.e0, self.e1 = found.e0_lower, found.others_upper
        self.radius = neyman_pearson(self.e0, self.e1, sigma=1.0)
        trials = np.full(len(counts), draws)
        self.low, self.high = LIMITS[name](counts, trials=trials, alpha=alpha)

    def wrong(self, law: np.ndarray) -> dict[str, np.ndarray]:
        """Which outcomes are wrong about such expectations, in three ways."""
        best, second = law[0], law[1:].max()
        true = (ndtri(best) - ndtri(second)) / 2 if best > second else 0.0
        other = self.top != 0
        bounds = self.named & (other | (self.e0 > best) | (self.e1 < second))
        false = self.named & (other | (self.radius > true * (1 + 1e-12)))
        missed = ((self.low > law) | (self.high < law)).any(axis=1)
        return {"false": false, "bounds": bounds, "all": missed}


def exact(draws: int, classes: int, alpha: float) -> Rows:
    """Largest probabilities, and means at two expectations; nothing is simulated."""
    counts, every = outcomes(draws, classes), laws(draws, classes)
    masses_of = [masses(counts, law) for law in every]
    rows: Rows = []
    for name in NAMES:
        method = Method(name, counts, alpha=alpha)
        row: dict[str, object] = {"by": name, "K": classes, "n": draws, "alpha": alpha}
        for near in (True, False):
            worst = dict.fromkeys(("false", "bounds", "all"), 0.0)
            for law, mass in zip(every, masses_of, strict=True):
                if (law[0] > 1 - 10 / draws) == near:
                    for what, which in method.wrong(law).items():
                        worst[what] = max(worst[what], float(mass[which].sum()))
            end = "near 1" if near else "moderate"
            row |= {f"{what}, {end}": rate for what, rate in worst.items()}
        rows.append(row)
    return rows


def means(draws: int, classes: int, alpha: float) -> Rows:
    """Mean bounds, width and radius at two expectations, over every outcome."""
    counts = outcomes(draws, classes)
    rows: Rows = []
    for first in (1 - 2 / draws, 0.7):
        rest = (1 - first) * np.array([[1.0], [2 / 3, 1 / 3]][classes - 2])
        mass = masses(counts, np.array([first, *rest]))
        for name in NAMES:
            method = Method(name, counts, alpha=alpha)
            width = (method.high - method.low)[:, 0]
            rows.append(
                {"by": name, "K": classes, "n": draws, "alpha": alpha, "E0": first}
                | {"E0 lower": mass @ method.e0, "E1 upper": mass @ method.e1}
                | {"radius": mass @ method.radius, "width of E0": mass @ width}
            )
    return rows


def simulated(draws: int, alpha: float, *, classes: int, samples: int) -> Rows:
    """Of more classes: rates among samples, whose seed is fixed."""
    generator = np.random.default_rng(1965)
    near = [1 - 3 / draws, *np.full(classes - 1, 3 / draws / (classes - 1))]
    middle = [0.6, 0.3, *np.full(classes - 2, 0.1 / (classes - 2))]
    rows: Rows = []
    for law in (np.array(near), np.array(middle)):
        counts = generator.multinomial(draws, law, size=samples)
        for name in NAMES:
            method = Method(name, counts, alpha=alpha)
            rates = {what: w.mean() for what, w in method.wrong(law).items()}
            rows.append(
                {"by": name, "K": classes, "n": draws, "alpha": alpha, "E0": law[0]}
                | rates
                | {"E0 lower": method.e0.mean(), "radius": method.radius.mean()}
            )
    return rows


def times(draws: int, classes: int, *, images: int = 500) -> Rows:
    """Milliseconds an image, the fastest of five, of images of every kind."""
    generator = np.random.default_rng(1995)
    chances = generator.dirichlet(np.full(classes, 0.3), size=images)
    counts = np.array([generator.multinomial(draws, each) for each in chances])
    votes, rows = as_votes(counts, draws), []
    for name in NAMES:
        spent = []
        for _ in range(5):
            start = process_time()
            PROCEDURES.built_in[name](votes, alpha=ALPHA)
            spent.append(process_time() - start)
        spent_each = 1e3 * min(spent) / images
        rows.append({"by": name, "K": classes, "n": draws, "ms": spent_each})
    return rows


def stored(runs: list[Path]) -> Rows:
    """Of each run: mean radius, average certified radius and images named."""
    rows: Rows = []
    for run in runs:
        votes = sc.read_run(run)
        for name in NAMES:
            made = sc.certify(votes, alpha=ALPHA, procedure=name, asymptotic=True)
            right = made.radius > 0 if made.correct is None else made.correct
            rows.append(
                {"by": name, "run": run.name, "named": int((made.radius > 0).sum())}
                | {"radius": made.radius.mean()}
                | {"average": np.where(right, made.radius, 0.0).mean()}
            )
    return rows


def show(title: str, rows: Rows) -> None:
    """Print rows under their names."""
    print(title)
    widths = {key: max(len(key), 10) + 1 for key in rows[0]}
    widths |= {"by": 16} | ({"run": 26} if "run" in widths else {})
    print("".join(f"{key:>{widths[key]}}" for key in rows[0]))
    for row in rows:
        print("".join(f"{cell(row[key]):>{widths[key]}}" for key in row))
    print()


def cell(value: object) -> str:
    """A number with four or five digits."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def main() -> None:
    sizes = [
        (n, k, a) for n, k in ((100, 2), (1000, 2), (100, 3)) for a in (0.05, 1e-3)
    ]
    show("exact: largest probability of", [r for s in sizes for r in exact(*s)])
    show("exact: means", [row for s in sizes for row in means(*s)])
    ten = [
        row
        for alpha in (0.05, 1e-3)
        for row in simulated(10_000, alpha, classes=10, samples=100_000)
    ]
    show("simulated, 100,000 samples: rates of", ten)
    default = sorted(Path(__file__).parents[1].glob("results/*/*/manifest.json"))
    runs = [Path(run) for run in sys.argv[1:]] or [path.parent for path in default]
    show("stored runs, alpha 0.001", stored(runs))
    timed = [(10_000, 10), (100_000, 10), (100_000, 1000)]
    show("milliseconds an image", [row for size in timed for row in times(*size)])


if __name__ == "__main__":
    main()
