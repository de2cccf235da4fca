"""Figures 4 to 10 and Table 1, of the committed runs."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from committed import CIFAR10, Committed, regions
from shares import interval, percent, reach
from studio import DIFFERS, MISSING, UNSAID, Derived, Picture, Studio, Table

from simplicert import analysis
from simplicert.paper import BASELINE, RADIUS_OF_INTEREST

__all__ = ["PLACES", "region_table"]

FRAMEWORKS = {"multinomial": "hard votes", "softmax": "soft votes"}
RADII = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
GAINS = np.array([0.0, 20.0, 100.0])
SECONDS = 0.1
"""What the paper gives a mechanism an image."""

PHOTOGRAPHS = (
    "No run of 1,000 classes is committed yet, so that what the paper shows of "
    "ImageNet is shown of CIFAR-10 alone."
)


def figure_4(studio: Studio) -> Derived:
    """Certified accuracy, a curve a run."""
    pictures: list[Picture] = []
    for data in dict.fromkeys(run.data for run in studio.shown):
        runs = studio.of(data)
        for framework, votes in FRAMEWORKS.items():
            views = [run.views[framework] for run in runs if framework in run.views]
            pictures += studio.draw(
                "fig4-runs",
                views,
                f"{data}, {votes}",
                "Certified accuracy against the l2 radius in pixels of [0, 1], each "
                "run by the paper's ensemble; bands: exact 95 % over images. "
                f"Runs: {_named(runs)}.",
            )
    frame = pd.DataFrame(
        [
            {"run": run.label, "data": run.data}
            | {f"at {r:g} %": share for r, share in _accuracies(run, RADII).items()}
            for run in studio.shown
        ]
    )
    return Derived(
        verdict=UNSAID if studio.shown else MISSING,
        ours="Certified accuracy of the ensemble at radius 0: "
        + _by_data(studio, lambda run: _accuracies(run, RADII)[0.0])
        + "; at radius 0.5: "
        + _by_data(studio, lambda run: _accuracies(run, RADII)[0.5])
        + ".",
        differs=_without_photographs(studio),
        pictures=pictures,
        tables=[Table(title="The ensemble, hard votes", frame=frame)],
    )


def figure_5(studio: Studio) -> Derived:
    """Density over the simplex, and how many images are in whose region."""
    runs = studio.shown
    pictures = _each(
        studio,
        "fig5-density",
        runs,
        "multinomial",
        "Images in each cell of (E0, E1), at their bounds; darker is more, on a "
        "logarithmic scale. Curves part the regions of the largest mechanism.",
    )
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours="In cullen's region are "
        + _by_data(studio, lambda run: _in_region(run, "cullen"))
        + "; in cohen's "
        + _by_data(studio, lambda run: _in_region(run, "cohen"))
        + ".",
        differs=_without_photographs(studio),
        pictures=pictures,
        tables=[Table(title="Share of all images", frame=region_table(studio.own))],
        notes=[
            "A point is where an image's bounds are, not its expectations. An image "
            "that stopped early has few draws and wide bounds: compare the rows of one "
            "network with and without looks."
        ],
    )


def figure_6a(studio: Studio) -> Derived:
    """What draws buy."""
    runs = [run for run in studio.shown if not run.stops]
    pictures, rows = [], []
    for run in runs:
        view = run.views["multinomial"]
        pictures += studio.draw(
            "fig6a-draws",
            [view],
            run.label,
            "Share of images with a radius above 0.05 against the draws each, of hard "
            "votes.",
        )
        table = analysis.against_draws(view.by_draws or [])
        for name in (BASELINE, "ensemble"):
            own = table[table["mechanism"] == name]
            first, last = own.iloc[0], own.iloc[-1]
            rows.append(
                {
                    "run": run.label,
                    "mechanism": name,
                    "fewest draws": int(first["draws"]),
                    "above 0.05 there %": float(first["above_0.05"]),
                    "most draws": int(last["draws"]),
                    "above 0.05 there, then %": float(last["above_0.05"]),
                }
            )
    frame = pd.DataFrame(rows)
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours=_more_draws(frame) if runs else "No run of a fixed number of draws.",
        pictures=pictures,
        tables=[Table(title=f"Radius above {RADIUS_OF_INTEREST:g}", frame=frame)],
        notes=["Runs by looks are left out: their images have unequal draws."],
    )


def figure_6b(studio: Studio) -> Derived:
    """What everything costs."""
    runs = [run for run in studio.shown if not run.stops] or studio.shown
    pictures, rows, slowest, least = [], [], 0.0, np.inf
    for run in runs:
        view = run.views["multinomial"]
        pictures += studio.draw(
            "fig6b-times",
            [view],
            run.label,
            "Seconds an image against the draws each, both on logarithmic scales. The "
            f"draws' when they were made ({run.manifest.device}); all else now, here.",
        )
        table = analysis.times([view.certificates], mechanism=view.mechanism)
        seconds = dict(zip(table["step"], table["seconds_per_image"], strict=True))
        spent = {step: float(each) for step, each in seconds.items()}
        rows.append(
            {"run": run.label} | {step: f"{s:.2g}" for step, s in spent.items()}
        )
        least = min(least, spent.pop("draws", np.inf))
        spent.pop("bounds")
        slowest = max(slowest, *spent.values())
    if not rows:
        return Derived(verdict=MISSING, ours="No run is committed.")
    ours = f"at most {slowest:.1g} s a mechanism an image"
    return Derived(
        verdict=DIFFERS,
        ours=f"{ours.capitalize()}, on one core: {SECONDS / slowest:,.0f} times less. "
        f"The draws take {least:.2g} s an image or more, so that they "
        "are what costs.",
        differs="The solver and the machine. Timed anew whenever this page is made.",
        numbers=[("seconds a mechanism an image", f"about {SECONDS:g}", ours)],
        pictures=pictures,
        tables=[Table(title="Seconds an image", frame=pd.DataFrame(rows))],
    )


def figure_7(studio: Studio) -> Derived:
    """How many images gain how much."""
    runs = [run for run in studio.shown if run.views["multinomial"].improvable]
    rows: list[dict[str, Any]] = []
    for run in runs:
        table = analysis.improvement_survival(run.hard, GAINS)
        own = table[table["mechanism"] == "ensemble"]
        count = int((run.hard.radii[BASELINE] > 0).sum())
        rows.append(
            {"run": run.label, "images": count}
            | {
                f"by more than {percents:g} %, share %": float(share)
                for percents, share in zip(own["percent"], own["share"], strict=True)
            }
        )
    gained = {
        run.label: float(row["by more than 20 %, share %"])
        for run, row in zip(runs, rows, strict=True)
    }
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours="Of the images that cohen certifies the ensemble gains more than 20 % on "
        f"{reach(gained)}.",
        differs=_without_photographs(studio),
        pictures=_each(
            studio,
            "fig7-improvement",
            runs,
            "multinomial",
            "Share of the images that cohen certifies, whose radius each mechanism "
            "enlarges by more than so many per cent.",
        ),
        tables=[Table(title="Enlarged by the ensemble", frame=pd.DataFrame(rows))],
    )


def figure_8(studio: Studio) -> Derived:
    """Certified accuracy, a curve a mechanism."""
    runs = studio.shown
    rows: list[dict[str, Any]] = []
    for run in runs:
        table = analysis.certified_accuracy(run.hard, [0.0])
        table = table.set_index("mechanism")
        first, best = (
            float(table["share"].get(name, np.nan)) for name in (BASELINE, "ensemble")
        )
        rows.append({"run": run.label, "cohen %": first, "ensemble %": best})
    gaps = {
        str(row["run"]): float(row["ensemble %"]) - float(row["cohen %"])
        for row in rows
    }
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours="At radius 0 the ensemble certifies more than cohen, which needs E0 > "
        f"1/2: by {reach(gaps, unit='points')}.",
        pictures=_each(
            studio,
            "fig4-accuracy",
            runs,
            "multinomial",
            "Certified accuracy of each mechanism against the l2 radius in pixels of "
            "[0, 1], hard votes; bands: exact 95 % over images.",
        ),
        tables=[Table(title="At radius 0", frame=pd.DataFrame(rows))],
    )


def on_simplex(studio: Studio, *, framework: str) -> Derived:
    """Each image where its bounds are."""
    runs = [run for run in studio.cifar10 if framework in run.views]
    where = {
        run.label: regions(run.views[framework].certificates)["cullen"] / len(run.hard)
        for run in runs
    }
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours=f"Of {FRAMEWORKS[framework]} cullen's region has {reach(where)}.",
        pictures=_each(
            studio,
            "fig5-images",
            runs,
            framework,
            "Each image at its bounds, E0 from below to the right, E1 from above "
            f"upwards; its colour is the mechanism with the largest radius. "
            f"{FRAMEWORKS[framework].capitalize()}.",
        ),
        tables=[
            Table(
                title=f"Share of all images, {FRAMEWORKS[framework]}",
                frame=region_table(runs, framework),
            )
        ],
    )


def table_1(studio: Studio) -> Derived:
    """The paper's Table 1, of every run of its own experiments."""
    tables = []
    for framework, votes in FRAMEWORKS.items():
        frames = [
            _table1(run, framework) for run in studio.own if framework in run.views
        ]
        if frames:
            frame = pd.concat(frames, ignore_index=True)
            tables.append(Table(title=votes.capitalize(), frame=frame))
    return Derived(
        verdict=UNSAID if tables else MISSING,
        ours=f"Top-1 of the smoothed classifier: {_by_data(studio, _top1)}.",
        differs=_without_photographs(studio),
        tables=tables,
        notes=[
            "M: over all images, right or wrong. L: of the paper's mechanisms only; "
            "equal radii share the image. Of runs by looks M, L and the share above "
            "0.05 are of images that stopped when the run's radii were decided."
        ],
    )


def region_table(
    runs: Sequence[Committed], framework: str = "multinomial"
) -> pd.DataFrame:
    """Share of all images in each mechanism's region, with cullen's interval."""
    rows = []
    for run in runs:
        if framework not in run.views:
            continue
        counts, total = regions(run.views[framework].certificates), len(run.hard)
        low, high = interval(counts["cullen"], total)
        rows.append(
            {"run": run.label, "data": run.data, "images": total}
            | {f"{name} %": count / total for name, count in counts.items()}
            | {"cullen, lower %": low, "cullen, upper %": high}
        )
    return pd.DataFrame(rows)


PLACES: dict[str, Callable[[Studio], Derived]] = {
    "figure-4": figure_4,
    "figure-5": figure_5,
    "figure-6a": figure_6a,
    "figure-6b": figure_6b,
    "figure-7": figure_7,
    "figure-8": figure_8,
    "figure-9": partial(on_simplex, framework="multinomial"),
    "figure-10": partial(on_simplex, framework="softmax"),
    "table-1": table_1,
}
"""What derives each."""


def _each(
    studio: Studio,
    figure: str,
    runs: Sequence[Committed],
    framework: str,
    caption: str,
) -> list[Picture]:
    return [
        picture
        for run in runs
        if framework in run.views
        for picture in studio.draw(figure, [run.views[framework]], run.label, caption)
    ]


def _table1(run: Committed, framework: str) -> pd.DataFrame:
    table = analysis.table1(run.views[framework].certificates)
    return pd.DataFrame(
        {
            "run": run.label,
            "mechanism": table["mechanism"],
            "top-1 %": table["top1"],
            "median radius (M)": table["median_radius"],
            "largest (L) %": table["largest"],
            "above 0.05 %": table["above_0.05"],
        }
    )


def _top1(run: Committed) -> float:
    return float(analysis.table1(run.hard)["top1"].iloc[0])


def _accuracies(run: Committed, radii: Sequence[float]) -> dict[float, float]:
    table = analysis.certified_accuracy(run.hard, list(radii))
    own = table[table["mechanism"] == "ensemble"]["share"]
    return dict(zip(radii, map(float, own), strict=True))


def _in_region(run: Committed, name: str) -> float:
    return regions(run.hard)[name] / len(run.hard)


def _by_data(studio: Studio, share: Callable[[Committed], float]) -> str:
    """From which to which share the drawn runs of each data set go."""
    said = []
    for data in dict.fromkeys(run.data for run in studio.shown):
        shares = {run.label: share(run) for run in studio.of(data)}
        said.append(f"{reach(shares)} of {data}")
    return "; ".join(said) or "of no run"


def _more_draws(frame: pd.DataFrame) -> str:
    own = frame[frame["mechanism"] == "ensemble"]
    last = own.iloc[-1]
    base = frame[(frame["mechanism"] == BASELINE) & (frame["run"] == last["run"])]
    return (
        f"{last['run']}: from {last['fewest draws']:,} to {last['most draws']:,} draws "
        f"the ensemble's share rises from {percent(last['above 0.05 there %'])} to "
        f"{percent(last['above 0.05 there, then %'])} %. The ensemble instead of cohen "
        f"raises it from {percent(base['above 0.05 there, then %'].iloc[0])} % at "
        f"{last['most draws']:,} draws."
    )


def _named(runs: Sequence[Committed]) -> str:
    return "; ".join(run.label for run in runs)


def _without_photographs(studio: Studio) -> str:
    if studio.imagenet:
        return (
            "1,000 classes stand for ImageNet: "
            f"{_named(studio.imagenet)}, which never saw noise in training where the "
            "table of runs says so."
        )
    return PHOTOGRAPHS if studio.of(CIFAR10) else "No run is committed yet."
