"""Stop when decided: what it draws and what it loses, beside everything else there is.

    python benchmarks/stopping.py [RUN|counts table …] [--seeds 5] [--csv FILE]
    python benchmarks/stopping.py --plans            # how the plan was chosen
    python benchmarks/stopping.py --figure docs/figures/stopping.png
    python benchmarks/stopping.py --figure6 docs/figures/fig6-stopping.png

The votes of a run (default: those in ``results/``) or of a table that ``simplicert
import`` reads are taken as each image's true probabilities, and drawn from again: all
methods see the same draws, but the one that draws afresh at each look. Alpha 0.001,
horizon 100,000, two-sided ``clopper_pearson`` and ``neyman_pearson``; no model, no GPU.
Radii are in units of sigma.

``Looks`` says again what ``simplicert.stopping`` does, for counts of many images in
arrays. ``tests/stopping/test_stopping_benchmark.py`` holds the two against each other.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import betaincc, betaln, xlog1py, xlogy

import simplicert as sc
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.interop import import_file
from simplicert.mechanisms import neyman_pearson
from simplicert.procedures.naming import apart_by_votes, named_where

ALPHA = 0.001
HORIZON = 100_000
FUTILE = 0.01
"""1 minus the level of the interval whose optimistic end says what is futile."""

ANY = 1e-9
"""As a radius to certify: any at all."""

Array = np.ndarray


# --- what is drawn -------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Truth:
    """A run's shares of votes, taken as probabilities."""

    name: str
    chances: Array
    sigma: float


def truth(path: Path) -> Truth:
    """Of a run directory, or of a table of counts."""
    if path.is_dir():
        votes = sc.read_run(path)
    else:
        with tempfile.TemporaryDirectory() as directory:
            # Radii are in units of sigma; whatever the file says is as good.
            imported = import_file(path, Path(directory) / "run", sigma=1.0)
            if imported.evidence != "votes":
                sys.exit(f"{path} has {imported.evidence}, not the counts of classes")
            votes = sc.read_run(imported.path)
    name = path.name if path.is_dir() else path.stem
    # Draws that gave no class are a class that is never first.
    lost = votes.draws - votes.counts.sum(axis=1)
    counts = np.column_stack([votes.counts, lost]) if lost.any() else votes.counts
    return Truth(name, counts / votes.draws[:, None], votes.sigma)


def drawn(
    chances: Array, draws: Sequence[int], random: np.random.Generator
) -> dict[int, Array]:
    """Votes of the top class and the runner-up (2 × images) after each of ``draws``."""
    counts, before, found = np.zeros(chances.shape, dtype=np.int64), 0, {}
    for n in sorted(draws):
        counts += random.multinomial(n - before, chances)
        found[n] = np.partition(counts, -2, axis=1)[:, [-1, -2]].T
        before = n
    return found


# --- what is said of it --------------------------------------------------------------


def radius(low: Array, high: Array) -> Array:
    """What the two bounds certify, in units of sigma."""
    return neyman_pearson(low, np.minimum(high, 1.0 - low), sigma=1.0)


def two_sided(votes: Array, n: int, alpha: float) -> Array:
    """As ``certify`` has it, of the top class's votes and the runner-up's."""
    low, high, _ = named_where(
        apart_by_votes(votes[0], votes[1], alpha=alpha),
        clopper_pearson_lower(votes[0], trials=n, alpha=alpha / 2),
        clopper_pearson_upper(votes[1], trials=n, alpha=alpha / 2),
    )
    return radius(low, high)


class Method:
    """What an image has at each look: a certificate, and what may still come.

    Attributes:
        name: In tables.
        draws: Of the images at each look.
        afresh: Whether each look has draws of its own.
    """

    def __init__(self, name: str, draws: Sequence[int], *, afresh: bool = False):
        self.name, self.draws, self.afresh = name, tuple(draws), afresh

    @property
    def spent(self) -> Array:
        """Draws made until each look."""
        return np.cumsum(self.draws) if self.afresh else np.array(self.draws)

    def now(self, k: int, votes: Array) -> Array:
        """Radii certified at look ``k``."""
        raise NotImplementedError

    def best(self, k: int, votes: Array) -> Array:
        """Radii that may still come: an optimist's, which certify nothing."""
        raise NotImplementedError


class Looks(Method):
    """A plan: looks and their shares of alpha. A fixed number of draws is one look."""

    def __init__(
        self,
        name: str,
        draws: Sequence[int],
        shares: Sequence[float],
        *,
        futile: float = FUTILE,
    ):
        super().__init__(name, draws)
        if math.fsum(shares) > 1.0 + 1e-12:
            raise ValueError(f"{name}: shares of alpha sum to {math.fsum(shares)}")
        self.shares, self.futile = tuple(shares), futile

    def now(self, k: int, votes: Array) -> Array:
        """At the look's share of alpha."""
        return two_sided(votes, self.draws[k], ALPHA * self.shares[k])

    def best(self, k: int, votes: Array) -> Array:
        """The optimistic end of an interval, drawn on until the last look."""
        n, last = self.draws[k], self.draws[-1]
        up = clopper_pearson_upper(votes[0], trials=n, alpha=self.futile / 2)
        down = clopper_pearson_lower(votes[1], trials=n, alpha=self.futile / 2)
        top = np.ceil(votes[0] + (last - n) * up).astype(np.int64)
        rest = np.floor(votes[1] + (last - n) * np.minimum(down, 1.0 - up))
        second = np.minimum(rest.astype(np.int64), last - top)
        return two_sided(np.stack([top, second]), last, ALPHA * self.shares[-1])


class Horvath(Method):
    """Adaptive sampling of Horváth et al. (ICLR 2022), with two-sided bounds.

    Looks at 100, 1,000, 10,000 and 100,000 draws of their own, each at alpha/4; given
    up where an upper bound at beta/3 (beta = 0.0001, theirs) is not enough. Kinder to
    it than the original: the bounds are two-sided, and no draws only choose the class.
    """

    def __init__(self, last: int = HORIZON, beta: float = 1e-4):
        draws = [n for n in (100, 1_000, 10_000) if n < last] + [last]
        super().__init__("Horváth, four looks", draws, afresh=True)
        self.beta = beta / max(len(draws) - 1, 1)

    def now(self, k: int, votes: Array) -> Array:
        """Of this look's draws alone."""
        return two_sided(votes, self.draws[k], ALPHA / len(self.draws))

    def best(self, k: int, votes: Array) -> Array:
        """The bounds' other ends, at beta."""
        n = self.draws[k]
        up = clopper_pearson_upper(votes[0], trials=n, alpha=self.beta)
        down = clopper_pearson_lower(votes[1], trials=n, alpha=self.beta)
        return radius(up, np.minimum(down, 1.0 - up))


class Betting(Method):
    """A betting confidence sequence, as in Voráček (NeurIPS 2024): valid at any time.

    Each bound bets at alpha/2 by a mixture over Beta(1/2, 1/2), cut to the side it is
    about, which is up to twice as rich as the uncut one (``log_wealth``). Looked at
    whenever the draws have grown by a tenth, from 20 on, and at the horizon. What may
    still come is the sequence's own other end, or with ``futile`` the same as for
    ``Looks``.
    """

    def __init__(self, last: int = HORIZON, *, futile: bool = False):
        name = "betting, our futility" if futile else "betting sequence"
        grown = {round(20 * 1.1**step) for step in range(200)}
        super().__init__(name, [*sorted(n for n in grown if n < last), last])
        self.ours = Looks("", self.draws, _at_last(self.draws)) if futile else None

    def now(self, k: int, votes: Array) -> Array:
        """By what no bet of either kind has refuted."""
        n = self.draws[k]
        return radius(
            betting_lower(votes[0], n, ALPHA / 2),
            1.0 - betting_lower(n - votes[1], n, ALPHA / 2),
        )

    def best(self, k: int, votes: Array) -> Array:
        """The other ends of the sequence, or our optimist."""
        if self.ours is not None:
            return self.ours.best(k, votes)
        n = self.draws[k]
        up = 1.0 - betting_lower(n - votes[0], n, ALPHA / 2)
        down = betting_lower(votes[1], n, ALPHA / 2)
        return radius(up, np.minimum(down, 1.0 - up))


def _at_last(draws: Sequence[int]) -> list[float]:
    return [0.0] * (len(draws) - 1) + [1.0]


def log_wealth(k: Array, n: int, p: Array) -> Array:
    """Log of the wealth of a bet on "more than ``p``" after ``k`` of ``n`` successes.

    The likelihood at ``p`` against its mean over Beta(1/2, 1/2) cut to (p, 1): a
    martingale that starts at 1 if the truth is ``p``, so that it ever reaches 1/alpha
    with probability at most alpha (Ville).
    """
    a, b = k + 0.5, n - k + 0.5
    with np.errstate(divide="ignore"):
        above = np.log(betaincc(a, b, p)) - np.log(betaincc(0.5, 0.5, p))
    mixed = betaln(a, b) - betaln(0.5, 0.5) + above
    return mixed - xlogy(k, p) - xlog1py(n - k, -p)


def betting_lower(k: Array, n: int, alpha: float) -> Array:
    """Below it every proportion's wealth has reached 1/alpha; holds at all ``n``."""
    k = np.asarray(k, dtype=np.float64)
    low, high = np.zeros_like(k), k / n
    for _ in range(32):
        middle = 0.5 * (low + high)
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = log_wealth(k, n, middle) >= -math.log(alpha)
        low, high = np.where(lost, middle, low), np.where(lost, high, middle)
    return low


# --- when to stop --------------------------------------------------------------------

Decided = Callable[[Array, Array], Array]
"""Radii now, and those that may still come → which images need no more draws."""


def until(*radii: float) -> Decided:
    """Each of these is certified, or futile."""
    goals = np.array(radii)[:, None]
    return lambda now, best: ((now >= goals) | (best < goals)).all(axis=0)


def within(share: float, largest: float = np.inf) -> Decided:
    """No more than ``share`` of what may still come is missing, up to ``largest``."""
    return lambda now, best: now >= (1.0 - share) * np.minimum(best, largest)


TARGETS: dict[str, tuple[Decided, tuple[float, ...]]] = {
    "1σ": (until(1.0), (1.0,)),
    "2σ": (until(2.0), (2.0,)),
    "3σ": (until(3.0), (3.0,)),
    "0 1 2 3σ": (until(ANY, 1.0, 2.0, 3.0), (ANY, 1.0, 2.0, 3.0)),
}
WITHIN: dict[str, tuple[Decided, float]] = {
    "5%": (within(0.05), np.inf),
    "5% ≤2σ": (within(0.05, 2.0), 2.0),
}
"""Rules, and the largest radius that is of interest."""


class Seen:
    """What a method says of some votes, worked out once for whoever asks."""

    def __init__(self, method: Method, votes: dict[int, Array]):
        images = next(iter(votes.values())).shape[1]
        self.method, self.votes, self.images = method, votes, images
        self._known = {
            what: np.full((len(method.draws), images), np.nan)
            for what in ("now", "best")
        }

    def __call__(self, what: str, k: int, images: Array) -> Array:
        """``now`` or ``best`` of the method, at look ``k``."""
        known = self._known[what][k]
        asked = images[np.isnan(known[images])]
        if len(asked):
            votes = self.votes[self.method.draws[k]][:, asked]
            known[asked] = getattr(self.method, what)(k, votes)
        return known[images]


def stopped(seen: Seen, decided: Decided) -> tuple[Array, Array]:
    """Draws and certified radius of each image, at the look at which it stopped."""
    draws, radii = np.zeros(seen.images, dtype=np.int64), np.zeros(seen.images)
    active, last = np.arange(seen.images), len(seen.method.draws) - 1
    for k, spent in enumerate(seen.method.spent):
        now = seen("now", k, active)
        draws[active], radii[active] = spent, now
        if k < last:
            active = active[~decided(now, seen("best", k, active))]
        if not len(active):
            break
    return draws, radii


# --- plans ---------------------------------------------------------------------------


def plan(
    *,
    first: int = 30,
    factor: float = 1.5,
    early: float = 0.4,
    last: int = HORIZON,
    futile: float = FUTILE,
    name: str | None = None,
) -> Looks:
    """The looks of ``simplicert.stopping.looks_for``, and others like them."""
    draws, n = [], float(first)
    while n < 0.8 * last:
        draws.append(int(10 * round(n / 10) if n < 300 else 50 * round(n / 50)))
        n *= factor
    draws = sorted({each for each in draws if 0 < each < last})
    shares = [early / len(draws)] * len(draws) + [1.0 - early] if draws else [1.0]
    return Looks(
        name or f"first {first}, ×{factor:g}, early {early:g}, futile {futile:g}",
        [*draws, last],
        shares,
        futile=futile,
    )


def without_horizon(last: int = HORIZON) -> Looks:
    """Shares 1/k(k + 1) of alpha, which could go on for ever: no look is the last."""
    draws = plan(last=last).draws
    shares = [1.0 / (k * (k + 1)) for k in range(1, len(draws) + 1)]
    return Looks("looks, shares 1/k(k + 1)", draws, shares)


def fixed(n: int = HORIZON) -> Looks:
    """One look."""
    return Looks(f"fixed {n:,}", [n], [1.0])


# --- what is printed -----------------------------------------------------------------

GOALS = {"1σ": (30, 50), "2σ": (30, 50), "3σ": (10, 10), "0 1 2 3σ": (5, 5)}
"""By how much fewer draws: on every run, and the median of the runs."""

LOSS = 0.005
"""Share that may be lost."""


def measured(
    truths: Iterable[Truth],
    methods: Sequence[Method],
    *,
    seeds: int,
    targets: Sequence[str] = (*TARGETS, *WITHIN),
) -> pd.DataFrame:
    """One row a run, seed, method and target: share or mean radius, and mean draws."""
    rows = []
    nested = sorted({n for each in methods if not each.afresh for n in each.draws})
    for each in truths:
        for seed in range(seeds):
            random = np.random.default_rng([seed, len(each.chances)])
            together = drawn(each.chances, nested, random)
            for method in methods:
                votes = together
                if method.afresh:
                    alone = [drawn(each.chances, [n], random) for n in method.draws]
                    votes = {n: found[n] for found in alone for n in found}
                seen = Seen(method, votes)
                for target in targets:
                    draws, value = _value(seen, target)
                    rows.append((each.name, seed, method.name, target, value, draws))
    columns = ["run", "seed", "method", "target", "value", "draws"]
    return pd.DataFrame(rows, columns=columns)


def _value(seen: Seen, target: str) -> tuple[float, float]:
    if target in TARGETS:
        rule, goals = TARGETS[target]
        draws, radii = stopped(seen, rule)
        return draws.mean(), float(np.mean([(radii >= r).mean() for r in goals]))
    rule, largest = WITHIN[target]
    draws, radii = stopped(seen, rule)
    return draws.mean(), float(np.minimum(radii, largest).mean())


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, their standard errors, and what is lost against fixed."""
    keys = ["run", "method", "target"]
    grouped = found.groupby(keys, sort=False)[["value", "draws"]]
    table = grouped.mean().join(grouped.sem().add_suffix("_se")).reset_index()
    base = table[table["method"] == fixed().name].set_index(["run", "target"])
    against = base.loc[list(zip(table["run"], table["target"], strict=True))]
    table["lost"] = against["value"].to_numpy() - table["value"]
    table["fewer"] = HORIZON / table["draws"]
    return table


def as_text(table: pd.DataFrame) -> str:
    """A row a run and method, a column a target: share ± error @ draws ± error."""
    cells = [
        f"{row.value:.4f}±{row.value_se:.4f} @ {row.draws:6.0f}±{row.draws_se:<4.0f}"
        for row in table.itertuples()
    ]
    wide = table.assign(cell=cells).pivot_table(
        index=["run", "method"],
        columns="target",
        values="cell",
        aggfunc="first",
        sort=False,
    )
    return wide.to_string()


def verdicts(table: pd.DataFrame) -> str:
    """What each method saves and loses over the runs; the goals are the plan's."""
    lines = []
    tried = table[table["method"] != fixed().name]
    for (method, target), rows in tried.groupby(["method", "target"], sort=False):
        lost = rows["lost"]
        if target in WITHIN:  # mean radii: relative
            lost = lost / (rows["value"] + lost)
        line = (
            f"{method:24} {target:9} fewer by {rows['fewer'].min():6.1f} (worst) "
            f"{rows['fewer'].median():6.1f} (median); lost {lost.max():8.2%} (worst) "
            f"{lost.mean():8.2%} (mean)"
        )
        if method == PLAN and target in GOALS and len(rows) > 1:
            least, median = GOALS[target]
            met = (
                rows["fewer"].min() >= least
                and rows["fewer"].median() >= median
                and lost.max() <= LOSS
            )
            line += f"  goal {least} ×, {median} ×: {'met' if met else 'MISSED'}"
        lines.append(line)
    return "\n".join(lines)


PLAN = "our plan"


def everything(last: int = HORIZON) -> list[Method]:
    """What is compared, with this horizon."""
    return [
        fixed(last),
        plan(last=last, name=PLAN),
        without_horizon(last),
        Horvath(last),
        Betting(last),
        Betting(last, futile=True),
    ]


CHOSEN_ON = ("resnet20-0.25", "resnet20-0.50", "resnet20-macer-1.00")
"""The plan was chosen on these runs; on the others it had its first try."""


def plans() -> list[Method]:
    """The plan, and others that differ from it in one constant."""
    return [
        fixed(),
        plan(name=PLAN),
        *(plan(first=first) for first in (20, 45, 50, 100)),
        *(plan(factor=factor) for factor in (1.2, 1.35, 2.0, 3.0)),
        *(plan(early=early) for early in (0.1, 0.2, 0.3, 0.5, 0.7)),
        *(plan(futile=futile) for futile in (0.001, 0.005, 0.02, 0.05, 0.1, 0.2)),
        without_horizon(),
    ]


# --- figures -------------------------------------------------------------------------

HORIZONS = (
    *(digit * 10**power for power in (2, 3, 4) for digit in (1, 2, 5)),
    HORIZON,
)

LINES = {
    PLAN: {"color": "#000000", "linewidth": 2.0, "zorder": 1.9, "markersize": 5.0},
    "looks, shares 1/k(k + 1)": {"color": "#009E73", "linestyle": (0, (4, 1.2))},
    "betting, our futility": {"color": "#E69F00", "linestyle": (0, (6, 1, 1.2, 1))},
    "betting sequence": {"color": "#D55E00", "linestyle": "solid"},
    "Horváth, four looks": {"color": "#CC79A7", "linestyle": (0, (1, 1))},
    "fixed n": {"color": "#0072B2", "linestyle": "solid"},
}
"""How each method is drawn; the colours are those of ``simplicert.figures``."""


def by_horizon(truths: Sequence[Truth], seeds: int) -> pd.DataFrame:
    """Draws, and the share of what is there to certify, of each method and horizon."""
    targets = ("1σ", "2σ", "3σ")
    there = {}
    for each in truths:
        top = np.partition(each.chances, -2, axis=1)[:, -2:]
        largest = radius(top[:, 1], top[:, 0])
        there |= {(each.name, f"{k}σ"): (largest >= k).mean() for k in (1, 2, 3)}
    tables = []
    for last in HORIZONS:
        found = measured(truths, everything(last), seeds=seeds, targets=targets)
        names = {fixed(last).name: "fixed n"}
        tables.append(found.assign(method=found["method"].replace(names), last=last))
    table = pd.concat(tables)
    possible = [there[key] for key in zip(table["run"], table["target"], strict=True)]
    table = table.assign(possible=possible)
    sums = table.groupby(["target", "method", "last"], sort=False)[
        ["value", "possible", "draws"]
    ].mean()
    return sums.assign(share=sums["value"] / sums["possible"]).reset_index()


def draw_figure(table: pd.DataFrame, path: Path) -> None:
    """Share of what is there to certify against mean draws, a panel a radius."""
    from simplicert.figures.style import (  # noqa: PLC0415 (slow, only here)
        new_figure,
        print_style,
        save_figure,
    )

    with print_style():
        figure = new_figure(width_cm=16.0, height_cm=7.2)
        panels = figure.subplots(1, 3, sharex=True, sharey=True)
        for ax, (target, rows) in zip(
            panels, table.groupby("target", sort=False), strict=True
        ):
            for name, style in LINES.items():
                # Where nothing can be certified at the horizon, nothing is drawn.
                line = rows[(rows["method"] == name) & (rows["share"] > 0)]
                look = {"marker": ".", "markersize": 3.5} | style
                ax.plot(line["draws"], line["share"], label=name, **look)
            ax.set_title(f"radius {target.replace('1σ', 'σ')}")
            ax.set_xscale("log")
            ax.set_xlabel("mean draws an image")
            ax.grid(visible=True)
        panels[0].set_ylabel("certified, of what is there")
        panels[0].set_ylim(0.5, 1.005)
        panels[0].yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f} %")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        save_figure(figure, path)


def figure_6(each: Truth, seeds: int) -> pd.DataFrame:
    """The paper's Figure 6a with one more line: stopped when 0.05 is decided."""
    from simplicert.analysis import against_draws  # noqa: PLC0415 (slow, only here)
    from simplicert.paper import RADIUS_OF_INTEREST  # noqa: PLC0415

    rule = until(RADIUS_OF_INTEREST / each.sigma)
    ends = sorted({100, *HORIZONS})
    tables = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, len(each.chances)])
        by_draws = [
            sc.certify(
                sc.Votes(
                    counts=random.multinomial(n, each.chances),
                    draws=np.full(len(each.chances), n),
                    indices=np.arange(len(each.chances)),
                    sigma=each.sigma,
                    source={},
                ),
                alpha=ALPHA,
            )
            for n in ends
        ]
        tables.append(against_draws(by_draws))
        methods = [plan(last=last) for last in ends[1:]]
        nested = {n for method in methods for n in method.draws}
        votes = drawn(each.chances, sorted(nested), random)
        for method in methods:
            draws, radii = stopped(Seen(method, votes), rule)
            above = (radii * each.sigma > RADIUS_OF_INTEREST).mean()
            row = ("stopped when decided", draws.mean(), above, method.draws[-1])
            columns = ["mechanism", "draws", "above_0.05", "last"]
            tables.append(pd.DataFrame([row], columns=columns))
    table = pd.concat(tables)
    table["last"] = table["last"].fillna(table["draws"])
    grouped = table.groupby(["mechanism", "last"], sort=False)
    means = grouped[["draws", "above_0.05"]].mean().reset_index()
    return means.sort_values("last", kind="stable")


def draw_figure_6(table: pd.DataFrame, path: Path) -> None:
    from simplicert.figures.draws import draw_against_draws  # noqa: PLC0415
    from simplicert.figures.style import (  # noqa: PLC0415
        new_figure,
        print_style,
        save_figure,
    )

    with print_style():
        figure = new_figure(width_cm=11.0, height_cm=7.5)
        draw_against_draws(table, figure.subplots())
        save_figure(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="runs or tables of counts")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--plans", action="store_true", help="other plans, instead")
    parser.add_argument("--csv", type=Path, help="the table, with every digit")
    parser.add_argument("--figure", type=Path, help="share against draws, to this file")
    parser.add_argument("--figure6", type=Path, help="Figure 6a of the first path")
    asked = parser.parse_args()
    results = Path(__file__).parents[1] / "results" / "cifar10"
    stored = sorted(path.parent for path in results.glob("*/manifest.json"))
    if asked.plans:
        stored = [results / name for name in CHOSEN_ON]
    truths = [truth(path) for path in asked.paths or stored]
    if asked.figure or asked.figure6:
        if asked.figure:
            table = by_horizon(truths, asked.seeds)
            print(table.to_string())
            draw_figure(table, asked.figure)
        if asked.figure6:
            table = figure_6(truths[0], asked.seeds)
            print(table.to_string())
            draw_figure_6(table, asked.figure6)
        return
    print(f"alpha {ALPHA}, horizon {HORIZON:,}, {asked.seeds} seeds")
    print("share certified, or mean radius / sigma (5%), @ mean draws; ± one error\n")
    methods = plans() if asked.plans else everything()
    table = summary(measured(truths, methods, seeds=asked.seeds))
    if asked.csv:
        table.to_csv(asked.csv, index=False)
    print(as_text(table), verdicts(table), sep="\n\n")


if __name__ == "__main__":
    main()
