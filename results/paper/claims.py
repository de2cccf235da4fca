"""Table 2, and what the paper claims of its experiments, with intervals."""

import runpy
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from committed import CIFAR10, IMAGENET, Committed, improved, regions
from scipy.stats import binomtest
from shares import difference, interval, percent, span
from studio import (
    AGREES,
    DIFFERS,
    MISSING,
    OPEN,
    PARTLY,
    UNSAID,
    Derived,
    Studio,
    Table,
)

from simplicert import analysis
from simplicert.certificates import Certificates, certify
from simplicert.paper import BASELINE, IMPROVED, RADIUS_OF_INTEREST
from simplicert.rounding import round_down

__all__ = ["PLACES", "improvement_table", "stopping_table"]

THEIRS = 100_000
"""Draws an image of the paper's."""

CLAIMED = 0.09
"""Of images, at sigma 1."""

RADIUS = 0.25
"""At which denoised classifiers are compared that were drawn without a rule."""


def table_2(studio: Studio) -> Derived:
    """The share improved, beside the paper's, and what stopping makes of it."""
    runs = [run for run in studio.own if run.data == CIFAR10]
    if not runs:
        return Derived(verdict=MISSING, ours="No run of CIFAR-10 is committed yet.")
    table = improvement_table(studio.own)
    fixed = table[~table["stopped"] & table["paper %"].notna()]
    inside = int((fixed["holds it"] == "yes").sum())
    tables = [Table(title="Enlarged by the ensemble", frame=table)]
    stopping, notes = stopping_table(runs), list(NOTES)
    if len(stopping):
        tables.append(
            Table(
                title="The same networks and images, stopped or not",
                frame=stopping,
                turned=True,
            )
        )
    return Derived(
        verdict=_verdict(inside, len(fixed)),
        ours=f"Of the {len(fixed)} runs of a fixed n, {inside} have the paper's number "
        f"in their interval. {_below(fixed)} {_by_looks(table)}",
        differs="Networks, images, n and precision, as the table of runs says; images "
        "are JPEG-compressed again. Intervals are over images only: one training each.",
        numbers=[
            (f"Table 2: {row['run']}", f"{percent(row['paper %'])} %", _ours(row))
            for row in table[table["paper %"].notna()].to_dict("records")
        ],
        tables=tables,
        notes=notes,
    )


NOTES = (
    "Neither ensemble nor neyman_pearson can be below cohen at the same bounds, so "
    "that the paper's p-values say only that some gain is not zero.",
    "A run by looks decides its own radii only. An image whose radius is below the "
    "smallest of them is given up early, and then often certified by nobody, so that "
    "it is missing here. The second table says how many are, and how many of these "
    "the ensemble enlarges with a fixed n: where that is more than of the others, the "
    "share of the run by looks is too small.",
    f"“At {THEIRS:,}, if shares stay” takes the vote shares of the fixed run for those "
    f"of {THEIRS:,} draws: an estimate of what n alone changes, and no certificate.",
)


def nine_more(studio: Studio) -> Derived:
    """What the ensemble certifies and the baseline does not, at sigma 1."""
    runs = [run for run in studio.shown if run.sigma == 1.0]
    rows: list[dict[str, Any]] = []
    inside = False
    for run in runs:
        for reading, counted in _readings(run).items():
            gained, total = counted
            low, high = interval(gained, total)
            inside |= low <= CLAIMED <= high
            rows.append(
                {
                    "run": run.label,
                    "counted": reading,
                    "images": total,
                    "more by, points %": gained / total,
                    "lower %": low,
                    "upper %": high,
                }
            )
    if not rows:
        return Derived(verdict=MISSING, ours="No run at sigma 1 is committed yet.")
    said = "; ".join(
        f"{percent(row['more by, points %'])} points {row['counted']} ({row['run']})"
        for row in rows
    )
    least = min(float(row["lower %"]) for row in rows)
    agrees = PARTLY if inside else (AGREES if least > CLAIMED else DIFFERS)
    return Derived(
        verdict=agrees,
        ours=f"More than cohen: {said}.",
        differs="Which samples the paper counts is not on record here, so three "
        "readings are given.",
        numbers=[
            (
                f"more certified at sigma 1, {row['counted']}: {row['run']}",
                "9 %",
                f"{percent(row['more by, points %'])} points "
                f"({percent(row['lower %'])} to {percent(row['upper %'], up=True)})",
            )
            for row in rows
        ],
        tables=[Table(title="The ensemble instead of cohen", frame=pd.DataFrame(rows))],
    )


def harder_tasks(studio: Studio) -> Derived:
    """Whether the share improved grows with sigma, network by network."""
    rows: list[dict[str, Any]] = []
    for network in dict.fromkeys(run.network for run in studio.shown):
        runs = [run for run in studio.shown if run.network == network and not run.stops]
        for low, high in pairwise(sorted(runs, key=lambda run: run.sigma)):
            rows.append(_rise(low, high))
    return Derived(
        verdict=_judged(rows),
        ours="Table 2's share rises "
        + ("; ".join(_said_rise(row) for row in rows) or "by nothing that is committed")
        + ".",
        differs="Two runs are of the same images, so that these intervals, for "
        "independent ones, are too wide.",
        tables=[Table(title="From one sigma to the next", frame=pd.DataFrame(rows))],
    )


def the_shift(studio: Studio) -> Derived:
    """Whether images move to cullen's region from CIFAR-10 to 1,000 classes."""
    rows: list[dict[str, Any]] = []
    for far in studio.own:
        for near in studio.own:
            there = (near.data, far.data) == (CIFAR10, IMAGENET)
            if there and near.sigma == far.sigma:
                rows += _moved(near, far)
    return Derived(
        verdict=_judged(rows),
        ours=_said_shift(rows)
        or "No pair of runs at one sigma, one of CIFAR-10 and one of 1,000 classes, is "
        "committed yet. On CIFAR-10 alone the share grows with sigma (Figure 5).",
        differs="Two networks, one of which never saw noise in training, and other "
        "images: the shift of the data is not told from that of the network. Runs "
        "by looks also differ in n and in the radii that they decided.",
        tables=[Table(title="In cullen's region", frame=pd.DataFrame(rows))]
        if rows
        else [],
        notes=[
            "Pairs are of one sigma. Stopping leaves fewer images in cullen's region "
            "(Figure 5's table has runs of one network both ways), so a pair of which "
            "only the run of 1,000 classes is by looks understates the shift."
        ],
    )


def other_trainings(studio: Studio) -> Derived:
    """The ensemble's gain after other training methods, beside plain augmentation."""
    runs = [run for run in studio.runs if run.place == "section-6.4"]
    if not runs:
        return Derived(verdict=MISSING, ours="No such run is committed yet.")
    sigmas = {run.sigma for run in runs}
    plain = [run for run in studio.shown if run.data == CIFAR10 and run.sigma in sigmas]
    table = improvement_table([*plain, *runs]).drop(columns=["paper %", "holds it"])
    return Derived(
        verdict=UNSAID,
        ours=f"Enlarged by the ensemble: {_shares([*plain, *runs])}.",
        differs="15 epochs each and 4 draws in MACER's loss, where its paper has 440 "
        "and 16.",
        pictures=[
            picture
            for run in runs
            for picture in studio.draw(
                "fig4-accuracy",
                [run.views["multinomial"]],
                run.label,
                "Certified accuracy of each mechanism against the l2 radius in pixels "
                "of [0, 1], hard votes; bands: exact 95 % over images.",
            )
        ],
        tables=[Table(title="Enlarged by the ensemble", frame=table)],
    )


def transitive(studio: Studio) -> Derived:
    """Draws spent on an image's neighbours, against the same draws spent on itself."""
    script = runpy.run_path(str(Path(__file__).parents[1] / "transitive.py"))
    runs = script["find_runs"](studio.root) if studio.root else []
    if not runs:
        return Derived(verdict=MISSING, ours="No such run is committed yet.")
    table = script["cost_table"](runs)
    own = table[table["mechanism"] == "neyman_pearson"]
    gains = [
        f"{_down(row['mean, own'])} becomes {_down(row['mean, with'])} with them, "
        f"{_down(row['mean, more'])} with as many draws of its own ({row['run']})"
        for row in own.to_dict("records")
    ]
    return Derived(
        verdict=UNSAID,
        ours="Neighbours are sound, and do not pay: a mean radius of "
        f"{'; and of '.join(gains)}.",
        tables=[Table(title="Mean radius and certified accuracy", frame=table)],
    )


def _down(radius: float) -> str:
    return f"{round_down(radius, 3):.3f}"


def denoised(studio: Studio) -> Derived:
    """Certified accuracy of what stands behind a denoiser, and of it alone."""
    runs = [run for run in studio.runs if run.place == "reference-4"]
    if not runs:
        return Derived(verdict=MISSING, ours="No such run is committed yet.")
    rows = []
    for run in runs:
        rule = run.manifest.rule
        for radius in [RADIUS] if rule is None else rule["radii"]:
            found = analysis.certified_accuracy(run.hard, np.array([radius]))
            shares = found.set_index("mechanism")["share"]
            rows.append(
                {
                    "run": "/".join(run.path.parts[-2:]),
                    "images": len(run.hard),
                    "n": run.draws,
                    "radius": radius,
                    **{f"{name} %": share for name, share in shares.items()},
                }
            )
    frame = pd.DataFrame(rows)
    said = [
        f"{percent(row['neyman_pearson %'])} % ({row['run']})"
        for row in frame.to_dict("records")
    ]
    return Derived(
        verdict=UNSAID,
        ours=f"Certified rightly by neyman_pearson at the radius that was decided: "
        f"{', '.join(said)}.",
        tables=[Table(title="Certified accuracy at the decided radius", frame=frame)],
    )


def improvement_table(runs: Sequence[Committed]) -> pd.DataFrame:
    """Of the images that cohen certifies, the share that the ensemble enlarges."""
    rows = []
    for run in runs:
        count, total = improved(run.hard)
        if not total:
            continue
        low, high = interval(count, total)
        plain = run.data == CIFAR10 and run.method == ""
        theirs = IMPROVED.get(run.sigma, np.nan) if plain else np.nan
        rows.append(
            {
                "run": run.label,
                "sigma": run.sigma,
                "images": len(run.hard),
                "by cohen": total,
                "stopped": run.stops,
                "to the end": int((run.hard.draws == run.manifest.draws).sum()),
                "improved %": count / total,
                "lower %": low,
                "upper %": high,
                "paper %": theirs,
                "holds it": _holds(low, theirs, high),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["sigma", "stopped"], kind="stable", ignore_index=True)


def stopping_table(runs: Sequence[Committed]) -> pd.DataFrame:
    """What stopping changes, where a network's images are there with and without."""
    rows = []
    for stopped in (run for run in runs if run.stops):
        for fixed in (
            run for run in runs if not run.stops and run.same == stopped.same
        ):
            (here, gains), (there, others) = map(_enlarged, (fixed, stopped))
            both, lost = here & there, here & ~there
            only = int((both & gains & ~others).sum())
            other = int((both & ~gains & others).sum())
            test = binomtest(only, only + other).pvalue if only + other else 1.0
            rows.append(
                {
                    "network": f"{fixed.network} at {fixed.sigma:g}",
                    "fixed n %": _of(*improved(fixed.hard)),
                    "by looks %": _of(*improved(stopped.hard)),
                    "certified in both": int(both.sum()),
                    "of these, fixed n %": _of(
                        int((both & gains).sum()), int(both.sum())
                    ),
                    "of these, by looks %": _of(
                        int((both & others).sum()), int(both.sum())
                    ),
                    "exact p": float(test),
                    "certified with fixed n only": int(lost.sum()),
                    "of those, enlarged %": _of(
                        int((lost & gains).sum()), int(lost.sum())
                    ),
                    f"at {THEIRS:,}, if shares stay %": _of(*improved(_longer(fixed))),
                }
            )
    return pd.DataFrame(rows)


PLACES: dict[str, Callable[[Studio], Derived]] = {
    "table-2": table_2,
    "claim-nine": nine_more,
    "claim-difficulty": harder_tasks,
    "claim-shift": the_shift,
    "section-6.4": other_trainings,
    "reference-4": denoised,
    "reference-7": transitive,
}
"""What derives each."""


def _holds(low: float, theirs: float, high: float) -> str:
    if np.isnan(theirs):
        return "–"
    return "yes" if low <= theirs <= high else "no"


def _ours(row: Mapping[Hashable, Any]) -> str:
    low, high = percent(row["lower %"]), percent(row["upper %"], up=True)
    return f"{percent(row['improved %'])} % ({low} to {high} %)"


def _by_looks(table: pd.DataFrame) -> str:
    found = table[table["stopped"] & table["paper %"].notna()]
    inside = int((found["holds it"] == "yes").sum())
    return f"Of the {len(found)} by looks, {inside} have it." if len(found) else ""


def _below(table: pd.DataFrame) -> str:
    below = int((table["improved %"] < table["paper %"]).sum())
    return f"{below} of them are below it." if below else "None is below it."


def _verdict(inside: int, total: int) -> str:
    if not total:
        return OPEN
    return AGREES if inside == total else (PARTLY if inside else DIFFERS)


def _judged(rows: Sequence[dict[str, Any]]) -> str:
    """Of differences with intervals: whether all are above 0."""
    if not rows:
        return MISSING
    lows = [float(row["lower %"]) for row in rows]
    highs = [float(row["upper %"]) for row in rows]
    if min(lows) > 0:
        return AGREES
    if max(highs) < 0:
        return DIFFERS
    return PARTLY if max(lows) > 0 else OPEN


def _shares(runs: Sequence[Committed]) -> str:
    said = []
    for run in runs:
        count, total = improved(run.hard)
        if total:
            said.append(
                f"{percent(count / total)} % ({run.label}; {span(count, total)})"
            )
    return "; ".join(said)


def _of(count: int, total: int) -> float:
    return count / total if total else float("nan")


def _enlarged(run: Committed) -> tuple[np.ndarray, np.ndarray]:
    """Which images the baseline certifies, and on which the ensemble is larger."""
    base, best = (run.hard.radii[name] for name in (BASELINE, "ensemble"))
    return base > 0, best > base * (1.0 + analysis.tables.TIE)


def _longer(run: Committed) -> Certificates:
    """What these vote shares would give at the paper's n. No certificates."""
    evidence = run.views["multinomial"].evidence
    assert evidence is not None
    votes, times = evidence.directory.read(scores=False), THEIRS // run.manifest.draws
    more = replace(
        votes,
        counts=votes.counts * times,
        draws=votes.draws * times,
        looks=None,
        drawn=None,
        manifest=None,
    )
    return certify(more, alpha=run.hard.alpha)


def _readings(run: Committed) -> dict[str, tuple[int, int]]:
    """Images that only the ensemble certifies: of any class, rightly, above 0.05."""
    made = run.hard
    base, best = made.radii[BASELINE], made.radii["ensemble"]
    right = made.top == made.labels
    total = len(made)
    return {
        "certified": (int(((best > 0) & (base == 0)).sum()), total),
        "certified rightly": (int(((best > 0) & (base == 0) & right).sum()), total),
        "with a radius above 0.05": (
            int(((best > RADIUS_OF_INTEREST) & (base <= RADIUS_OF_INTEREST)).sum()),
            total,
        ),
    }


def _rise(low: Committed, high: Committed) -> dict[str, Any]:
    more, least, most = difference(*improved(high.hard), *improved(low.hard))
    return {
        "network": low.network,
        "from sigma": f"{low.sigma:g}",
        "to sigma": f"{high.sigma:g}",
        "more by, points %": more,
        "lower %": least,
        "upper %": most,
    }


def _said_rise(row: dict[str, Any]) -> str:
    return (
        f"by {percent(row['more by, points %'])} points from sigma {row['from sigma']} "
        f"to {row['to sigma']} ({row['network']})"
    )


def _moved(near: Committed, far: Committed) -> list[dict[str, Any]]:
    """The difference of two runs' shares: of all images, and of those certified."""
    rows: list[dict[str, Any]] = []
    ours, theirs = regions(far.hard), regions(near.hard)
    for among in ("all images", "certified images"):
        drop = among == "certified images"
        totals = [
            sum(each.values()) - (each["none"] if drop else 0)
            for each in (ours, theirs)
        ]
        if not min(totals):
            continue
        more, least, most = difference(
            ours["cullen"], totals[0], theirs["cullen"], totals[1]
        )
        rows.append(
            {
                "CIFAR-10": near.label,
                "1,000 classes": far.label,
                "among": among,
                "CIFAR-10 %": theirs["cullen"] / totals[1],
                "1,000 classes %": ours["cullen"] / totals[0],
                "more by, points %": more,
                "lower %": least,
                "upper %": most,
            }
        )
    return rows


def _said_shift(rows: Sequence[dict[str, Any]]) -> str:
    """In how many pairs it is settled, and which way."""
    said = []
    for among in dict.fromkeys(row["among"] for row in rows):
        own = [row for row in rows if row["among"] == among]
        more = sum(row["lower %"] > 0 for row in own)
        less = sum(row["upper %"] < 0 for row in own)
        said.append(f"{more} of {len(own)} among {among} (less in {less})")
    return f"1,000 classes have more in {', '.join(said)}." if said else ""
