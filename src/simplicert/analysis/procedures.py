"""What every procedure certifies of one run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simplicert.analysis.accuracy import (
    average_certified_radius,
    average_name,
    certified_accuracy,
    curve_radii,
)
from simplicert.certificates import ALPHA, Certificates, why_not
from simplicert.interop import RunEvidence
from simplicert.mechanisms import neyman_pearson
from simplicert.procedures import PROCEDURES, Procedure, largest_e0_lower

__all__ = ["accuracy_of_procedures", "can_certify", "certified_by_procedures"]

COMPARED = (
    "clopper_pearson",
    "two_stage",
    "joint",
    "hoeffding",
    "empirical_bernstein",
    "margins",
)
"""Those with a proof for any number of draws: first of hard votes, then of scores."""

MECHANISM = "neyman_pearson"
"""The one column that each of them has."""


def certified_by_procedures(
    run: RunEvidence, *, alpha: float = ALPHA
) -> list[Certificates]:
    """Certificates of a run by each procedure that its evidence allows.

    Each has all the draws that it can use: those that need others to choose the class
    set the run's pilot draws apart. Left out are procedures of what was not recorded,
    those that could not certify so few draws at this ``alpha``, and of other noise than
    Gaussian all.

    Args:
        run: One whose number of draws was fixed.
        alpha: Failure probability of each image, by each procedure on its own. Choosing
            among them afterwards does not hold at it.

    Raises:
        InputError: As ``RunEvidence.certify``.
    """
    found = [PROCEDURES.find(name) for name in COMPARED]
    return [
        run.certify(procedure=each, alpha=alpha)
        for each in found
        if can_certify(run, each, alpha)
    ]


def accuracy_of_procedures(certificates: Sequence[Certificates]) -> pd.DataFrame:
    """Certified accuracy by each procedure at common radii, with ``neyman_pearson``.

    Args:
        certificates: Of one run, as ``certified_by_procedures`` gives them.

    Returns:
        One row a procedure and radius: ``framework``, ``procedure``, ``average`` (the
        average certified radius), and as ``certified_accuracy`` ``radius`` to
        ``share_upper``.
    """
    radii = max((curve_radii(each) for each in certificates), key=np.max)
    frames = []
    for each in certificates:
        curve = certified_accuracy(each, radii)
        means = average_certified_radius(each)
        average = means.loc[means["mechanism"] == MECHANISM, average_name(each)]
        rows = curve[curve["mechanism"] == MECHANISM].drop(columns="mechanism")
        rows.insert(0, "framework", each.framework)
        rows.insert(1, "procedure", each.procedure)
        rows.insert(2, "average", average.iloc[0])
        frames.append(rows)
    return pd.concat(frames, ignore_index=True)


def can_certify(run: RunEvidence, procedure: Procedure, alpha: float) -> bool:
    """Whether a run's noise, evidence and number of draws allow it a radius."""
    manifest = run.directory.manifest
    if procedure.statistic not in manifest.statistics:
        return False
    if why_not(neyman_pearson, manifest.noise_facts, procedure.statistic) is not None:
        return False
    if "margins" in procedure.columns and manifest.margins is None:
        return False
    draws = manifest.draws - (run.pilot if procedure.separate else 0)
    return draws > 0 and largest_e0_lower(procedure, draws=draws, alpha=alpha) > 0
