"""Two runs on the same images, image by image."""

import numpy as np
import pandas as pd

from simplicert.analysis.accuracy import counted_radius
from simplicert.analysis.signed_rank import signed_rank
from simplicert.analysis.tables import TIE
from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.noises import in_norm
from simplicert.units import in_unit

__all__ = ["compare_runs", "comparison_summary", "paired_tests"]

OUTCOMES = ("gained", "larger", "equal", "smaller", "lost", "neither")
"""From best to worst, and last the images that neither run certifies."""


def compare_runs(before: Certificates, after: Certificates) -> pd.DataFrame:
    """Which images gained and which lost between two runs, and where they moved.

    Each run by its own chosen mechanism. An image's radius counts where the class is
    right, and without labels wherever it is certified. Radii that agree to one part in
    10⁹ are equal. Sigma, noise, draws, alpha and mechanism may differ: they are what
    one compares; the norm, data set, images, classes and labels may not. (The data set
    of imported votes is not known, and not compared.)

    Returns:
        One row an image, in the order of ``before``: ``image``, ``label`` (if known),
        ``outcome`` (``gained``: not certified before; ``lost``: not certified after;
        ``larger``, ``smaller``, ``equal``; ``neither``), ``predicted_before``,
        ``predicted_after``, ``radius_before``, ``radius_after``, ``change``,
        ``e0_before_lower``, ``e1_before_upper``, ``e0_after_lower``,
        ``e1_after_upper``; where one run stopped its images ``draws_before`` and
        ``draws_after``; and the facts of both, ``sigma_before`` to ``alpha_after``.

    Raises:
        InputError: The two are of other norms, data, images, classes or labels.
    """
    _check_same_data(before, after)
    order = _order(before, after)
    _check_same(before, after, order)
    old = counted_radius(before, before.mechanism)
    new = counted_radius(after, after.mechanism)[order]
    change = new - old
    change[np.abs(change) <= TIE * np.maximum(old, new)] = 0.0
    columns: dict[str, np.ndarray] = {"image": before.indices}
    if before.labels is not None and after.labels is not None:
        columns["label"] = before.labels
    columns |= {
        "outcome": np.select(
            [
                (old == 0) & (new == 0),
                old == 0,
                new == 0,
                change > 0,
                change < 0,
            ],
            ["neither", "gained", "lost", "larger", "smaller"],
            default="equal",
        ),
        "predicted_before": before.predicted,
        "predicted_after": after.predicted[order],
        "radius_before": old,
        "radius_after": new,
        "change": change,
        "e0_before_lower": before.e0_lower,
        "e1_before_upper": before.e1_upper,
        "e0_after_lower": after.e0_lower[order],
        "e1_after_upper": after.e1_upper[order],
    }
    if before.stops_early or after.stops_early:
        columns |= {"draws_before": before.draws, "draws_after": after.draws[order]}
    facts = {
        f"{fact}_{when}": value
        for when, run in {"before": before, "after": after}.items()
        for fact, value in run.facts.items()
    }
    return pd.DataFrame(columns).assign(**facts)


def comparison_summary(comparison: pd.DataFrame) -> pd.DataFrame:
    """What happened to how many images, and how far they moved on average.

    Args:
        comparison: What ``compare_runs`` returned.

    Returns:
        One row an outcome, also those that did not happen: ``outcome``, ``images``,
        ``share``, ``mean_change``, ``mean_e0_move``, ``mean_e1_move`` (NaN of none).
    """
    rows = []
    for outcome in OUTCOMES:
        here = comparison[comparison["outcome"] == outcome]
        rows.append(
            {
                "outcome": outcome,
                "images": len(here),
                "share": len(here) / max(len(comparison), 1),
                "mean_change": here["change"].mean(),
                "mean_e0_move": _moved(here, "e0_{}_lower"),
                "mean_e1_move": _moved(here, "e1_{}_upper"),
            }
        )
    return pd.DataFrame(rows)


def _moved(rows: pd.DataFrame, bound: str) -> float:
    before, after = (rows[bound.format(when)] for when in ("before", "after"))
    return float((after - before).mean())


def paired_tests(comparison: pd.DataFrame) -> pd.DataFrame:
    """Whether the second run is better or worse than chance explains, in two ways.

    McNemar's exact test of gained against lost images (does it certify *more*), and the
    Wilcoxon signed-rank test of the radii (does it certify *further*), which ranks
    zeros as Pratt does, and is exact as far as ``table2``'s. Both two-sided.

    Returns:
        One row: ``images``, ``gained``, ``lost``, ``mcnemar_p``, ``mean_change``,
        ``median_change``, ``wilcoxon_p``. A p-value is 1 where nothing differs.
    """
    from scipy.stats import binomtest  # noqa: PLC0415  # 0.7 s

    gained = int((comparison["outcome"] == "gained").sum())
    lost = int((comparison["outcome"] == "lost").sum())
    change = comparison["change"].to_numpy()
    row = {
        "images": len(comparison),
        "gained": gained,
        "lost": lost,
        "mcnemar_p": (
            float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
        ),
        "mean_change": change.mean() if len(change) else float("nan"),
        "median_change": float(np.median(change)) if len(change) else float("nan"),
        "wilcoxon_p": min(
            1.0, 2.0 * min(signed_rank(signed)[1] for signed in (change, -change))
        ),
    }
    return pd.DataFrame([row])


def _check_same_data(before: Certificates, after: Certificates) -> None:
    first, second = (c.source.get("data digest") for c in (before, after))
    if first and second and first != second:
        raise InputError(
            "the two runs are of different data sets, so equal indices are not equal "
            f"images: {before.source.get('data', 'the first')} (digest {first[:12]}) "
            f"and {after.source.get('data', 'the second')} (digest {second[:12]})"
        )


def _order(before: Certificates, after: Certificates) -> np.ndarray:
    """Positions in ``after`` of the images of ``before``."""
    missing = np.setdiff1d(before.indices, after.indices)
    extra = np.setdiff1d(after.indices, before.indices)
    if len(missing) or len(extra):
        raise InputError(
            f"the two runs are of other images: {len(missing)} only in the first and "
            f"{len(extra)} only in the second "
            f"(image {np.concatenate([missing, extra])[0]} is one). "
            "Sample both with the same selection of images"
        )
    position = np.argsort(after.indices)
    return position[np.searchsorted(after.indices, before.indices, sorter=position)]


def _check_same(before: Certificates, after: Certificates, order: np.ndarray) -> None:
    if before.unit and after.unit and before.unit != after.unit:
        raise InputError(
            f"the first run's radii are in {before.unit.name} and the second's in "
            f"{after.unit.name}, of other scales: they are no distances of one kind"
        )
    if (said := in_unit(before.unit) or in_unit(after.unit)) and not (
        before.unit and after.unit
    ):
        raise InputError(
            f"one run's radii are{said}, and nobody knows what the other's are in, "
            "which was imported: they may be no distances of one kind"
        )
    if before.norm != after.norm:
        raise InputError(
            f"the first run's radii are of {in_norm(before.norm, 'balls')} and the "
            f"second's of {in_norm(after.norm, 'balls')}: they are no distances of one "
            "kind"
        )
    if before.classes != after.classes:
        raise InputError(
            f"the two runs have {before.classes} and {after.classes} classes: "
            "they are not of the same task"
        )
    if (before.labels is None) != (after.labels is None):
        raise InputError(
            "one run has labels and the other has none, so their radii do not mean the "
            "same: import or sample both with labels, or both without"
        )
    if before.labels is not None and after.labels is not None:
        differ = before.labels != after.labels[order]
        if differ.any():
            raise InputError(
                f"{int(differ.sum())} images have another label in the second run "
                f"(image {before.indices[int(np.argmax(differ))]} is one): "
                "they are not the same data set"
            )
