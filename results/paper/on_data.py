"""Figures 4 to 10 and Table 1, of the committed runs."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from committed import CIFAR10, Committed, regions
from shares import interval, percent, span
from studio import AGREES, DIFFERS, MISSING, UNSAID, Derived, Picture, Studio, Table

from simplicert import analysis
from simplicert.paper import BASELINE, RADIUS_OF_INTEREST

__all__ = ["PLACES", "region_table"]

FRAMEWORKS = {"multinomial": "hard votes", "softmax": "soft votes"}
GAINS = np.array([0.0, 20.0, 100.0])
SECONDS = 0.1
"""What the paper gives a mechanism an image."""

PHOTOGRAPHS = (
    "No run of 1,000 classes is committed yet, so that what the paper shows of ImageNet "
    "is shown of CIFAR-10 alone."
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
                "Certified accuracy against the l2 radius in pixels of [0, 1], each run "
                "by neyman_pearson; bands: exact 95 % over images. "
                f"Runs: {_named(runs)}.",
            )
    at = _accuracies(studio.cifar10, [0.0, 0.5])
    return Derived(
        verdict=UNSAID if studio.shown else MISSING,
        ours="Larger sigmas certify fewer images at radius 0 and more at large radii: "
        f"{at}.",
        differs=_without_photographs(studio),
        pictures=pictures,
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
        ours=f"In cullen's region: {_in_region(runs, 'cullen')}. "
        f"In cohen's: {_in_region(runs, 'cohen')}.",
        differs=_without_photographs(studio),
        pictures=pictures,
        tables=[Table(title="Share of all images", frame=region_table(studio.own))],
        notes=[
            "A point is where an image's bounds are, not its expectations: fewer draws "
            "move it towards E0 + E1 = 1, which is cohen's. An image that stopped early "
            "has few draws, so that runs by looks have more in cohen's region and in "
            "none."
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
    pictures, frames = [], []
    for run in runs:
        view = run.views["multinomial"]
        pictures += studio.draw(
            "fig6b-times",
            [view],
            run.label,
            "Seconds an image against the draws each, both on logarithmic scales. The "
            f"draws' when they were made ({run.manifest.device}); all else now, here.",
        )
        table = analysis.times(
            [view.certificates], mechanism=view.mechanism, repeats=1
        ).rename(columns={"seconds_per_image": "seconds an image"})
        frames.append(table[["step", "seconds an image"]].assign(run=run.label))
    if not frames:
        return Derived(verdict=MISSING, ours="No run is committed.")
    frame = pd.concat(frames, ignore_index=True)
    steps = frame[~frame["step"].isin(["draws", "bounds"])]
    slowest = float(steps["seconds an image"].max())
    return Derived(
        verdict=AGREES if slowest < SECONDS else DIFFERS,
        ours=f"Any mechanism takes at most {slowest:.2g} s an image here, on one core: "
        f"{SECONDS / slowest:,.0f} times less than the paper gives; the draws take "
        "seconds on a CPU core.",
        differs="The solver and the machine. Timed anew whenever this page is made.",
        pictures=pictures,
        tables=[Table(title="Seconds an image", frame=frame[["run", "step", "seconds an image"]])],
    )


def figure_7(studio: Studio) -> Derived:
    """How many images gain how much."""
    runs = [run for run in studio.shown if run.views["multinomial"].improvable]
    rows = []
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
    more = "; ".join(
        f"{percent(row['by more than 20 %, share %'])} % ({row['run']})"  # type: ignore[arg-type]
        for row in rows
    )
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours=f"The ensemble gains more than 20 % on {more}, of the images that cohen "
        "certifies.",
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
    runs, rows = studio.shown, []
    for run in runs:
        table = analysis.certified_accuracy(run.hard, [0.0])
        table = table.set_index("mechanism")
        first, best = (
            float(table["share"].get(name, np.nan)) for name in (BASELINE, "ensemble")
        )
        rows.append({"run": run.label, "cohen %": first, "ensemble %": best})
    gaps = "; ".join(
        f"{percent(row['cohen %'])} against {percent(row['ensemble %'])} % "  # type: ignore[arg-type]
        f"({row['run']})"
        for row in rows
    )
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours="The ensemble follows cullen at small radii and cohen at large ones. At "
        f"radius 0, cohen against the ensemble: {gaps}.",
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
    where = "; ".join(
        f"{percent(regions(run.views[framework].certificates)['cullen'] / len(run.hard))}"
        f" % ({run.label})"
        for run in runs
    )
    return Derived(
        verdict=UNSAID if runs else MISSING,
        ours=f"Of {FRAMEWORKS[framework]} cullen's region has {where}.",
        pictures=_each(
            studio,
            "fig5-images",
            runs,
            framework,
            "Each image at its bounds, E0 from below to the right, E1 from above upwards; "
            f"its colour is the mechanism with the largest radius. "
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
    tops = "; ".join(
        f"{percent(_top1(run))} % ({run.label})" for run in studio.shown
    )
    return Derived(
        verdict=UNSAID if tables else MISSING,
        ours=f"Top-1 of the smoothed classifier: {tops}.",
        differs=_without_photographs(studio),
        tables=tables,
        notes=[
            "M: over all images, right or wrong. L: of the paper's mechanisms only; equal "
            "radii share the image. Of runs by looks M, L and the share above 0.05 are of "
            "images that stopped when the run's radii were decided."
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


def _accuracies(runs: Sequence[Committed], radii: list[float]) -> str:
    said = []
    for run in runs:
        table = analysis.certified_accuracy(run.hard, radii)
        own = table[table["mechanism"] == "neyman_pearson"]["share"]
        shares = " and ".join(f"{percent(float(share))} %" for share in own)
        said.append(f"{shares} at radius {' and '.join(f'{r:g}' for r in radii)} ({run.label})")
    return "; ".join(said) or "no run is committed"


def _in_region(runs: Sequence[Committed], name: str) -> str:
    said = []
    for run in runs:
        count, total = regions(run.hard)[name], len(run.hard)
        said.append(f"{percent(count / total)} % ({run.label}; {span(count, total)})")
    return "; ".join(said) or "no run is committed"


def _more_draws(frame: pd.DataFrame) -> str:
    own = frame[frame["mechanism"] == "ensemble"]
    last = own.iloc[-1]
    base = frame[(frame["mechanism"] == BASELINE) & (frame["run"] == last["run"])]
    return (
        f"{last['run']}: from {last['fewest draws']:,} to {last['most draws']:,} draws the "
        f"ensemble's share rises from {percent(last['above 0.05 there %'])} to "
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
