"""What a verifier proved of the base classifier, as a section of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from simplicert.analysis import Beside, beside
from simplicert.analysis.beside import OUTCOMES
from simplicert.certificates.record import ABSTAIN
from simplicert.interop import Verified
from simplicert.report.content import shown_rows
from simplicert.report.run import ReportRun
from simplicert.rounding import round_down

__all__ = ["BesideSection", "beside_sections"]


@dataclass(frozen=True, kw_only=True)
class BesideSection:
    """One run and what was proved of its base classifier, as text.

    Attributes:
        name: The run's.
        about: What each side's radii are about: ``smoothed`` and ``base``.
        quantity: What the shares are of.
        accuracy: A row for the mean radius and one for each radius: what it is, of the
            smoothed classifier and of the base.
        summary: By outcome, images and their share in per cent, as numbers.
        columns: Of ``rows``: a title, and whether it is of numbers.
        rows: One an image that is listed.
        more: How many images are not.
        notes: What a reader should know.
        plot: What the script draws.
    """

    name: str
    about: dict[str, str]
    quantity: str
    accuracy: list[tuple[str, str, str]]
    summary: list[tuple[str, int, float]]
    columns: list[tuple[str, bool]]
    rows: list[list[str]]
    more: int
    notes: tuple[str, ...]
    plot: dict[str, Any]


def beside_sections(
    runs: Sequence[ReportRun],
    radii: Float[np.ndarray, " points"],
    *,
    most_images: int,
) -> list[BesideSection]:
    """A section for each run that has a verifier's results; none for others.

    Of the run's first certificates, by the mechanism that the page opens with.
    """
    return [
        _section(run, run.verified, place, radii=radii, most=most_images)
        for place, run in enumerate(runs)
        if run.verified is not None
    ]


def _section(
    run: ReportRun,
    verified: Verified,
    place: int,
    *,
    radii: Float[np.ndarray, " points"],
    most: int,
) -> BesideSection:
    both = beside(run.certificates[0], verified)
    listed = shown_rows(both.certificates, most)
    return BesideSection(
        name=run.name,
        about=both.about,
        quantity=both.quantity,
        accuracy=_accuracy(both.accuracy(radii)),
        summary=[
            (said, images, round(100 * share, 2))
            for said, images, share in both.summary().itertuples(index=False)
        ],
        **_images(both, run, listed),
        more=len(both.certificates) - len(listed),
        notes=both.notes,
        plot=_plot(both, place, listed),
    )


def _accuracy(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """The table turned, its numbers rounded down."""
    rows = []
    for place, name in enumerate(table.columns[1:]):
        said = f"to radius ≥ {name}" if place else name.replace("_", " ")
        smoothed, base = map(_percent if place else _radius, table[name])
        rows.append((said, smoothed, base))
    return rows


def _images(both: Beside, run: ReportRun, listed: np.ndarray) -> dict[str, Any]:
    """The table of images, with classes by name."""
    names = run.class_names

    def named(index: int) -> str:
        if index == ABSTAIN:
            return "–"
        return names[index] if names else str(index)

    one = both.certificates.inputs.removesuffix("s")
    says: dict[str, tuple[str, bool, Callable[[Any], str]]] = {
        "image": (one, False, str),
        "label": ("label", False, named),
        "smoothed_class": ("g: class", False, named),
        "smoothed_radius": ("g: radius", True, _radius),
        "base_class": ("f: class", False, named),
        "base_radius": ("f: radius", True, _radius),
        "base_verdict": ("f: verdict", False, str),
        "base_radius_upper": ("f: changes within", True, _distance),
        "base_seconds": ("f: seconds", True, lambda seconds: f"{seconds:.2f}"),
    }
    table = both.table().iloc[listed]
    shown = [name for name in says if name in table]
    return {
        "columns": [says[name][:2] for name in shown],
        "rows": [
            [says[name][2](value) for name, value in zip(shown, row, strict=True)]
            for row in table[shown].itertuples(index=False)
        ],
    }


def _plot(both: Beside, place: int, listed: np.ndarray) -> dict[str, Any]:
    """Both radii of each image listed, and which of them count."""
    ours, theirs = both.certificates, both.verified
    smoothed, base = (radius[listed] > 0 for radius in both.counted.values())
    kinds = np.select([smoothed & base, smoothed, base], OUTCOMES[:3], OUTCOMES[3])
    radius = ours.in_words("radius")
    certainty = f"alpha {ours.alpha:g}" if not ours.asymptotic else "no guarantee"
    return {
        "run": place,
        "image": ours.indices[listed].tolist(),
        "smoothed": ours.radius[listed].tolist(),
        "base": theirs.radius[listed].tolist(),
        "kind": kinds.tolist(),
        "kinds": list(OUTCOMES),
        "right": both.by_label,
        "axes": {
            "smoothed": f"g, smoothed: {radius} ({certainty})",
            "base": f"f, base: {radius} (proved)",
        },
    }


def _radius(radius: float) -> str:
    return f"{round_down(radius, 4):.4f}"


def _distance(radius: float) -> str:
    return "–" if np.isnan(radius) else f"{-round_down(-radius, 4):.4f}"


def _percent(share: float) -> str:
    return f"{100 * round_down(share, 3):.1f} %"
