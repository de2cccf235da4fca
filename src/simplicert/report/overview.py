"""Runs → the parts of the page that need no script: claims, facts, Table 1."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from simplicert.analysis import accuracy_at, false_certificates, table1
from simplicert.analysis.accuracy import average_name
from simplicert.certificates.record import REPORTED, Certificates
from simplicert.procedures.protocol import NO_GUARANTEE
from simplicert.report.run import MISSING, STOPS, ReportRun
from simplicert.report.units import distance, units_said
from simplicert.rounding import round_down
from simplicert.units import in_unit

__all__ = [
    "Overview",
    "TableGroup",
    "conditions",
    "fact_rows",
    "origins",
    "overview",
    "table_groups",
]

FAILURE = 0.001
"""Probability with which the promise about a whole run may be wrong."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What was certified, in sentences.

    Attributes:
        claim: Of which inputs, by whom, under which noise.
        input: What one of them is called, on a page of several runs.
        alpha: Every alpha on the page.
        balls: How far the radii reach.
        noise: What was added to the inputs.
        units: In which unit sigma and radii are; nothing, of pixels.
        table_promise: What alpha means for all inputs of a run.
        reported: The runs of which no votes are known, or "".
        printed: Whether there are radii as a log printed them.
        asymptotic: A sentence for each procedure that guarantees nothing, or "".
        promises: Whether anything else is on the page.
    """

    claim: str
    input: str
    alpha: str
    balls: str
    noise: str
    units: list[str]
    table_promise: str
    reported: str
    printed: bool
    asymptotic: str
    promises: bool


@dataclass(frozen=True, kw_only=True)
class TableGroup:
    """Table 1 of one run in one framework.

    Attributes:
        view: Which run and framework, as the script numbers them.
        title: Those, and what every number in it rests on.
        rows: A mechanism's name and five cells.
        accuracy: As ``accuracy_at``: a name, and its average radius and a
            share for each radius.
    """

    view: str
    title: str
    rows: list[tuple[str, list[str]]]
    accuracy: list[tuple[str, list[str]]]


def overview(runs: Sequence[ReportRun]) -> Overview:
    """The page's first sentences, about all of its runs."""
    every = [c for run in runs for c in run.certificates]
    images = max(c.chosen_from or len(c) for c in every)
    false = false_certificates(
        images, alpha=max(c.alpha for c in every), failure=FAILURE
    )
    data = _each(run.facts.get("data", "") for run in runs)
    model = _each(run.facts.get("model", "") for run in runs)
    inputs = "images" if {c.inputs for c in every} == {"images"} else "inputs"
    one = inputs.removesuffix("s")
    return Overview(
        input=one,
        claim=f"{_each(f'{len(c):,}' for c in every)} {inputs if images > 1 else one}"
        + (f" of {data}" if data else "")
        + (f", classified by {model}" if model else "")
        + f", under {_each(c.noise.name for c in every)} noise of sigma = "
        f"{_each(_sigma(c) for c in every)}: "
        f"{_each(_draws(c) for c in every)} noisy draws an {one}.",
        alpha=_each(str(c.alpha) for c in every),
        balls=_each(map(distance, every)),
        noise=_each(c.noise.name for c in every),
        units=units_said(runs),
        table_promise=f"Of the certificates of {images:,} {inputs} some may be false: "
        f"with probability {1 - FAILURE:.1%}, at most {false:,} of a run's.",
        reported=_each(
            run.name for run in runs if REPORTED in run.certificates[0].radii
        ),
        printed=any(c.printed is not None for c in every),
        asymptotic=" ".join(
            f"{name} {NO_GUARANTEE}."
            for name in dict.fromkeys(c.procedure for c in every if c.asymptotic)
        ),
        promises=not all(c.asymptotic for c in every),
    )


def fact_rows(columns: Sequence[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    """Facts about each run → rows of a table: a name, and a text for each run."""
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, [column.get(name, "–") for column in columns]) for name in names]


def table_groups(
    runs: Sequence[ReportRun], radii: Float[np.ndarray, " points"]
) -> list[TableGroup]:
    """What each mechanism certifies of each run and framework, as text, rounded down.

    The paper's Table 1, and the certified accuracy at some radii.
    """
    return [
        TableGroup(
            view=f"{i}-{j}",
            title=_title(run, certificates),
            rows=[
                (
                    row["mechanism"],
                    [
                        _percent(row["top1"]),
                        _radius(row["median_radius"]),
                        _radius(row[average_name(certificates)]),
                        _percent(row["largest"]),
                        _percent(row["above_0.05"]),
                    ],
                )
                for row in table1(certificates).to_dict("records")
            ],
            accuracy=[
                (name, [_radius(average), *map(_percent, shares)])
                for name, average, *shares in accuracy_at(
                    certificates, radii
                ).itertuples(index=False)
            ],
        )
        for i, run in enumerate(runs)
        for j, certificates in enumerate(run.certificates)
    ]


def _title(run: ReportRun, certificates: Certificates) -> str:
    return (
        f"{run.name}: {certificates.label}, {certificates.noise.name} noise, "
        f"sigma = {certificates.sigma:g}, {certificates.in_words('radii')}, "
        f"alpha = {certificates.alpha}, "
        f"n = {_draws(certificates)}, {len(certificates):,} {certificates.inputs}, "
        f"digest {run.digest[:12]}"
    )


def conditions(run: ReportRun) -> dict[str, str]:
    """What a run's certificates rest on."""
    first = run.certificates[0]
    return {
        "noise": f"{first.noise.name}, for {first.in_words('balls')}",
        "taken for granted": first.noise.assumes or "nothing of the noise",
        "sigma": _sigma(first),
        first.inputs: f"{len(first):,}",
        "labels": "none, so no accuracy" if first.labels is None else "known",
        "classes": f"{first.classes:,}",
        f"draws an {first.inputs.removesuffix('s')}": _draws(first),
        "looks": "; ".join(
            f"{look.draws:,} draws ({look.share:g} of alpha)" for look in first.looks
        )
        if len(first.looks) > 1
        else "one, fixed before the first draw",
        f"alpha an {first.inputs.removesuffix('s')}": _each(
            str(c.alpha) for c in run.certificates
        ),
        "framework": _each(c.framework for c in run.certificates),
        "procedure": _each(c.by for c in run.certificates),
        "abstains": _each(
            f"{(c.radius == 0).sum():,} ({c.label})" for c in run.certificates
        ),
        f"digest of the {'log' if 'log' in run.facts else 'votes'}": run.digest,
        **{name: text for name, text in run.facts.items() if name == MISSING},
    }


def origins(run: ReportRun) -> dict[str, str]:
    """What else is known of a run: its model, its data, its versions."""
    return {
        name: text for name, text in run.facts.items() if name not in {MISSING, STOPS}
    }


def _each(values: Iterable[str]) -> str:
    """The values that are not empty, each once: "a, b and c"."""
    *others, last = [value for value in dict.fromkeys(values) if value] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _draws(certificates: Certificates) -> str:
    low, high = certificates.draws.min(), certificates.draws.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _sigma(certificates: Certificates) -> str:
    return f"{certificates.sigma:g}{in_unit(certificates.unit)}"


def _radius(radius: float) -> str:
    return f"{round_down(radius, 4):.4f}"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * round_down(share, 3):.1f} %"
