"""Runs that stopped their images → where their draws went, as the page says it."""

from collections.abc import Sequence
from dataclasses import dataclass

from simplicert.analysis import spending, stops
from simplicert.certificates import Certificates
from simplicert.report.run import STOPS, ReportRun
from simplicert.rounding import round_down

__all__ = ["AtLook", "Spent", "spent_by"]


@dataclass(frozen=True, kw_only=True)
class AtLook:
    """The images that stopped at one look, as text; and the lengths of two bars.

    Attributes:
        draws: Of each image that stops there.
        share: Of alpha.
        images: How many.
        spent: Their draws together.
        of_images: Percent of all images.
        of_spent: Percent of all draws.
    """

    draws: str
    share: str
    images: str
    spent: str
    of_images: float
    of_spent: float


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Where the draws of one run went.

    Attributes:
        name: The run's.
        says: What stopped its images, and what it cost, in sentences.
        looks: One row a look.
    """

    name: str
    says: Sequence[str]
    looks: Sequence[AtLook]


def spent_by(runs: Sequence[ReportRun]) -> list[Spent]:
    """Of each run that stopped its images: all its procedures had the same draws."""
    return [_spent(run) for run in runs if run.certificates[0].stops_early]


def _spent(run: ReportRun) -> Spent:
    certificates = run.certificates[0]
    when, one = run.facts.get(STOPS), certificates.inputs.removesuffix("s")
    notes = certificates.source.get("notes", "").splitlines()
    table = stops(certificates)
    images, draws = table["images"].sum(), table["spent"].sum()
    return Spent(
        name=run.name,
        says=[
            *([f"An {one} stops when {when}."] if when else []),
            _cost(certificates),
            *(f"{note[:1].upper()}{note[1:]}." for note in notes if note),
        ],
        looks=[
            AtLook(
                draws=f"{row['draws']:,}",
                share=f"{row['share_of_alpha']:.3g}",
                images=f"{row['images']:,}",
                spent=f"{row['spent']:,}",
                of_images=round(100 * row["images"] / images, 2),
                of_spent=round(100 * row["spent"] / draws, 2),
            )
            for row in table.to_dict("records")
        ],
    )


def _cost(certificates: Certificates) -> str:
    [cost] = spending(certificates).to_dict("records")
    decided, inputs = "", certificates.inputs
    if certificates.decided is not None:
        decided = f"{cost['decided']:,} of {cost['images']:,} {inputs} are decided. "
    times = float(round_down(cost["fewer_by"], 1))
    last = certificates.looks[-1].draws
    return (
        f"{decided}The {inputs} took {cost['spent']:,} draws, {cost['draws']:,.1f} "
        f"each on average. {last:,} for each, the last look, would have been "
        f"{cost['fixed']:,}: {times:g} times as many."
    )
