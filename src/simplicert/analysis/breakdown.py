"""Where the certified accuracy goes: abstentions by reason, and class by class."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from simplicert.analysis.accuracy import counted_radius, hits, top_right
from simplicert.certificates.record import Certificates

__all__ = ["abstentions", "per_class"]


def abstentions(certificates: Certificates) -> pd.DataFrame:
    """How often each mechanism names no class, and why.

    Returns:
        One row a mechanism and reason: ``mechanism``, ``reason``, ``images``,
        ``share``. The reasons are those of ``Certificates.abstention``, and
        ``"certified"``; every image has one of them.
    """
    rows = []
    for mechanism in certificates.radii:
        reason = replace(certificates, mechanism=mechanism).abstention
        for name in ("", "not separated", "too close", "mechanism", "tie"):
            count = int((reason == name).sum())
            rows.append(
                {
                    "mechanism": mechanism,
                    "reason": name or "certified",
                    "images": count,
                    "share": count / max(len(certificates), 1),
                }
            )
    return pd.DataFrame(rows)


def per_class(
    certificates: Certificates, *, class_names: Sequence[str] | None = None
) -> pd.DataFrame:
    """How the chosen mechanism does on each class.

    By true class; without labels by top class, and without ``top1``.

    Args:
        certificates: One run's certificates.
        class_names: For people; the class numbers by default.

    Returns:
        One row a class that occurs: ``class``, ``name``, ``images``, ``top1``,
        ``certified`` (share certified and, with labels, right), ``abstained``,
        ``median_radius``, ``average_radius`` (both with 0 where it is not certified or
        wrong).
    """
    labelled = certificates.labels is not None
    group = certificates.labels if certificates.labels is not None else certificates.top
    hit = hits(certificates, certificates.mechanism)
    frame = pd.DataFrame(
        {
            "class": group,
            "top1": top_right(certificates),
            "certified": hit,
            "abstained": certificates.radius == 0,
            "radius": counted_radius(certificates, certificates.mechanism),
        }
    )
    grouped = frame.groupby("class", sort=True)
    table = pd.DataFrame(
        {
            "images": grouped.size(),
            "top1": grouped["top1"].mean(),
            "certified": grouped["certified"].mean(),
            "abstained": grouped["abstained"].mean(),
            "median_radius": grouped["radius"].median(),
            "average_radius": grouped["radius"].mean(),
        }
    ).reset_index()
    # Names of the classes that occur: there may be as many others as you like.
    names = [class_names[n] if class_names else str(n) for n in table["class"]]
    table.insert(1, "name", names)
    return table if labelled else table.drop(columns="top1")
