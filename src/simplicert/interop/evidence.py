"""Certificates from a log that others published."""

from pathlib import Path
from typing import Literal

import numpy as np
from scipy.special import ndtr

from simplicert import mechanisms
from simplicert.bounds import clopper_pearson_lower
from simplicert.certificates.certify import DEFAULT_MECHANISM, certify_run
from simplicert.certificates.record import ABSTAIN, Certificates, Framework
from simplicert.errors import InputError
from simplicert.interop.recover import largest_radius
from simplicert.interop.reported import REPORTED, ReportedLog, is_reported_log

__all__ = ["certify_any", "certify_log"]


def certify_any(
    path: Path | str,
    *,
    alpha: float | None = None,
    framework: Framework = "multinomial",
    mechanism: str | None = None,
    procedure: Literal["simultaneous", "two-stage"] | None = None,
    selection: int | None = None,
    partial: bool = False,
) -> Certificates:
    """Certificates from a run directory or an imported log, whichever ``path`` is.

    Args:
        path: A run directory, or what ``simplicert import`` made of a log.
        alpha: Failure probability of each image; by default 0.001, or the log's own.
        framework: As for ``certify``. A log is of hard votes.
        mechanism: As for ``certify`` and ``certify_log``; by default
            ``neyman_pearson``, or what the log's radii are.
        procedure: As for ``certify_run``; by default ``"simultaneous"``, or the log's,
            which is ``"two-stage"``.
        selection: As for ``certify_run``; not of a log.
        partial: As for ``certify_run``.

    Raises:
        InputError: As ``certify_run`` and ``certify_log``; of a log, what would need
            its votes.
    """
    if not is_reported_log(path):
        return certify_run(
            path,
            alpha=0.001 if alpha is None else alpha,
            framework=framework,
            mechanism=mechanism or DEFAULT_MECHANISM,
            procedure=procedure or "simultaneous",
            selection=selection,
            partial=partial,
        )
    if framework != "multinomial":
        raise InputError(f"{path} is a log of hard votes: it has no soft scores")
    if procedure == "simultaneous" or selection is not None:
        raise InputError(
            f"{path} is a log of the two-stage procedure, without its votes: neither "
            "another procedure nor another selection can be had of it"
        )
    return certify_log(path, alpha=alpha, mechanism=mechanism)


def certify_log(
    path: Path | str, *, alpha: float | None = None, mechanism: str | None = None
) -> Certificates:
    """Certificates from an imported certification log, as far as its evidence goes.

    Column ``reported`` holds the log's radii, at its own alpha, as what is certain of
    them: each less a unit of its last printed digit, because print may round up, and
    none larger than unanimous votes give. Where the digits determine every count, there
    is also ``cohen``: the radius re-derived from the count, at any alpha, and then it
    is the one that counts. ``source["evidence"]`` says which: ``"recovered counts"`` or
    ``"reported radii"``. What the log does not say is NaN (estimates) or -1 (the class
    of an abstention, every runner-up). A row in which the log abstains has the bound 0
    and stays an abstention.

    Args:
        path: A directory that ``simplicert import`` made of a log in Cohen's layout.
        alpha: Failure probability of each image; the log's by default.
        mechanism: Which column counts: ``"cohen"``, whose radii the reported ones are
            where they are not re-derivable, or ``"reported"``.

    Raises:
        InputError: There is no such log; another mechanism; another alpha than the
            log's, while the log's radii are not re-derivable.
    """
    log = ReportedLog.read(path)
    conditions = log.conditions
    alpha = conditions.alpha if alpha is None else alpha
    same = alpha == conditions.alpha
    if not same and not log.recovered:
        raise InputError(
            f"{path} holds radii reported at alpha {conditions.alpha:g}, and not the "
            f"votes to derive others from: use --alpha {conditions.alpha:g}"
        )
    images = len(log.indices)
    named = log.radius > 0
    estimate = np.full(images, np.nan)
    limit = largest_radius(
        sigma=conditions.sigma, draws=conditions.draws, alpha=conditions.alpha
    )
    certain = np.maximum(np.minimum(log.radius - log.unit, limit), 0.0)
    radii = {REPORTED: certain} if same else {}
    if log.recovered:
        estimate[named] = log.most[named] / conditions.draws
        lower = clopper_pearson_lower(log.most, trials=conditions.draws, alpha=alpha)
        radii["cohen"] = mechanisms.cohen(lower, 1.0 - lower, sigma=conditions.sigma)
    else:
        # The bound that the radius implies.
        lower = np.where(certain > 0, ndtr(certain / conditions.sigma), 0.0)
    own = "cohen" if log.recovered else REPORTED
    if mechanism not in (None, "cohen", *radii):
        raise InputError(
            f"{path} is a log of Cohen's radii, not of votes: {mechanism} cannot be "
            f"had of it. It has: {', '.join(radii)}"
        )
    chosen = mechanism if mechanism in radii else own
    return Certificates(
        indices=log.indices,
        labels=log.labels,
        top=np.where(log.predicted >= 0, log.predicted, ABSTAIN),
        runner_up=np.full(images, ABSTAIN),
        e0=estimate,
        e1=np.full(images, np.nan),
        e0_lower=lower,
        e1_upper=1.0 - lower,
        radii=radii,
        members=(chosen,),
        mechanism=chosen,
        draws=np.full(images, conditions.draws),
        sigma=conditions.sigma,
        alpha=alpha,
        framework="multinomial",
        procedure="two-stage",
        classes=int(max(log.labels.max(), log.predicted.max())) + 1,
        source={
            "log": conditions.source,
            "digest": conditions.digest,
            "evidence": log.evidence,
            "notes": "; ".join(conditions.notes),
            "run": str(path),
        },
    )
